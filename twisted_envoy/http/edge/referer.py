"""
Which `referer` values are passed on: absolute and relative URLs without a fragment.

Envoy: Utility::isValidRefererValue
"""

from __future__ import annotations

import re
import socket

_ABSOLUTE = re.compile(
    rb"[A-Za-z][A-Za-z0-9+\-.]*://(?:[A-Za-z0-9\-.]+|\[([0-9A-Fa-f:.]+)\])(?::([0-9]+))?"
    rb"(?:[/?][!-\"$-~]*)?\Z"
)
_RELATIVE = re.compile(rb"[!$%&'()*+,\-.0-9;=?@A-Z_a-z~]*(?:/[!$%&'()*+,\-./0-9:;=?@A-Z_a-z~]*)?\Z")


def isReferer(value: bytes) -> bool:
    """Is it a URL?"""
    if _RELATIVE.match(value):
        return True
    found = _ABSOLUTE.match(value)
    if found is None:
        return False
    address, port = found.groups()
    if address is not None and not _isIPv6(address):
        return False
    return port is None or (len(port) < 20 and int(port) <= 0xFFFF)


def _isIPv6(text: bytes) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, text.decode("ascii"))
    except OSError:
        return False
    return True
