"""Values that join what a header has."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.network.cidr import LOOPBACKS, ipKey

XFF = b"x-forwarded-for"


def append(headers: HeaderMap, name: bytes, value: bytes, separator: bytes = b", ") -> None:
    """Join a value to what a header has."""
    given = headers.joined(name)
    headers.set(name, given + separator + value if given else value)


def appendXFF(headers: HeaderMap, peer: IAddress | None, localAddress: str) -> None:
    """Join our peer to x-forwarded-for; a loopback peer is written as this machine's address."""
    if isinstance(peer, (IPv4Address, IPv6Address)):
        text = localAddress if ipKey(peer) in LOOPBACKS else peer.host
        append(headers, XFF, text.encode("ascii"), b",")
