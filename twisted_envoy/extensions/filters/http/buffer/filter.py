"""
Buffer: hold the request until it is complete.

Envoy: extensions.filters.http.buffer.v3.Buffer
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.filter import NOTHING, HTTPFilter


class Buffer(HTTPFilter):
    """
    Holds one request.

    Args:
        most: bytes of body that a request may have, unless its route says something else.
    """

    __slots__ = ("_headers", "_most", "_size", "_waits")

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._waits = False
        self._headers: HeaderMap | None = None

    def watches(self, route: Any, name: str) -> frozenset[bytes]:
        return NOTHING

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        stream = self.stream
        if endStream or stream.isTunnel:
            return
        override = stream.routeConfig(stream.nameOf(self))
        if override is not None:
            self._most = override
            if not override:
                return
        stream.bufferLimit = self._most
        self._headers = headers
        self.holdDecode()

    def decodeData(self, data: bytes, endStream: bool) -> bytes:
        if self._headers is not None:
            self._size += len(data)
            # As in Envoy a body that comes whole, its end with it, never waits and is not measured.
            if self._size > self._most and (self._waits or not endStream):
                self._tooLarge()
                return b""
            self._waits = True
            if endStream:
                self._complete()
        return data

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        if self._headers is not None:
            self._complete()

    def _complete(self) -> None:
        headers, self._headers = self._headers, None
        if headers is not None and b"content-length" not in headers:
            headers.set(b"content-length", b"%d" % self._size)
        self.releaseDecode()

    def _tooLarge(self) -> None:
        self._headers = None
        self.stream.settings.stats.downstream_rq_too_large.value += 1
        self.sendLocalReply(413, b"Payload Too Large", "request_payload_too_large")
