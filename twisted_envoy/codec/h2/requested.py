"""
The header block of a request that is sent again and again, and heads of answers to such requests.

    a request is         sent as
    the first times      its header block, encoded; its fields enter the table meanwhile
    like the one before  the same bytes around another value and number, while the table stays
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.h2.frames import (
    END_HEADERS,
    END_STREAM,
    HEADERS,
    NUMBER_BYTES,
    frameHeader,
    headersFrames,
)
from twisted_envoy.codec.h2.hpack_encoder import Encoder
from twisted_envoy.codec.headers import HeaderMap

_pack = frameHeader.pack


class Requested:
    """
    A request without a body.

    Args:
        headers: one value of each. hole: the one whose value is another each time; b"" for none.

    Attributes:
        method: of the request.
        encoder, changes: where, and as long as, `pieces` hold; None before it came out the same
            twice.
        pieces: the frame without its number: its header, and the block cut where the value stands.
        size: bytes of the value.
    """

    __slots__ = (
        *("_encoder", "_headers", "_hole", "_latest", "changes", "encoder", "method", "pieces"),
        "size",
    )

    def __init__(self, headers: HeaderMap, hole: bytes) -> None:
        self._headers = headers
        self._hole = hole
        self._encoder: Encoder | None = None
        self._latest: list[bytes] = []
        self.method = headers[b":method"]
        self.encoder: Encoder | None = None
        self.changes = -1
        self.pieces: tuple[bytes, bytes, bytes] = (b"", b"", b"")
        self.size = 0

    def encode(self, encoder: Encoder, streamID: int, value: bytes, most: int) -> bytes:
        """
        The frames, made anew.

        Args:
            value: of the hole. most: bytes of a frame's payload.
        """
        headers = self._headers
        if value:
            headers = headers.copy()
            headers[self._hole] = value
        block = encoder.encode(headers.items())
        length = len(block)
        if length > most:
            return headersFrames(streamID, block, True, most)
        flags = END_HEADERS | END_STREAM
        before = _pack(length >> 8, length & 255, HEADERS, flags, streamID)
        parts = block.split(value) if value else [block, b""]
        if encoder is self._encoder and parts == self._latest and len(parts) == 2:
            self.encoder = encoder
            self.changes = encoder.changes
            self.pieces = (before[:-NUMBER_BYTES], parts[0], parts[1])
            self.size = len(value)
        self._encoder = encoder
        self._latest = parts
        return before + block


class AnswerHead:
    """
    What a header block of an answer says.

    Args:
        headers: copied.

    Attributes:
        headers: of the answer; not changed. status: the number.
        carried: what those who carry such answers keep with it; None before.
    """

    __slots__ = ("carried", "headers", "status")

    def __init__(self, headers: HeaderMap) -> None:
        self.headers = headers.copy()
        self.status = int(headers[b":status"])
        self.carried: Any = None
