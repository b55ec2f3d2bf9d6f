"""
Reads the header of the PROXY protocol from a connection's first bytes.

    bytes                                   what they are
    16 or more, the signature               version 2
    16 or more, not `PROXY ` either         no header
    a line, wherever it ends                version 1
    109 or more without an end of line      no header

What is refused is what Envoy refuses: unknown families and transports, lengths that are too small,
addresses that are not unicast. An AF_UNIX header is refused too.

Envoy: source/extensions/filters/listener/proxy_protocol
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from ipaddress import IPv4Address as IPv4
from ipaddress import IPv6Address as IPv6
from typing import NamedTuple

from twisted.internet.address import IPv4Address, IPv6Address

from twisted_envoy.codec.proxy_protocol import SIGNATURE, TLV

LONGEST = 16 + 0xFFFF
"""Bytes of the longest header."""

_WORD = b"PROXY "
_HEAD = 16
_LONGEST_LINE = 108
_LOCAL, _PROXY = 0, 1
_SIZES = {1: 4, 2: 16}
_TRANSPORTS = (1, 2)
_PORT = re.compile(r"[\t\n\v\f\r]*\+?([0-9]{1,20})[\t\n\v\f\r]*")
_BROADCAST = IPv4("255.255.255.255")

Address = IPv4Address | IPv6Address


class ProxyProtocolProblem(ValueError):
    """
    This is no header, or one that cannot be obeyed.

    Attributes:
        version: of the header, 0 when it is none.
        tlvs: those that come before the one that cannot be read.
    """

    def __init__(self, version: int, tlvs: tuple[TLV, ...] = ()) -> None:
        super().__init__(f"malformed header, version {version}")
        self.version = version
        self.tlvs = tlvs


class ProxyHeader(NamedTuple):
    """
    What a header says; both addresses are None when it is about the connection itself.

    Attributes:
        size: bytes that it takes.
        source: who connected; target: where to.
        tlvs: extensions in their order.
    """

    size: int
    source: Address | None = None
    target: Address | None = None
    tlvs: tuple[TLV, ...] = ()


def mayBegin(data: bytes, versions: Collection[int]) -> bool:
    """Can these first bytes still become a header of one of the versions?"""
    return any(
        start.startswith(data[: len(start)])
        for version, start in ((1, _WORD), (2, SIGNATURE))
        if version in versions
    )


def headerVersion(data: bytes) -> int | None:
    """
    Tell the version of a header from a connection's first bytes.

    Returns:
        1 or 2; None as long as it cannot be told.
    Raises:
        ProxyProtocolProblem: it is none.
    """
    if len(data) >= _HEAD:
        if data.startswith(SIGNATURE):
            return 2
        if not data.startswith(_WORD):
            raise ProxyProtocolProblem(0)
    if data.startswith(b"\r\n"):
        return None
    if b"\r\n" in data:
        return 1
    if len(data) > _LONGEST_LINE:
        raise ProxyProtocolProblem(0)
    return None


def readHeader(data: bytes, version: int) -> ProxyHeader | None:
    """
    Read a header whose version was told.

    Returns:
        None as long as it is not complete.
    Raises:
        ProxyProtocolProblem: it cannot be obeyed.
    """
    return _readLine(data) if version == 1 else _readBinary(data)


def _readLine(data: bytes) -> ProxyHeader:
    size = data.index(b"\r\n") + 2
    words = data[: size - 2].decode("latin-1").rstrip(" ").split(" ")
    if size > _LONGEST_LINE or len(words) < 2 or words[0] != "PROXY":
        raise ProxyProtocolProblem(1)
    if words[1] == "UNKNOWN":
        return ProxyHeader(size)
    if len(words) != 6 or words[1] not in ("TCP4", "TCP6"):
        raise ProxyProtocolProblem(1)
    try:
        kind = IPv4 if words[1] == "TCP4" else IPv6
        source = _address(kind(_withoutName(words[2])), _port(words[4]))
        target = _address(kind(_withoutName(words[3])), _port(words[5]))
    except ValueError:
        raise ProxyProtocolProblem(1) from None
    return ProxyHeader(size, source, target)


def _withoutName(host: str) -> str:
    """A zone in its number."""
    plain, percent, zone = host.partition("%")
    if not percent:
        return plain
    try:
        return f"{plain}%{zone if zone.isdecimal() else socket.if_nametoindex(zone)}"
    except OSError:
        raise ValueError(host) from None


def _port(text: str) -> int:
    found = _PORT.fullmatch(text)
    number = int(found[1]) if found else -1
    if not 0 <= number <= 0xFFFF:
        raise ValueError(text)
    return number


def _address(address: IPv4 | IPv6, port: int) -> Address:
    """
    Make it Twisted's.

    Raises:
        ValueError: it is not unicast.
    """
    if address.is_multicast or address.is_unspecified or address == _BROADCAST:
        raise ValueError(str(address))
    if isinstance(address, IPv4):
        return IPv4Address("TCP", str(address), port)
    zone = address.scope_id
    host = socket.inet_ntop(socket.AF_INET6, address.packed)
    return IPv6Address("TCP", f"{host}%{zone}" if zone else host, port)


def _readBinary(data: bytes) -> ProxyHeader | None:
    version, command = data[12] >> 4, data[12] & 15
    family, transport = data[13] >> 4, data[13] & 15
    size = _HEAD + int.from_bytes(data[14:16], "big")
    if version != 2 or command not in (_LOCAL, _PROXY):
        raise ProxyProtocolProblem(2)
    if command == _LOCAL:
        return ProxyHeader(size) if len(data) >= size else None
    each = _SIZES.get(family)
    if each is None or transport not in _TRANSPORTS or size < _HEAD + 2 * each + 4:
        raise ProxyProtocolProblem(2)
    if len(data) < size:
        return None
    middle, end = _HEAD + each, _HEAD + 2 * each
    tlvs = _readTLVs(data[end + 4 : size])
    kind = IPv4 if family == 1 else IPv6
    try:
        source = _address(kind(data[_HEAD:middle]), int.from_bytes(data[end : end + 2], "big"))
        target = _address(kind(data[middle:end]), int.from_bytes(data[end + 2 : end + 4], "big"))
    except ValueError:
        raise ProxyProtocolProblem(2, tlvs) from None
    return ProxyHeader(size, source, target, tlvs)


def _readTLVs(data: bytes) -> tuple[TLV, ...]:
    found: list[TLV] = []
    at = 0
    while at < len(data):
        end = at + 3 + int.from_bytes(data[at + 1 : at + 3], "big")
        if at + 3 > len(data) or end > len(data):
            raise ProxyProtocolProblem(2, tuple(found))
        found.append((data[at], data[at + 3 : end]))
        at = end
    return tuple(found)
