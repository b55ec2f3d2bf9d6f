"""
The bodies of requests: what a server's codec decodes behind a head.

Envoy: source/common/http/http1/codec_impl.cc (ServerConnectionImpl)
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.h1.codec import H1Codec
from twisted_envoy.codec.h1.server_stream import H1ServerStream


class ServerBodies(H1Codec):
    """The half of an H1ServerCodec that reads bodies; the other half is its subclass."""

    __slots__ = ()

    def _readFixed(self, data: bytes, start: int) -> int:
        """Decode what belongs to a body of a known length; gives the index behind it."""
        end = start + self._left
        size = len(data)
        if size < end:
            self._left = end - size
            self._decoder.decodeData(data[start:] if start else data, False)
            return size
        self._left = 0
        decoder, stream = self._decoder, self._stream
        self._requestEnded(stream)
        decoder.decodeData(data[start:end], True)
        return end

    def _readBody(self, data: bytes, start: int) -> int:
        """Decode what belongs to the body; gives the index behind it."""
        body, stream = self._body, self._stream
        assert body is not None and stream is not None
        piece = body.feed(data, start)
        following = body.position
        if not body.ended:
            if piece:
                self._decoder.decodeData(piece, False)
            return following
        self._body = None
        decoder = self._decoder
        trailers = body.trailers
        if trailers is None:
            self._requestEnded(stream)
            decoder.decodeData(piece, True)
        else:
            if piece:
                decoder.decodeData(piece, False)
            if not self.isDead:
                self._requestEnded(stream)
                decoder.decodeTrailers(trailers)
        return following

    def _requestEnded(self, stream: H1ServerStream) -> None:
        stream.received = True
        if stream.sent:
            self.streamEnded(stream)

    def streamEnded(self, stream: Any) -> None:
        """Both its directions have ended."""
        raise NotImplementedError
