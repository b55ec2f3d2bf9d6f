"""
The frames of a response that is sent again and again: what differs is the stream's number.

    a response is       sent as
    the first times     its header block, encoded; its fields enter the table meanwhile
    as the one before   the same bytes around another number, while the table stays what it is;
                        its body may be another one of that size
"""

from __future__ import annotations

from twisted_envoy.codec.h2.frames import (
    DATA,
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


class Answered:
    """
    The newest one of a connection.

    Attributes:
        fields: of the response; None before it has come out the same twice.
        changes: the encoder's, when it did.
        pieces: its frames without the body, cut where the stream's number stands.
        size: bytes of the body.
    """

    __slots__ = ("_block", "_latest", "changes", "fields", "pieces", "size")

    def __init__(self) -> None:
        self.fields: HeaderMap | None = None
        self.changes = -1
        self.pieces: tuple[bytes, ...] = ()
        self.size = 0
        self._latest: HeaderMap | None = None
        self._block = b""

    def encode(
        self, encoder: Encoder, streamID: int, fields: HeaderMap, body: bytes, most: int
    ) -> bytes:
        """
        The frames, made anew.

        Args:
            fields, body: of the response. most: bytes of a frame's payload.
        """
        block = encoder.encode(fields.items())
        size = len(body)
        header = _pack(size >> 8, size & 255, DATA, END_STREAM, streamID)
        behind = header + body if body else b""
        length = len(block)
        if length > most:
            return headersFrames(streamID, block, not body, most) + behind
        flags = END_HEADERS if body else END_HEADERS | END_STREAM
        before = _pack(length >> 8, length & 255, HEADERS, flags, streamID)
        if fields is self._latest and block == self._block:
            self.fields = fields
            self.changes = encoder.changes
            self.size = size
            if body:
                self.pieces = (before[:-NUMBER_BYTES], block + header[:-NUMBER_BYTES], b"")
            else:
                self.pieces = (before[:-NUMBER_BYTES], block)
        self._latest = fields
        self._block = block
        return before + block + behind
