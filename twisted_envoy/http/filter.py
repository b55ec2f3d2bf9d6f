"""
HTTPFilter: the one base class of an HTTP filter.

A filter defines those of the methods that it needs; what it does not define it is not asked and
costs nothing. A method that returns lets the stream go on to the next filter; `hold` stops it
there, `release` lets it go on.

    decodeHeaders(headers, endStream)        the request on its way to the upstream
    decodeData(data, endStream) -> bytes     what goes on to the next filter; b"" for nothing
    decodeTrailers(trailers)
    encodeHeaders(headers, endStream)        the response on its way to the client
    encodeData(data, endStream) -> bytes
    encodeTrailers(trailers)
    streamEnded()                            once, however the stream ended; let go of everything

The request passes the filters in their order, the response in the reverse one. What is held at a
filter waits there: bytes that come later pass the filters before it, and itself, and are queued
behind it until it is released.

Envoy: envoy/http/filter.h
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from twisted_envoy.codec.headers import HeaderMap
    from twisted_envoy.http.ready import ReadyReply
    from twisted_envoy.http.stream import HTTPStream

NOTHING: frozenset[bytes] = frozenset()
"""What an idle filter watches for."""


class HTTPFilter:
    """
    One filter of one request.

    Attributes:
        stream: the request that it is a filter of (http.stream.HTTPStream).
        index: its place in the chain.
    """

    __slots__ = ("index", "stream")

    #: What it defines, in the order below; made once a class.
    defines: ClassVar[frozenset[str]] = frozenset()

    stream: HTTPStream
    index: int

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.defines = frozenset(name for name in METHODS if hasattr(cls, name))

    def readyReply(self, route: Any) -> ReadyReply | None:
        """
        What a terminal filter answers.

        Args:
            route: of the requests.
        Returns:
            None where it depends on the request, or where none is answered here.
        """
        return None

    def carrier(self, route: Any, protocol: str) -> Any:
        """The same for what makes templates of requests that need no stream; see http.shortcuts."""
        return None

    def watches(self, route: Any, name: str) -> frozenset[bytes] | None:
        """
        The headers without which a request has nothing to do with this filter.

        A request without a body that has none of them, and its response, pass a filter of this
        config as if it were not there: nothing is changed, counted, noted or asked. Then none may
        be made for it.

        Args:
            route: of such requests. name: of the filter, as configured, for what routes say of it.
        Returns:
            Their names, as requests have them when they are routed; empty where it is idle; None:
            it has to see each request.
        """
        return None if self.defines else NOTHING

    def holdDecode(self) -> None:
        """Pass nothing on toward the upstream, what this method call would pass on included."""
        self.stream.holdDecode(self)

    def releaseDecode(self) -> None:
        """Pass on what was held, and go on; may be called from anywhere."""
        self.stream.releaseDecode(self)

    def holdEncode(self) -> None:
        """Pass nothing on toward the client, what this method call would pass on included."""
        self.stream.holdEncode(self)

    def releaseEncode(self) -> None:
        """Pass on what was held, and go on; may be called from anywhere."""
        self.stream.releaseEncode(self)

    def addDecodedData(self, data: bytes) -> None:
        """In decodeTrailers: body bytes that go on before the trailers do."""
        self.stream.addDecodedData(self, data)

    def addEncodedData(self, data: bytes) -> None:
        """In encodeTrailers: body bytes that go on before the trailers do."""
        self.stream.addEncodedData(self, data)

    def addDecodedTrailers(self) -> HeaderMap:
        """In decodeData at the end of the stream: trailers to fill, which come after the data."""
        return self.stream.addDecodedTrailers()

    def addEncodedTrailers(self) -> HeaderMap:
        """In encodeData at the end of the stream: trailers to fill, which come after the data."""
        return self.stream.addEncodedTrailers()

    def sendLocalReply(
        self,
        status: int,
        body: bytes,
        details: str,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        grpcStatus: int | None = None,
    ) -> None:
        """
        Answer the request here; filters after this one see nothing of it.

        Args:
            body: of text/plain; may be empty. details: `%RESPONSE_CODE_DETAILS%`.
            headers: more of them.
            grpcStatus: for a gRPC request; None for what the status means there.
        """
        self.stream.sendLocalReply(status, body, details, headers, grpcStatus)


METHODS = (
    *("decodeHeaders", "decodeData", "decodeTrailers"),
    *("encodeHeaders", "encodeData", "encodeTrailers", "streamEnded"),
)
