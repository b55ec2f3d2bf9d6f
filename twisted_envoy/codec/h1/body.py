"""
Bodies of HTTP/1.1 whose end is not known before: chunked, or up to the end.

A body is fed with bytes and a place in them; it gives what belongs to it, without framing, and says
how far it got. Chunks that come together leave together.

Sizes of chunks are hexadecimal and below 2**64; extensions are read over. Bare line feeds are taken
where Envoy 1.40 takes them: behind the data of a chunk and in trailers.

Envoy: source/common/http/http1/balsa_parser.cc
"""

from __future__ import annotations

import re

from twisted_envoy.codec.h1.fields import (
    findEnd,
    malformed,
    oddLines,
    readFields,
    splitLines,
    tooLarge,
)
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.settings import HeaderLimits

CRLF = b"\r\n"
_SIZE = re.compile(rb"(?=[0-9A-Fa-f])0*([0-9A-Fa-f]{0,16})[ \t]*(?:;[^\r\n]*)?\r\n")


class RawBody:
    """Everything; a tunnel, or a response that ends with its connection."""

    __slots__ = ("ended", "position", "trailers")

    def __init__(self) -> None:
        self.ended = False
        self.position = 0
        self.trailers: HeaderMap | None = None

    def feed(self, data: bytes, start: int) -> bytes:
        """
        Take what belongs to the body.

        Returns:
            Body bytes; `position` is the index behind what was taken, `ended` tells whether there
            is more to come.
        """
        self.position = len(data)
        return data[start:] if start else data


_LINE = 0
_DATA = 1
_BEHIND = 2
_TRAILERS = 3


class ChunkedBody:
    """
    Chunks; what is incomplete of a line or of trailers is kept.

    Args:
        limits: of trailers; a line with extensions may be as long as they.
        keepsTrailers: give them; else they are checked and dropped.

    Attributes:
        ended, position: as of RawBody.
        trailers: None when there are none, or are not kept.
    """

    __slots__ = ("_held", "_keeps", "_left", "_limits", "_state", "ended", "position", "trailers")

    def __init__(self, limits: HeaderLimits, keepsTrailers: bool) -> None:
        self._limits = limits
        self._keeps = keepsTrailers
        self._held = b""
        self._left = 0
        self._state = _LINE
        self.ended = False
        self.position = 0
        self.trailers: HeaderMap | None = None

    def feed(self, data: bytes, start: int) -> bytes:
        """
        As RawBody.

        Raises:
            CodecError: these are no chunks.
        """
        taken = 0
        if self._held:
            taken = len(self._held)
            data = self._held + data[start:]
            self._held = b""
            taken -= start
            start = 0
        pieces: list[bytes] = []
        end = len(data)
        while start < end and not self.ended:
            state = self._state
            if state == _DATA:
                following = min(end, start + self._left)
                pieces.append(data[start:following])
                self._left -= following - start
                start = following
                if not self._left:
                    self._state = _BEHIND
            else:
                if state == _LINE:
                    following = self._line(data, start)
                elif state == _BEHIND:
                    following = self._behind(data, start)
                else:
                    following = self._trail(data, start)
                if following < 0:
                    self._hold(data, start)
                    start = end
                else:
                    start = following
        self.position = start - taken
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _hold(self, data: bytes, start: int) -> None:
        if len(data) - start > self._limits.maxBytes:
            raise tooLarge()
        self._held = data[start:]

    def _line(self, data: bytes, start: int) -> int:
        """The line with a size; -1 while it is not complete."""
        end = data.find(b"\n", start)
        if end < 0:
            if data[start] in b"\r\n \t;":
                raise malformed()
            return -1
        if end - start > self._limits.maxBytes:
            raise tooLarge()
        found = _SIZE.fullmatch(data, start, end + 1)
        if found is None:
            raise malformed()
        digits = found[1]
        self._left = int(digits, 16) if digits else 0
        self._state = _DATA if self._left else _TRAILERS
        return end + 1

    def _behind(self, data: bytes, start: int) -> int:
        """The end of the line behind the data."""
        if data[start] == 0x0A:
            following = start + 1
        elif data[start] != 0x0D:
            raise malformed()
        elif len(data) - start < 2:
            return -1
        elif data[start + 1] != 0x0A:
            raise malformed()
        else:
            following = start + 2
        self._state = _LINE
        return following

    def _trail(self, data: bytes, start: int) -> int:
        """Trailers, and the empty line at the very end."""
        if data[start] == 0x0A:
            following = start + 1
        elif data.startswith(b"\r\n", start):
            following = start + 2
        else:
            following = findEnd(data, start)
            if following < 0:
                return -1
            if following - start > self._limits.maxBytes:
                raise tooLarge()
            self._read(data[start:following])
        self.ended = True
        return following

    def _read(self, block: bytes) -> None:
        trailers = HeaderMap()
        most = self._limits.maxCount if self._keeps else self._limits.maxBytes
        block = CRLF + block
        readFields(splitLines(block) or oddLines(block), trailers, most)
        if self._keeps:
            self.trailers = trailers


Body = RawBody | ChunkedBody
