"""
Which `referer` values are passed on: absolute and relative URLs without a fragment.

Envoy: Utility::isValidRefererValue
"""

from __future__ import annotations

import re

from twisted_envoy.http.edge.detection import readAddress

_ABSOLUTE = re.compile(
    rb"[A-Za-z][A-Za-z0-9+\-.]*://(?:[A-Za-z0-9\-.]+|\[([0-9A-Fa-f:.]+)\])(?::([0-9]+))?"
    rb"(?:[/?][!-\"$-~]*)?\Z"
)
_RELATIVE = re.compile(rb"[!$%&'()*+,\-.0-9;=?@A-Z_a-z~]*(?:/[!$%&'()*+,\-./0-9:;=?@A-Z_a-z~]*)?\Z")

_PORT_DIGITS = 5
_LAST_PORT = 0xFFFF


def isReferer(value: bytes) -> bool:
    """Is it a URL?"""
    if _RELATIVE.match(value):
        return True
    found = _ABSOLUTE.match(value)
    if found is None:
        return False
    address, port = found.groups()
    if address is not None and readAddress(address) is None:
        return False
    digits = (port or b"").lstrip(b"0")
    return len(digits) <= _PORT_DIGITS and int(digits or b"0") <= _LAST_PORT
