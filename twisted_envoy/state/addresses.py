"""
Addresses as Envoy prints them.

Addresses themselves are Twisted's (`IPv4Address`, `IPv6Address`, `UNIXAddress`) and
`internal.InternalAddress`; these are the pure functions from them to text.
"""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from twisted_envoy.internal.address import InternalAddress


def addressText(address: IAddress | None) -> str:
    """
    The whole address: `127.0.0.1:80`, `[::1]:80`, `/a/path`, `envoy://name/id`.

    Returns:
        "" when there is no address.
    """
    if isinstance(address, IPv4Address):
        return f"{address.host}:{address.port}"
    if isinstance(address, IPv6Address):
        return f"[{address.host}]:{address.port}"
    if isinstance(address, UNIXAddress):
        return _pathText(address)
    return str(address) if address is not None else ""


def hostText(address: IAddress | None) -> str:
    """The address without its port; the whole text where there are no ports."""
    if isinstance(address, (IPv4Address, IPv6Address)):
        return address.host
    return addressText(address)


def portOf(address: IAddress | None) -> int | None:
    """The port of an IP address, None for every other kind."""
    return address.port if isinstance(address, (IPv4Address, IPv6Address)) else None


def endpointIDOf(address: IAddress | None) -> str:
    """The endpoint id of an internal address, "" for every other kind."""
    return address.endpointID if isinstance(address, InternalAddress) else ""


def _pathText(address: UNIXAddress) -> str:
    name = address.name
    if not name:
        return ""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else str(name)
    return "@" + text[1:] if text.startswith("\0") else text
