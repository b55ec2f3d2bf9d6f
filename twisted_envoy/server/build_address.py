"""From `config.core.v3.Address` to Twisted's addresses."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from twisted.internet.abstract import isIPAddress
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from twisted_envoy.internal.address import InternalAddress

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


def buildAddress(address: View, hint: str = "") -> IAddress:
    """
    The address that a config names.

    Args:
        hint: what Envoy adds to the text about an address that is no IP address.
    Raises:
        ConfigError: it is none.
    """
    kind = address.which("address")
    if kind == "pipe":
        return pipeAddress(address.pipe.path_)
    if kind == "envoy_internal_address":
        internal = address.envoy_internal_address
        return InternalAddress(internal.server_listener_name, internal.endpoint_id)
    return socketAddress(address.socket_address, hint)


def socketAddress(config: View, hint: str = "") -> IPv4Address | IPv6Address:
    """
    An IP address with its port.

    Raises:
        ConfigError: malformed, UDP, or with a named port.
    """
    host: str = config.address
    if config.protocol != "TCP":
        raise config.error("UDP is not implemented by twisted_envoy", "protocol")
    if config.which("port_specifier") == "named_port":
        raise config.error("named ports need a resolver, which is not implemented", "named_port")
    port: int = config.port_value
    if isIPAddress(host):
        return IPv4Address("TCP", host, port)
    if ":" in host and _isIPv6(host):
        return IPv6Address("TCP", host, port)
    raise config.error(f"malformed IP address: {host}{hint}", "address")


def pipeAddress(path: str) -> UNIXAddress:
    """A Unix socket's address; a leading @ is the abstract name space."""
    name = "\0" + path[1:] if path.startswith("@") else path
    return UNIXAddress(name.encode())


def _isIPv6(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    except OSError:
        return False
    return True
