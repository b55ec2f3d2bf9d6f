"""
What both directions of HPACK share: the static table, and how numbers are written and read.

RFC 7541, section 5.1 and appendix A
"""

from __future__ import annotations

from twisted_envoy.codec.h2.failures import ConnectionFailure
from twisted_envoy.codec.h2.frames import COMPRESSION_ERROR

Field = tuple[bytes, bytes]

_MOST_NUMBER = 1 << 31

_VALUES = {
    b":method": (b"GET", b"POST"),
    b":path": (b"/", b"/index.html"),
    b":scheme": (b"http", b"https"),
    b":status": (b"200", b"204", b"206", b"304", b"400", b"404", b"500"),
    b"accept-encoding": (b"gzip, deflate",),
}
_NAMES = (
    b":authority :method :path :scheme :status accept-charset accept-encoding accept-language "
    b"accept-ranges accept access-control-allow-origin age allow authorization cache-control "
    b"content-disposition content-encoding content-language content-length content-location "
    b"content-range content-type cookie date etag expect expires from host if-match "
    b"if-modified-since if-none-match if-range if-unmodified-since last-modified link location "
    b"max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after server "
    b"set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate"
).split()

STATIC: tuple[Field, ...] = (
    (b"", b""),
    *((name, value) for name in _NAMES for value in _VALUES.get(name, (b"",))),
)
"""Entries 1 to 61; 0 is none."""
FIRST_DYNAMIC = 62
ENTRY_BYTES = 32
"""What an entry of the dynamic table takes beside its texts."""


def number(value: int, mask: int, first: int) -> bytes:
    """
    A number behind the upper bits of its first byte.

    Args:
        mask: the bits of the first byte that are the number's.
        first: the others.
    """
    if value < mask:
        return bytes((first | value,))
    digits = bytearray((first | mask,))
    value -= mask
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def readNumber(block: bytes, position: int, mask: int) -> tuple[int, int]:
    """
    A number that begins in the lower bits of a byte, and where it ends.

    Args:
        mask: the bits of the first byte that are the number's.
    Raises:
        ConnectionFailure: it is too large. IndexError: it has no end.
    """
    value = block[position] & mask
    position += 1
    if value < mask:
        return value, position
    shift = 0
    while True:
        digit = block[position]
        position += 1
        value += (digit & 0x7F) << shift
        if digit < 0x80:
            return value, position
        shift += 7
        if shift > 28 or value > _MOST_NUMBER:
            raise ConnectionFailure(COMPRESSION_ERROR)
