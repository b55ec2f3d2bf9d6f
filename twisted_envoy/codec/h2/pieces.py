"""
A header block in pieces: HEADERS without END_HEADERS, and the CONTINUATION frames behind it.

RFC 9113, section 6.10
"""

from __future__ import annotations

from twisted_envoy.codec.h2 import frames
from twisted_envoy.codec.h2.failures import TOO_MANY_HEADERS, ConnectionFailure
from twisted_envoy.codec.settings import HeaderLimits

_MOST_FRAMES = 64


class Pieces:
    """Of one connection: no other frame may come between them."""

    __slots__ = ("_flags", "_most", "_parts", "_size")

    def __init__(self, limits: HeaderLimits) -> None:
        self._most = 65536 + 4 * limits.maxBytes
        self._flags = self._size = 0
        self._parts: list[bytes] = []

    def begin(self, flags: int, streamID: int, data: bytes, start: int, stop: int) -> None:
        """
        HEADERS came.

        Raises:
            ConnectionFailure: its padding or priority is cut.
        """
        start, stop = frames.stripHeaders(flags, streamID, data, start, stop)
        self._flags = flags
        self._parts = [data[start:stop]]
        self._size = stop - start

    def add(self, piece: bytes) -> None:
        """
        CONTINUATION came.

        Raises:
            ConnectionFailure: it is too much.
        """
        self._parts.append(piece)
        self._size += len(piece)
        if len(self._parts) > _MOST_FRAMES or self._size > self._most:
            raise ConnectionFailure(frames.ENHANCE_YOUR_CALM, TOO_MANY_HEADERS)

    def whole(self, streamID: int) -> bytes:
        """One HEADERS frame that says the same."""
        flags = frames.END_HEADERS | self._flags & frames.END_STREAM
        size = self._size
        header = frames.frameHeader.pack(size >> 8, size & 0xFF, frames.HEADERS, flags, streamID)
        block = b"".join(self._parts)
        self._parts = []
        return header + block
