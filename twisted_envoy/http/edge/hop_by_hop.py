"""
Headers of one connection, which are not passed on.

Envoy: Utility::sanitizeConnectionHeader, ConnectionManagerUtility::mutateRequestHeaders
"""

from __future__ import annotations

from twisted_envoy.codec.headers import HeaderMap

_MAX_NAMED = 10
_MAX_TE = 256
_KNOWN_TOKENS = frozenset((b"close", b"http2-settings", b"keep-alive", b"upgrade"))
NAMES_NOTHING = frozenset(
    (b"keep-alive", b"Keep-Alive", b"close", b"Close", b"upgrade", b"Upgrade")
)
"""Usual values of `connection` that no header is named in."""

_NOT_TO_BE_NAMED = frozenset((b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"))
_HOST = b"host"


def isUpgrade(headers: HeaderMap) -> bool:
    """Does a request ask for, or a response say, an upgrade?"""
    if b"upgrade" not in headers:
        return False
    connection = headers.joined(b"connection")
    if connection is None:
        return False
    if connection in (b"Upgrade", b"upgrade"):
        return True
    return any(token.strip() == b"upgrade" for token in connection.lower().split(b","))


def sanitizeConnection(headers: HeaderMap) -> bool:
    """
    Remove the headers that `connection` names.

    Returns:
        False when it names what no client may hide; the request is refused then.
    """
    value = headers.joined(b"connection") or b""
    tokens = [token.strip() for token in value.split(b",") if token.strip()]
    if len(tokens) >= _MAX_NAMED:
        return False
    kept = []
    for token in tokens:
        name = token.lower()
        if name in _KNOWN_TOKENS:
            kept.append(token)
        elif name in _NOT_TO_BE_NAMED or name.startswith(b":"):
            return False
        elif name == b"te":
            if len(headers.get(b"te", b"")) >= _MAX_TE:
                return False
            sanitizeTE(headers)
        elif name != b"connection":
            headers.remove(b":authority" if name == _HOST else name)
    if kept and len(kept) == len(tokens):
        headers.set(b"connection", value)  # as it was spelt
    elif kept:
        headers.set(b"connection", b",".join(kept))
    else:
        headers.remove(b"connection")
    return True


def sanitizeTE(headers: HeaderMap) -> None:
    """Only `trailers` is left of `te`."""
    value = headers.joined(b"te")
    if value is None:
        return
    if any(token.strip() == b"trailers" for token in value.split(b",")):
        headers.set(b"te", b"trailers")
    else:
        headers.remove(b"te")
