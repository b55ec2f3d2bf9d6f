"""
HTTP/2 frames as bytes: their numbers, and those that are built here.

Envoy: RFC 9113 sections 4, 6 and 7
"""

from __future__ import annotations

from struct import Struct

from twisted_envoy.codec.h2.failures import ConnectionFailure

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_BYTES = 9
NUMBER_BYTES = 4
"""Of a stream's number, the end of a frame's header."""
MOST_PAYLOAD = 16384
"""Of a frame that is received; SETTINGS_MAX_FRAME_SIZE is never raised."""
MOST_WINDOW = 2**31 - 1
FIRST_WINDOW = 65535
LAST_STREAM = 2**31 - 1

DATA = 0
HEADERS = 1
PRIORITY = 2
RST_STREAM = 3
SETTINGS = 4
PUSH_PROMISE = 5
PING = 6
GOAWAY = 7
WINDOW_UPDATE = 8
CONTINUATION = 9
KNOWN_TYPES = 10

END_STREAM = 1
ACK = 1
END_HEADERS = 4
PADDED = 8
PRIORITY_FLAG = 32

NO_ERROR = 0
PROTOCOL_ERROR = 1
INTERNAL_ERROR = 2
FLOW_CONTROL_ERROR = 3
STREAM_CLOSED = 5
FRAME_SIZE_ERROR = 6
REFUSED_STREAM = 7
COMPRESSION_ERROR = 9
CONNECT_ERROR = 10
ENHANCE_YOUR_CALM = 11

HEADER_TABLE_SIZE = 1
ENABLE_PUSH = 2
MAX_CONCURRENT_STREAMS = 3
INITIAL_WINDOW_SIZE = 4
MAX_FRAME_SIZE = 5
ENABLE_CONNECT_PROTOCOL = 8

frameHeader = Struct(">HBBBI")
"""Length (its upper 16 and lower 8 bits), type, flags, stream."""
number = Struct(">I")

setting = Struct(">HI")
"""Identifier, value."""
_reset = Struct(">HBBBII")
_goAway = Struct(">HBBBIII")


def headersFrames(streamID: int, block: bytes, ended: bool, most: int) -> bytes:
    """HEADERS, and CONTINUATIONs for what is above `most` bytes."""
    size = len(block)
    flags = END_STREAM if ended else 0
    if size <= most:
        header = frameHeader.pack(size >> 8, size & 255, HEADERS, flags | END_HEADERS, streamID)
        return header + block
    pieces = [frameHeader.pack(most >> 8, most & 255, HEADERS, flags, streamID), block[:most]]
    for start in range(most, size, most):
        piece = block[start : start + most]
        flags = END_HEADERS if start + most >= size else 0
        length = len(piece)
        pieces.append(frameHeader.pack(length >> 8, length & 255, CONTINUATION, flags, streamID))
        pieces.append(piece)
    return b"".join(pieces)


def rstStream(streamID: int, code: int) -> bytes:
    """RST_STREAM."""
    return _reset.pack(0, 4, RST_STREAM, 0, streamID, code)


def windowUpdate(streamID: int, increment: int) -> bytes:
    """WINDOW_UPDATE; stream 0 is the connection."""
    return _reset.pack(0, 4, WINDOW_UPDATE, 0, streamID, increment)


def ping(opaque: bytes, ack: bool) -> bytes:
    """PING; opaque is 8 bytes."""
    return frameHeader.pack(0, 8, PING, 1 if ack else 0, 0) + opaque


def goAway(lastStreamID: int, code: int) -> bytes:
    """GOAWAY without debug data."""
    return _goAway.pack(0, 8, GOAWAY, 0, 0, lastStreamID, code)


def settings(pairs: tuple[tuple[int, int], ...]) -> bytes:
    """SETTINGS with these (identifier, value) pairs, in this order."""
    body = b"".join(setting.pack(identifier, value) for identifier, value in pairs)
    return frameHeader.pack(len(body) >> 8, len(body) & 255, SETTINGS, 0, 0) + body


def unpad(data: bytes, start: int, stop: int) -> tuple[int, int]:
    """
    Where the body is in a padded DATA frame's payload.

    Raises:
        ConnectionFailure: the padding is longer than the payload.
    """
    if start == stop:
        raise ConnectionFailure(FRAME_SIZE_ERROR)
    end = stop - data[start]
    if end <= start:
        raise ConnectionFailure(PROTOCOL_ERROR)
    return start + 1, end


def stripHeaders(flags: int, streamID: int, data: bytes, start: int, stop: int) -> tuple[int, int]:
    """
    Where the block is in a HEADERS frame's payload with padding or priority.

    Raises:
        ConnectionFailure: it is too short for them, or the stream depends on itself.
    """
    fixed = (1 if flags & PADDED else 0) + (5 if flags & PRIORITY_FLAG else 0)
    if stop - start < fixed:
        raise ConnectionFailure(FRAME_SIZE_ERROR)
    if flags & PADDED:
        stop -= data[start]
    start += fixed
    if stop < start:
        raise ConnectionFailure(PROTOCOL_ERROR)
    if flags & PRIORITY_FLAG and number.unpack_from(data, start - 5)[0] & LAST_STREAM == streamID:
        raise ConnectionFailure(PROTOCOL_ERROR)
    return start, stop
