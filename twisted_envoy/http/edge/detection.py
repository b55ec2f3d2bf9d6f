"""
Whom a request comes from: `x-forwarded-for` and other headers.

Envoy: Utility::getLastAddressFromXFF, Http::OriginalIPDetection
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.refusal import Refusal
from twisted_envoy.network.cidr import CIDRTable, ipKey
from twisted_envoy.state.stream_info import StreamInfo

XFF = b"x-forwarded-for"


class Detected:
    """
    What was found.

    Args:
        address: of the client; trusted: it may make the request an internal one.
        skipsAppend: our peer's address need not join `x-forwarded-for`.
    """

    __slots__ = ("address", "skipsAppend", "trusted")

    def __init__(self, address: IAddress | None, trusted: bool, skipsAppend: bool = True) -> None:
        self.address = address
        self.trusted = trusted
        self.skipsAppend = skipsAppend


Detector = Callable[[HeaderMap, StreamInfo], "Detected | Refusal"]
"""What an extension of the category `http.original_ip_detection` builds."""


def readAddress(text: bytes) -> IPv4Address | IPv6Address | None:
    """An address without a port; None when it is none. Its port is 0."""
    if b"." in text and b":" not in text:
        try:
            packed = socket.inet_pton(socket.AF_INET, text.decode("ascii"))
        except (OSError, ValueError):
            return None
        return IPv4Address("TCP", socket.inet_ntop(socket.AF_INET, packed), 0)
    address, percent, zone = text.partition(b"%")
    try:
        packed = socket.inet_pton(socket.AF_INET6, address.decode("ascii"))
    except (OSError, ValueError):
        return None
    return IPv6Address("TCP", socket.inet_ntop(socket.AF_INET6, packed) + _zone(percent, zone), 0)


def _zone(percent: bytes, zone: bytes) -> str:
    return (percent + zone).decode("latin-1") if zone else ""


def lastAddress(value: bytes | None, skip: int) -> tuple[IAddress | None, bool]:
    """
    The client as `x-forwarded-for` has it.

    Args:
        value: of the header. skip: so many entries from the right are our own proxies.
    Returns:
        The address, None for none; and whether it is the only entry.
    """
    if value is None:
        return None, False
    entries = value.rsplit(b",", skip + 1)
    if len(entries) <= skip:
        return None, False
    address = readAddress(entries[-1 - skip].strip(b" \t"))
    return address, address is not None and len(entries) == 1


def xffDetector(hops: int, skipsAppend: bool = True) -> Detector:
    """Take the address that is `hops` from the right end."""

    def detect(headers: HeaderMap, connection: StreamInfo) -> Detected:
        address, trusted = lastAddress(headers.joined(XFF), hops)
        return Detected(address, trusted, skipsAppend)

    return detect


def cidrDetector(trusted: CIDRTable[bool], skipsAppend: bool = True) -> Detector:
    """Take the last address that is not in `trusted`, from peers that are."""

    def detect(headers: HeaderMap, connection: StreamInfo) -> Detected:
        if not isIn(trusted, connection.remoteAddress):
            return Detected(None, False, False)
        value = headers.joined(XFF)
        entries = [each.strip(b" \t") for each in (value or b"").split(b",") if each.strip(b" \t")]
        address = _lastStranger(entries, trusted)
        return Detected(address, address is not None and len(entries) == 1, skipsAppend)

    return detect


def _lastStranger(entries: Sequence[bytes], trusted: CIDRTable[bool]) -> IAddress | None:
    address: IAddress | None = None
    for entry in reversed(entries):
        address = readAddress(entry)
        if address is None or not isIn(trusted, address):
            break
    return address


def isIn(table: CIDRTable[bool], address: IAddress | None) -> bool:
    """Is it an IP address of one of these prefixes?"""
    key = ipKey(address)
    return key is not None and table.find(key) is not None
