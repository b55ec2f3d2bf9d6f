"""
IP prefixes: reading them and finding the longest one that an address is in.

Follows Envoy's `CidrRange` (config.core.v3.CidrRange): a prefix length that is too long for its
address family is cut, a missing one is 0, bits behind the prefix are ignored.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Generic, TypeVar

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from twisted_envoy.values import dataclass

T = TypeVar("T")

V4 = 32
V6 = 128
_MAPPED = 0xFFFF
_NO_ADDRESS = (V4, 0xFFFFFFFF)

AddressKey = tuple[int, int]
"""Bits of the family (32 or 128) and the address as a number."""

LOOPBACKS: frozenset[AddressKey] = frozenset(((V4, 0x7F000001), (V6, 1)))
"""127.0.0.1 and ::1: what Envoy takes for loopback; 127.0.0.2 is not."""


@dataclass(frozen=True, slots=True)
class CIDR:
    """A prefix: family (32 or 128 bits), the address with the host bits cleared, prefix length."""

    bits: int
    network: int
    length: int

    def contains(self, key: AddressKey) -> bool:
        """Is an address in it?"""
        bits, address = key
        shift = bits - self.length
        return bits == self.bits and address >> shift << shift == self.network


def parseAddress(text: str) -> AddressKey:
    """
    Read an IP address as Envoy does: dotted quad or IPv6, a zone (`%eth0`) is dropped.

    Raises:
        ValueError: with Envoy's text, `malformed IP address: ...`.
    """
    try:
        return V4, int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except (OSError, ValueError):
        pass
    try:
        packed = socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
    except (OSError, ValueError):
        raise ValueError(f"malformed IP address: {text}") from None
    return V6, int.from_bytes(packed, "big")


def parseCIDR(prefix: str, length: int | None) -> CIDR:
    """
    Make a prefix of a CidrRange's two fields.

    Raises:
        ValueError: the address cannot be read.
    """
    bits, address = parseAddress(prefix)
    kept = min(length or 0, bits)
    return CIDR(bits, address >> (bits - kept) << (bits - kept), kept)


def ipKey(address: IAddress | None) -> AddressKey | None:
    """An IP address as a number, an IPv4-mapped one as IPv4; None for every other kind."""
    if isinstance(address, IPv4Address):
        return parseAddress(address.host)
    if isinstance(address, IPv6Address):
        key = parseAddress(address.host)
        return (V4, key[1] & 0xFFFFFFFF) if key[1] >> 32 == _MAPPED else key
    return None


def matchKey(address: IAddress | None) -> AddressKey:
    """As `ipKey`; what is no IP address is matched as 255.255.255.255, as in Envoy."""
    return ipKey(address) or _NO_ADDRESS


class CIDRTable(Generic[T]):
    """
    Longest-prefix match over a fixed set of prefixes.

    Args:
        entries: (prefix, value); each prefix once.
        catchAll: what is found for an address that is in none of them; None for nothing.
    """

    __slots__ = ("_byFamily", "catchAll")

    def __init__(self, entries: Iterable[tuple[CIDR, T]], catchAll: T | None = None) -> None:
        lengths: dict[int, dict[int, dict[int, T]]] = {V4: {}, V6: {}}
        for cidr, value in entries:
            lengths[cidr.bits].setdefault(cidr.length, {})[cidr.network] = value
        self._byFamily = {
            bits: [(bits - length, networks) for length, networks in sorted(found.items())[::-1]]
            for bits, found in lengths.items()
        }
        self.catchAll = catchAll

    def find(self, key: AddressKey) -> T | None:
        """The value of the longest prefix that the address is in."""
        bits, address = key
        for shift, networks in self._byFamily[bits]:
            value = networks.get(address >> shift << shift)
            if value is not None:
                return value
        return self.catchAll
