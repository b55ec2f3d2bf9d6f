"""
Compressor: bodies that are worth it and welcome leave smaller than they came.

Envoy: extensions.filters.http.compressor.v3.Compressor
"""

from __future__ import annotations

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.compressor.negotiation import (
    Choice,
    Verdict,
    chooseEncoding,
)
from twisted_envoy.extensions.filters.http.compressor.settings import (
    DirectionStats,
    RouteSettings,
    Settings,
    bareType,
)
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.upgrade import isUpgrade
from twisted_envoy.interfaces.compression import CompressorLibrary, ICompressor

_STATUS = b"x-envoy-compression-status"
_ACCEPT_ENCODING = b"Accept-Encoding"
_NOTHING = RouteSettings()


class ResponseCompressor(HTTPFilter):
    """Compresses one response; requests are only looked at."""

    __slots__ = ("_accepted", "_compressor", "_library", "_route", "_settings", "choice")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._library = settings.library
        self._route = _NOTHING
        self._accepted: bytes | None = None
        self._compressor: ICompressor | None = None
        self.choice: Choice | None = None

    # The request.

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self._accepted = headers.joined(b"accept-encoding")
        self._readRoute()
        remove = self._route.removesAcceptEncoding
        if remove is None:
            remove = self._settings.removesAcceptEncoding
        if remove and self._isOn():
            headers.remove(b"accept-encoding")
        self._prepareRequest(headers, endStream)

    def _prepareRequest(self, headers: HeaderMap, endStream: bool) -> None:
        self._settings.requestStats.not_compressed.value += 1

    def _readRoute(self) -> None:
        found = self.stream.routeConfig(self.stream.nameOf(self))
        if found is not None:
            self._route = found
            self._library = found.library or self._settings.library

    def _isOn(self) -> bool:
        byRoute = self._route.compressesResponses
        return self._settings.response.isEnabled() if byRoute is None else byRoute

    # The response.

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        self._readRoute()
        decide = self._decideAloud if self._settings.tellsStatus else self._decide
        isCompressible, doesCompress = decide(headers, endStream)
        stats = self._settings.response.stats
        if doesCompress:
            self._editETag(headers)
            headers.remove(b"content-length")
            headers.set(b"content-encoding", self._library.encoding)
            stats.compressed.value += 1
            self._compressor = self._library.make()
        else:
            stats.not_compressed.value += 1
        if isCompressible:
            _addVary(headers)

    def _decide(self, headers: HeaderMap, endStream: bool) -> tuple[bool, bool]:
        """Whether the response may be compressed, and whether it will for this client."""
        settings = self._settings
        mayBe = self._isOn() and settings.response.isLongEnough(headers)
        isCompressible = (
            mayBe
            and settings.response.isOfAllowedType(headers)
            and _mayChange(headers)
            and self._isAllowedByETag(headers)
            and headers[b":status"] not in settings.refusedStatuses
            and b"content-encoding" not in headers
        )
        isWanted = not endStream and mayBe and self._isAccepted(headers)
        return isCompressible, isCompressible and isWanted

    def _decideAloud(self, headers: HeaderMap, endStream: bool) -> tuple[bool, bool]:
        """The same, in the order in which a header tells what it was."""
        settings = self._settings
        response = settings.response
        if not self._isOn() or not _mayChange(headers) or b"content-encoding" in headers:
            return False, False
        problem = b""
        if not response.isLongEnough(headers):
            problem = b"ContentLengthTooSmall"
            if not endStream:  # as in Envoy, which looks twice
                response.stats.content_length_too_small.value += 1
        elif not response.isOfAllowedType(headers):
            problem = b"ContentTypeNotAllowed"
        elif not settings.allowsETag(headers):
            problem = b"EtagNotAllowed"
            if not endStream:
                settings.accept.not_compressed_etag.value += 1
        elif headers[b":status"] in settings.refusedStatuses:
            problem = b"StatusCodeNotAllowed"
        if endStream:
            return not problem, False
        if problem:
            headers.add(_STATUS, b"%s;%s" % (self._library.encoding, problem))
            return False, False
        doesCompress = self._isAccepted(headers)
        if doesCompress:
            length = headers.get(b"content-length", b"")
            said = b"%s;Compressed;OriginalLength=%s" % (self._library.encoding, length)
            headers.add(_STATUS, said)
        return True, doesCompress

    def _isAllowedByETag(self, headers: HeaderMap) -> bool:
        if self._settings.allowsETag(headers):
            return True
        self._settings.accept.not_compressed_etag.value += 1
        return False

    def _isAccepted(self, headers: HeaderMap) -> bool:
        """Whether this filter is the one to compress, of those in the chain; counted."""
        accept = self._settings.accept
        if self._accepted is None:
            accept.no_accept_header.value += 1
            return False
        choice = self.choice
        if choice is None:
            choice = self._choose(self._accepted, headers)
        isMine = choice.encoding.lower() == self._library.encoding.lower()
        verdict = choice.verdict
        if verdict is Verdict.VALID:
            if isMine:
                accept.header_compressor_used.value += 1
            else:
                accept.header_compressor_overshadowed.value += 1
        elif verdict is Verdict.IDENTITY:
            accept.header_identity.value += 1
        elif verdict is Verdict.WILDCARD:
            accept.header_wildcard.value += 1
        else:
            accept.header_not_valid.value += 1
        return isMine

    def _choose(self, accepted: bytes, headers: HeaderMap) -> Choice:
        """Choose for all the compressors of the chain, among those that compress such a type."""
        kind = bareType(headers.get(b"content-type", b""))
        everyone = [one for one in self.stream.filters if isinstance(one, ResponseCompressor)]
        choice = chooseEncoding(
            accepted,
            [one._offer(self) for one in everyone if not kind or one._compresses(kind)],
        )
        for one in everyone:
            one.choice = choice
        return choice

    def _compresses(self, kind: bytes) -> bool:
        return self._settings.response.allowsType(kind)

    def _offer(self, asking: ResponseCompressor) -> tuple[bytes, bool]:
        """As in Envoy, only the one that chooses knows of its route's library."""
        library = self._library if asking is self else self._settings.library
        return library.encoding, self._settings.chooseFirst

    def _editETag(self, headers: HeaderMap) -> None:
        tag = headers.get(b"etag")
        if tag is None or tag[:2].lower() == b"w/":
            return
        if self._settings.weakensETag and tag:
            headers.set(b"etag", b"W/" + tag)
        else:
            headers.remove(b"etag")

    def encodeData(self, data: bytes, endStream: bool) -> bytes:
        compressor = self._compressor
        if compressor is None:
            return data
        return _compressed(compressor, self._settings.response.stats, data, endStream)

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        compressor = self._compressor
        if compressor is not None:
            stats = self._settings.response.stats
            self.addEncodedData(_compressed(compressor, stats, b"", True))


class Compressor(ResponseCompressor):
    """Compresses one request and its response."""

    __slots__ = ("_ofRequest",)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._ofRequest: ICompressor | None = None

    def _prepareRequest(self, headers: HeaderMap, endStream: bool) -> None:
        direction = self._settings.request
        if (
            not endStream
            and direction is not None
            and direction.isEnabled()
            and not isUpgrade(headers)
            and direction.isLongEnough(headers)
            and direction.isOfAllowedType(headers)
            and b"content-encoding" not in headers
        ):
            library: CompressorLibrary = self._library
            headers.remove(b"content-length")
            headers.set(b"content-encoding", library.encoding)
            direction.stats.compressed.value += 1
            self._ofRequest = library.make()
        else:
            self._settings.requestStats.not_compressed.value += 1

    def decodeData(self, data: bytes, endStream: bool) -> bytes:
        compressor = self._ofRequest
        if compressor is None:
            return data
        return _compressed(compressor, self._settings.requestStats, data, endStream)

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        compressor = self._ofRequest
        if compressor is not None:
            stats = self._settings.requestStats
            self.addDecodedData(_compressed(compressor, stats, b"", True))


def _compressed(
    compressor: ICompressor, stats: DirectionStats, data: bytes, endStream: bool
) -> bytes:
    made = compressor.finish(data) if endStream else compressor.compress(data)
    stats.total_uncompressed_bytes.value += len(data)
    stats.total_compressed_bytes.value += len(made)
    return made


def _mayChange(headers: HeaderMap) -> bool:
    """Neither an upgrade nor `cache-control: no-transform`."""
    if isUpgrade(headers):
        return False
    control = headers.joined(b"cache-control")
    if control is None:
        return True
    return all(one.strip() != b"no-transform" for one in control.lower().split(b","))


def _addVary(headers: HeaderMap) -> None:
    vary = headers.joined(b"vary")
    if vary is None:
        headers.set(b"vary", _ACCEPT_ENCODING)
    elif all(one.strip() != _ACCEPT_ENCODING for one in vary.split(b",")):
        headers.set(b"vary", vary + b", " + _ACCEPT_ENCODING)
