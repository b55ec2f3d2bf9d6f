"""Between Twisted's addresses and those of the socket module."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

_MAPPED = "::ffff:"
_IPV4 = int(socket.AF_INET)
_blank = object.__new__


def familyOf(address: IAddress) -> socket.AddressFamily:
    """
    The socket family of an address.

    Raises:
        TypeError: no kernel socket has such an address.
    """
    if isinstance(address, IPv4Address):
        return socket.AF_INET
    if isinstance(address, IPv6Address):
        return socket.AF_INET6
    if isinstance(address, UNIXAddress):
        return socket.AF_UNIX
    raise TypeError(f"no kernel socket has the address {address}")


def toSocketName(address: IAddress) -> Any:
    """What bind() and connect() take."""
    if isinstance(address, IPv4Address):
        return (address.host, address.port)
    if isinstance(address, IPv6Address):
        host, _, zone = address.host.partition("%")
        scope = _zoneIndex(zone) if zone else address.scopeID
        return (host, address.port, address.flowInfo, int(scope))
    if isinstance(address, UNIXAddress):
        return address.name
    raise TypeError(f"no kernel socket has the address {address}")


def fromName(family: int, name: Any) -> IAddress:
    """
    A socket's name (of getsockname, accept, ...) as an address.

    An IPv4 peer of an IPv6 socket gets the IPv4 address that it has.
    """
    if family == _IPV4:
        return ipv4(name)
    if family == socket.AF_INET6:
        if name[0].startswith(_MAPPED) and "." in name[0]:
            return IPv4Address("TCP", name[0][len(_MAPPED) :], name[1])
        return IPv6Address("TCP", name[0], name[1], name[2], name[3])
    return UNIXAddress(name or None)


def ipv4(name: Any) -> IPv4Address:
    """The address of an IPv4 socket's name; what the constructor checks is known here."""
    address = _blank(IPv4Address)
    address.type = "TCP"
    address.host, address.port = name
    return address


def unmapped(address: IAddress) -> IAddress:
    """An address as a transport of Twisted's tells it, as `fromName` would."""
    if isinstance(address, IPv6Address):
        name = (address.host, address.port, address.flowInfo, int(address.scopeID or 0))
        return fromName(socket.AF_INET6, name)
    return address


def fromSocketName(sock: socket.SocketType) -> IAddress:
    """The local address of a socket."""
    family = sock.family
    name = sock.getsockname()
    return ipv4(name) if family == _IPV4 else fromName(family, name)


def isAbstract(name: Any) -> bool:
    """Whether the name of a Unix socket (as `toSocketName` gives it) is not a path."""
    return name is None or name.startswith(b"\0")


def _zoneIndex(zone: str) -> int:
    return int(zone) if zone.isdigit() else socket.if_nametoindex(zone)
