"""Frames made by hand, for peers that break the rules; and what hyperframe says of ours."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from hpack import Encoder
from hyperframe.frame import Frame

from tests.codec.h2.support import REQUEST

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
ES, EH, PADDED, PRIO = 1, 4, 8, 32

Fields = Iterable[tuple[bytes, bytes]]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Any frame at all."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def block(fields: Fields = REQUEST) -> bytes:
    """A header block without the dynamic table, so that blocks may be sent in any order."""
    return bytes(Encoder().encode([(name, value, True) for name, value in fields]))


def headers(stream: int, fields: Fields = REQUEST, flags: int = ES | EH) -> bytes:
    """A whole HEADERS frame."""
    return frame(1, flags, stream, block(fields))


def number(value: int) -> bytes:
    """Four bytes."""
    return struct.pack(">I", value)


def setting(identifier: int, value: int) -> bytes:
    """SETTINGS with one of them."""
    return frame(4, 0, 0, struct.pack(">HI", identifier, value))


def rst(stream: int, code: int = 8) -> bytes:
    """RST_STREAM."""
    return frame(3, 0, stream, number(code))


def window(stream: int, increment: int) -> bytes:
    """WINDOW_UPDATE."""
    return frame(8, 0, stream, number(increment))


SETTINGS = frame(4, 0, 0)
HELLO = PREFACE + SETTINGS
"""A client's first bytes."""
PING = frame(6, 0, 0, b"12345678")


def parse(data: bytes) -> list[Frame]:
    """What hyperframe says of our bytes."""
    data = data.removeprefix(PREFACE)
    found = []
    while data:
        head, length = Frame.parse_frame_header(memoryview(data[:9]))
        head.parse_body(memoryview(data[9 : 9 + length]))
        found.append(head)
        data = data[9 + length :]
    return found


def names(data: bytes) -> list[str]:
    """The types only."""
    return [type(found).__name__.removesuffix("Frame") for found in parse(data)]
