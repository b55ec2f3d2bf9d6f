"""
Decompressor: bodies of one encoding go on without it.

As in Envoy a body that cannot be read ends where it could be read no more.

Envoy: extensions.filters.http.decompressor.v3.Decompressor
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.compression import DecompressorLibrary, IDecompressor
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope
from twisted_envoy.values import dataclass


class DirectionStats:
    """`http.<stat_prefix>.decompressor.<library>.<kind>.<direction>.*`"""

    decompressed: Counter
    not_decompressed: Counter
    total_uncompressed_bytes: Counter
    total_compressed_bytes: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


@dataclass(frozen=True, slots=True)
class Direction:
    """What is said about requests or responses; changesAll: even what says no-transform."""

    isEnabled: Callable[[], bool]
    changesAll: bool
    stats: DirectionStats


@dataclass(frozen=True, slots=True)
class Settings:
    """
    One filter's config.

    Attributes:
        problems: counters by their names. trailer: how names of trailers begin.
        advertises: whether requests say that this encoding is accepted.
    """

    library: DecompressorLibrary
    request: Direction
    response: Direction
    problems: Mapping[str, Counter]
    trailer: bytes
    advertises: bool


class Body:
    """One body on its way, and how long it was."""

    __slots__ = ("_decompressor", "_settings", "_stats", "compressed", "plain")

    def __init__(self, settings: Settings, stats: DirectionStats) -> None:
        self._settings = settings
        self._stats = stats
        self._decompressor: IDecompressor = settings.library.make()
        self.compressed = self.plain = 0

    def read(self, data: bytes) -> bytes:
        """What goes on."""
        decompressor = self._decompressor
        made = b""
        if not decompressor.problem and data:
            made = decompressor.decompress(data)
            if decompressor.problem:
                self._settings.problems[decompressor.problem].value += 1
        stats = self._stats
        stats.total_compressed_bytes.value += len(data)
        stats.total_uncompressed_bytes.value += len(made)
        self.compressed += len(data)
        self.plain += len(made)
        return made

    def tell(self, trailers: HeaderMap) -> None:
        """Say how long it was."""
        name = self._settings.trailer
        trailers.set(name + b"-compressed-bytes", b"%d" % self.compressed)
        trailers.set(name + b"-uncompressed-bytes", b"%d" % self.plain)


class Decompressor(HTTPFilter):
    """Decompresses one request and its response."""

    __slots__ = ("_request", "_response", "_settings")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._request: Body | None = None
        self._response: Body | None = None

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        settings = self._settings
        if settings.advertises and settings.response.isEnabled():
            _advertise(headers, settings.library.encoding)
        if not endStream:
            self._request = self._begin(headers, settings.request)

    def decodeData(self, data: bytes, endStream: bool) -> bytes:
        body = self._request
        if body is None:
            return data
        made = body.read(data)
        if endStream:
            body.tell(self.addDecodedTrailers())
        return made

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        if self._request is not None:
            self._request.tell(trailers)

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        if not endStream:
            self._response = self._begin(headers, self._settings.response)

    def encodeData(self, data: bytes, endStream: bool) -> bytes:
        body = self._response
        if body is None:
            return data
        made = body.read(data)
        if endStream:
            body.tell(self.addEncodedTrailers())
        return made

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        if self._response is not None:
            self._response.tell(trailers)

    def _begin(self, headers: HeaderMap, direction: Direction) -> Body | None:
        settings = self._settings
        coding = (headers.joined(b"content-encoding") or b"").split(b",", 1)
        if (
            coding[0].strip().lower() != settings.library.encoding
            or not direction.isEnabled()
            or not (direction.changesAll or _mayChange(headers))
        ):
            direction.stats.not_decompressed.value += 1
            return None
        direction.stats.decompressed.value += 1
        headers.remove(b"content-length")
        if len(coding) > 1:
            headers.set(b"content-encoding", coding[1].strip())
        else:
            headers.remove(b"content-encoding")
        return Body(settings, direction.stats)


def _mayChange(headers: HeaderMap) -> bool:
    control = headers.joined(b"cache-control")
    if control is None:
        return True
    return all(one.strip() != b"no-transform" for one in control.lower().split(b","))


def _advertise(headers: HeaderMap, encoding: bytes) -> None:
    """Accept it, as much as anything can be."""
    accepted = headers.joined(b"accept-encoding") or b""
    others = [one.strip() for one in accepted.split(b",")]
    kept = [one for one in others if one and one.partition(b";")[0].strip() != encoding]
    headers.set(b"accept-encoding", b",".join((*kept, encoding)))
