"""
Copies of a request for other clusters; nobody waits for their answers.

A copy goes out when the whole request is there, if all of it could be kept.

Envoy: Router::ShadowWriterImpl
"""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError, IStreamDecoder, IStreamEncoder, Reset
from twisted_envoy.extensions.filters.http.router.server_names import optionsFor
from twisted_envoy.extensions.filters.http.router.settings import RouterSettings
from twisted_envoy.interfaces.http import IPoolUser, PoolConnection
from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.network.timers import Deadline
from twisted_envoy.upstream.host import NO_OPTIONS


def chosenMirrors(mirrors: tuple[Any, ...], headers: HeaderMap, random: Any) -> tuple[Any, ...]:
    """Those of a route's mirrors that get a copy of this request; CONNECT has none."""
    if headers.get(b":method") == b"CONNECT":
        return ()
    return tuple(mirror for mirror in mirrors if mirror.fraction(random.getrandbits(64)))


def shadowHost(host: bytes) -> bytes:
    """`host-shadow`, before the port."""
    name, colon, port = host.rpartition(b":")
    if colon and port.isdigit():
        return name + b"-shadow:" + port
    return host + b"-shadow"


def sendCopy(
    settings: RouterSettings,
    mirror: Any,
    headers: HeaderMap,
    body: bytes,
    trailers: HeaderMap | None,
    info: Any,
    timeout: float,
) -> None:
    """
    Send one copy and forget it; without a cluster or host nothing happens.

    Args:
        headers: as the upstream gets them; copied. timeout: seconds, 0 for none.
    """
    name = mirror.clusterName(headers)
    cluster = settings.clusters.get(name) if name else None
    if cluster is None:
        return  # Envoy logs it and goes on too
    copy = headers.copy()
    if mirror.hostRewrite is not None:
        copy.set(b":authority", mirror.hostRewrite)
    elif mirror.appendsShadow:
        copy.set(b":authority", shadowHost(copy.get(b":authority", b"")))
    if mirror.edit is not None:
        mirror.edit(copy, info)
    copy.set(b"x-envoy-internal", b"true")
    before = copy.get(b"x-forwarded-for")
    own = settings.ownAddress
    copy.set(b"x-forwarded-for", own if before is None else before + b"," + own)
    settings.copyStats.rq_total.value += 1
    host = cluster.chooseHost(LoadBalancerContext())
    if host is None:
        settings.codes.of(cluster).charge(503, True)
        return
    options = NO_OPTIONS
    names = None if cluster.http is None else cluster.http.settings.serverNames
    if names is not None:
        options = optionsFor(names, copy)
    pool = cluster.httpPool(host, info.protocol, options, "default")
    if pool is None:
        return
    shadow = Shadow(settings, cluster, copy, body, trailers)
    shadow.start(pool, timeout)


@implementer(IStreamDecoder, IPoolUser)
class Shadow:
    """
    One copy under way.

    Args:
        cluster: that it goes to. headers, body, trailers: of the copy, whole.
    """

    __slots__ = (
        "_body",
        "_cancel",
        "_codes",
        "_encoder",
        "_headers",
        "_over",
        "_settings",
        "_started",
        "_timer",
        "_trailers",
    )

    def __init__(
        self,
        settings: RouterSettings,
        cluster: Any,
        headers: HeaderMap,
        body: bytes,
        trailers: HeaderMap | None,
    ) -> None:
        self._settings = settings
        self._started = settings.seconds()
        self._codes = settings.codes.of(cluster)
        self._headers = headers
        self._body = body
        self._trailers = trailers
        self._encoder: IStreamEncoder | None = None
        self._cancel: Any = None
        self._timer: Deadline | None = None
        self._over = False

    def start(self, pool: Any, timeout: float) -> None:
        """Ask for a stream."""
        if timeout:
            self._timer = self._settings.queue(timeout).add(self._timedOut)
        cancel = pool.newStream(self, self)
        if self._encoder is None and not self._over:
            self._cancel = cancel

    def poolReady(self, encoder: IStreamEncoder, connection: PoolConnection) -> None:
        self._cancel = None
        self._encoder = encoder
        body, trailers = self._body, self._trailers
        encoder.encodeHeaders(self._headers, not body and trailers is None)
        if body:
            encoder.encodeData(body, trailers is None)
        if trailers is not None:
            encoder.encodeTrailers(trailers)

    def poolFailed(self, reason: Reset, details: str, learned: Any = None) -> None:
        self._charge(503)
        self._ended()

    def decode1xx(self, headers: HeaderMap) -> None:
        """Nobody wants it."""

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self._charge(int(headers[b":status"]))
        if endStream:
            self._answered()

    def decodeData(self, data: bytes, endStream: bool) -> None:
        if endStream:
            self._answered()

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        self._answered()

    def streamReset(self, reason: Reset, details: str) -> None:
        self._charge(503)
        self._ended()

    def streamFailed(self, error: CodecError) -> None:
        """Of servers only."""

    def _charge(self, status: int) -> None:
        if self._settings.dynamicStats:
            self._codes.charge(status, True)

    def _answered(self) -> None:
        settings = self._settings
        if settings.dynamicStats:
            self._codes.recordTime(int((settings.seconds() - self._started) * 1000), True)
        self._ended()

    def _timedOut(self) -> None:
        self._timer = None
        encoder, cancel = self._encoder, self._cancel
        self._charge(504)
        self._ended()
        if encoder is not None:
            encoder.resetStream(Reset.LOCAL)
        elif cancel is not None:
            cancel()

    def _ended(self) -> None:
        self._over = True
        self._encoder = self._cancel = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
