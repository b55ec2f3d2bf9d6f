"""
Upgrades in both spellings: HTTP/1.1's `GET` with `upgrade`, HTTP/2's extended CONNECT.

Filters see HTTP/1.1's. Nothing here is called for requests without an upgrade.

Envoy: Http::Utility::transformUpgrade*
"""

from __future__ import annotations

from twisted_envoy.codec.headers import HeaderMap

_CONNECT = b"CONNECT"
_PSEUDO = (b":authority", b":path", b":method", b":scheme", b":protocol")


def isUpgrade(headers: HeaderMap) -> bool:
    """Whether a message asks for, or agrees to, an upgrade in HTTP/1.1's spelling."""
    if b"upgrade" not in headers:
        return False
    connection = headers.joined(b"connection") or b""
    return any(token.strip() == b"upgrade" for token in connection.lower().split(b","))


def isExtendedConnect(headers: HeaderMap) -> bool:
    """Whether a request asks for an upgrade in HTTP/2's spelling."""
    return b":protocol" in headers and headers.get(b":method") == _CONNECT


def requestFromHTTP2(headers: HeaderMap) -> bytes:
    """
    Spell an extended CONNECT as HTTP/1.1 does, in place.

    Returns:
        The type of the upgrade, for responseToHTTP2.
    """
    protocol = headers[b":protocol"]
    headers.remove(b":protocol")
    headers.set(b":method", b"GET")
    headers.set(b"upgrade", protocol)
    headers.set(b"connection", b"upgrade")
    return protocol


def requestToHTTP2(headers: HeaderMap) -> HeaderMap:
    """
    The request as HTTP/2 spells it: upgrades as extended CONNECT, plain CONNECT without what
    HTTP/2 forbids there, pseudo-headers first.

    Returns:
        The same map when it is right as it is, else another one.
    """
    if headers.get(b":method") == _CONNECT:
        if b":protocol" not in headers:
            copy = headers.copy()
            copy.remove(b":path")
            copy.remove(b":scheme")
            return _pseudoFirst(copy)
    elif b"upgrade" in headers and isUpgrade(headers):
        copy = headers.copy()
        copy.set(b":method", _CONNECT)
        _withoutUpgrade(copy)
        names = [name for name in copy if name in _PSEUDO]
        if list(copy)[: len(names)] == names:  # it came over HTTP/2: in the client's order
            return _ordered(copy, names, headers[b"upgrade"])
        copy.set(b":protocol", headers[b"upgrade"])
        return _pseudoFirst(copy)
    return _pseudoFirst(headers)


def _pseudoFirst(headers: HeaderMap) -> HeaderMap:
    """HTTP/2 takes them only before all others; whoever sets one puts it at the end."""
    leading = 0
    for name in headers:
        if name not in _PSEUDO:
            break
        leading += 1
    present = [name for name in _PSEUDO if name in headers]
    return headers if leading == len(present) else _ordered(headers, present)


def _ordered(headers: HeaderMap, first: list[bytes], protocol: bytes = b"") -> HeaderMap:
    """Another map with these names first, and :protocol behind them if it has a value."""
    ordered = HeaderMap()
    for name in first:
        ordered[name] = headers[name]
    if protocol:
        ordered[b":protocol"] = protocol
    ordered.update(headers)
    ordered.more = headers.more
    ordered.cases = headers.cases
    return ordered


def responseToHTTP2(headers: HeaderMap) -> None:
    """Spell a 101 as HTTP/2 does, in place; another answer stays as it is."""
    if headers.get(b":status") == b"101":
        headers.set(b":status", b"200")
        _withoutUpgrade(headers)


def responseFromHTTP2(headers: HeaderMap, protocol: bytes) -> None:
    """Spell a 200 to an extended CONNECT as HTTP/1.1 does, in place."""
    if headers.get(b":status") == b"200":
        headers.set(b":status", b"101")
        headers.set(b"upgrade", protocol)
        headers.set(b"connection", b"upgrade")


def _withoutUpgrade(headers: HeaderMap) -> None:
    headers.remove(b"upgrade")
    headers.remove(b"connection")
    if headers.get(b"content-length") == b"0":
        headers.remove(b"content-length")
