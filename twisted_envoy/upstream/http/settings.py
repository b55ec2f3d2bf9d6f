"""What a cluster says of the HTTP that it speaks to its hosts, and what its pools share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.http import CodecOutput
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings, HTTP2Settings
from twisted_envoy.http.protocol_options import CommonHTTPOptions
from twisted_envoy.network.timers import DeadlineQueue
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

HTTP1 = "HTTP/1.1"
HTTP2 = "HTTP/2"

_IDLE = 3600.0
_RESPONSE_KB = 80


@dataclass(frozen=True, slots=True)
class ServerNames:
    """
    What TLS asks for and checks, by the request that a connection is made for.

    Attributes:
        asks: the server is asked for by the request's host. checks: its certificate must have it.
        header: lower-case; where it is there, it tells the host. Empty for none.

    Envoy: config.core.v3.UpstreamHttpProtocolOptions
    """

    asks: bool
    checks: bool
    header: bytes = b""


def readServerNames(config: View | None) -> ServerNames | None:
    """UpstreamHttpProtocolOptions; None where the names do not depend on the request."""
    if config is None:
        return None
    header = config.override_auto_sni_header.lower().encode("latin-1")
    asks, checks = config.auto_sni, config.auto_san_validation
    return ServerNames(asks, checks, header) if asks or checks else None


@dataclass(frozen=True, slots=True)
class UpstreamHTTPSettings:
    """
    What the config says.

    Attributes:
        protocol: `HTTP/1.1` or `HTTP/2`; empty for that of the downstream request.
        limits: of responses. common: with an idleTimeout.
        automatic: the protocol is for ALPN to choose; without it that is HTTP/1.1.
        serverNames: None where they do not depend on the request.

    Envoy: extensions.upstreams.http.v3.HttpProtocolOptions
    """

    protocol: str = HTTP1
    http1: HTTP1Settings = HTTP1Settings()
    http2: HTTP2Settings = HTTP2Settings()
    limits: HeaderLimits = HeaderLimits(1024 * _RESPONSE_KB)
    common: CommonHTTPOptions = CommonHTTPOptions(idleTimeout=_IDLE)
    automatic: bool = False
    serverNames: ServerNames | None = None

    @classmethod
    def of(
        cls,
        protocol: str,
        http1: HTTP1Settings,
        http2: HTTP2Settings,
        common: CommonHTTPOptions,
        automatic: bool = False,
        serverNames: ServerNames | None = None,
    ) -> UpstreamHTTPSettings:
        """The settings, with what follows from the common ones."""
        kilobytes = common.maxResponseHeadersKB
        limits = HeaderLimits(
            1024 * (_RESPONSE_KB if kilobytes is None else kilobytes), common.maxHeadersCount
        )
        if common.idleTimeout is None:
            common = replace(common, idleTimeout=_IDLE)
        return cls(protocol, http1, http2, limits, common, automatic, serverNames)


class UpstreamHTTP:
    """
    What all HTTP pools of a cluster share.

    Args:
        settings: the config's.
        codecs: protocol -> what makes a codec of a connection, its output and its transport.
        reactor: IReactorTime.
        post: runs a callable when the current event has ended (`TurnQueue.post`).
        nextID: numbers connections.
        random: for jitter.
        tunnelHalfClose: whether the end of what a user sends through an HTTP/1.1 tunnel leaves the
            other direction open; Envoy closes both.

    Attributes:
        idleTimeouts: of connections without requests; None for none.
    """

    __slots__ = (
        "_durations",
        "random",
        "codecs",
        "idleTimeouts",
        "nextID",
        "post",
        "reactor",
        "settings",
        "tunnelHalfClose",
    )

    def __init__(
        self,
        settings: UpstreamHTTPSettings,
        codecs: Mapping[str, Callable[[Any, CodecOutput, Any], Any]],
        reactor: Any,
        post: Callable[[Callable[[], None]], None],
        nextID: Callable[[], int],
        random: Random,
        tunnelHalfClose: bool = False,
    ) -> None:
        self.settings = settings
        self.codecs = codecs
        self.reactor = reactor
        self.post = post
        self.nextID = nextID
        self.tunnelHalfClose = tunnelHalfClose
        self.random = random
        common = settings.common
        idle, longest = common.idleTimeout, common.maxConnectionDuration
        self.idleTimeouts = DeadlineQueue(reactor, idle) if idle else None
        self._durations = DeadlineQueue(reactor, longest) if longest else None

    def offered(self, protocol: str) -> tuple[bytes, ...]:
        """What ALPN offers for a pool of that protocol."""
        if self.settings.automatic:
            return (b"h2", b"http/1.1")
        return (b"h2",) if protocol == HTTP2 else (b"http/1.1",)

    def protocolFor(self, downstreamProtocol: str) -> str:
        """What is spoken for a request that came in that protocol."""
        return self.settings.protocol or (HTTP2 if downstreamProtocol == HTTP2 else HTTP1)

    def startDuration(self, call: Callable[[], None]) -> Any:
        """Call when a connection that begins now has lived long enough; None for never."""
        if self._durations is None:
            return None
        jitter = self.settings.common.maxConnectionDurationJitter
        if jitter is None:
            return self._durations.add(call)
        longest = self._durations.delay
        return self.reactor.callLater(longest * (1 + jitter * self.random.random()), call)
