"""
Hosts (`:authority`) without their port or their last dot.

Envoy: HeaderUtility::stripPortFromHost, stripTrailingHostDot
"""

from __future__ import annotations

_PORT_DIGITS = frozenset(b"0123456789")


def stripPort(host: bytes, only: int | None) -> bytes:
    """
    The host without its port.

    Args:
        only: strip no other port than this one; None strips any.
    """
    name, colon, port = host.rpartition(b":")
    if not colon or b"]" in port or not port or not _PORT_DIGITS.issuperset(port):
        return host
    number = int(port) if len(port) < 20 else -1
    if number < 0 or number > 0xFFFFFFFF or (only is not None and number != only):
        return host
    return name


def stripDot(host: bytes) -> bytes:
    """The host without the dot at its end, or before its port."""
    name, dot, rest = host.rpartition(b".")
    if dot and (not rest or rest.startswith(b":")):
        return name + rest
    return host
