"""
What both directions of HPACK share: the static table and how numbers are written.

RFC 7541, section 5.1 and appendix A
"""

from __future__ import annotations

Field = tuple[bytes, bytes]

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
