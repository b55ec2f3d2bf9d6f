"""
What HTTP says and gRPC understands, and the other way round.

Envoy: source/common/grpc/common.cc, status.cc
"""

from __future__ import annotations

from twisted_envoy.codec.headers import HeaderMap

CONTENT_TYPE = b"application/grpc"
DEADLINE_EXCEEDED = 4
_CODE_OF_STATUS = {
    **{0: 200, 1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400},
    **{10: 409, 11: 400, 12: 501, 13: 500, 14: 503, 15: 500, 16: 401},
}
_GRPC_UNITS = {
    b"H": 3600.0,
    b"M": 60.0,
    b"S": 1.0,
    b"m": 1e-3,
    b"u": 1e-6,
    b"n": 1e-9,
}


def codeOfStatus(status: int) -> int:
    """The HTTP status code that a gRPC status stands for."""
    return _CODE_OF_STATUS.get(status, 500)


def percentEncode(text: bytes) -> bytes:
    """A `grpc-message`: `%`, `~` and what is not printable ASCII are escaped."""
    if text.isascii() and text.isalnum():
        return text
    made = bytearray()
    for byte in text:
        if 0x20 <= byte < 0x7E and byte != 0x25:
            made.append(byte)
        else:
            made += b"%%%02X" % byte
    return bytes(made)


def grpcTimeout(headers: HeaderMap) -> float | None:
    """Seconds that `grpc-timeout` allows; None when it is not there or not understood."""
    value = headers.get(b"grpc-timeout")
    if value is None or len(value) < 2 or len(value) > 9 or not value[:-1].isdigit():
        return None
    unit = _GRPC_UNITS.get(value[-1:])
    if unit is None:
        return None
    return max(int(value[:-1]) * unit, 0.001 if int(value[:-1]) else 0.0)


def grpcTimeoutText(milliseconds: int) -> bytes:
    """A grpc-timeout: at most eight digits and a unit."""
    number, unit = milliseconds, b"m"
    for divisor, bigger in ((1000, b"S"), (60, b"M"), (60, b"H")):
        if number <= 99_999_999:
            break
        number //= divisor
        unit = bigger
    return b"%d%s" % (min(number, 99_999_999), unit)
