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

_NAMED_PORT = 4  # the number of Envoy's enumerator, which is in its text
_MAX_PATH = 108  # sizeof sockaddr_un.sun_path, on Linux


def buildAddress(address: View, hint: str = "") -> IAddress:
    """
    The address that a config names.

    Args:
        hint: what Envoy adds to these errors.
    Raises:
        ConfigError: it is none.
    """
    kind = address.which("address")
    if kind == "pipe":
        return _pipeAddress(address.pipe, hint)
    if kind == "envoy_internal_address":
        internal = address.envoy_internal_address
        return InternalAddress(internal.server_listener_name, internal.endpoint_id)
    return socketAddress(address.socket_address, hint)


def socketAddress(config: View, hint: str = "") -> IPv4Address | IPv6Address:
    """
    An IP address with its port; whether it is for UDP is the caller's business.

    Raises:
        ConfigError: malformed, with a named port, or with a resolver that nobody knows.
    """
    host: str = config.address
    config.moot("protocol", "who may not have UDP has looked")
    if config.resolver_name not in ("", "envoy.ip"):
        problem = f"Unknown address resolver: {config.resolver_name}{hint}"
        raise config.error(problem, "resolver_name")
    if config.which("port_specifier") == "named_port":
        problem = f"IP resolver can't handle port specifier type {_NAMED_PORT}{hint}"
        raise config.error(problem, "named_port")
    port: int = config.port_value
    if isIPAddress(host):
        return IPv4Address("TCP", host, port)
    six = _canonicalIPv6(host) if ":" in host else None
    if six is None:
        raise config.error(f"malformed IP address: {host}{hint}", "address")
    return IPv6Address("TCP", six, port)


def isUDP(address: View) -> bool:
    """Is this the address of a datagram socket?"""
    if address.which("address") != "socket_address":
        return False
    return bool(address.socket_address.protocol == "UDP")


def _pipeAddress(config: View, hint: str) -> UNIXAddress:
    """A Unix socket's address; a leading @ is the abstract name space."""
    path: str = config.path_
    isAbstract = path.startswith("@")
    if isAbstract and config.mode:
        problem = f"Cannot set mode for Abstract AF_UNIX sockets{hint}"
        raise config.error(problem, "mode")
    name = (("\0" + path[1:]) if isAbstract else path).encode()
    if len(name) >= _MAX_PATH + isAbstract:
        raise config.error(
            f'Path "{path}" exceeds maximum UNIX domain socket path size of {_MAX_PATH}.{hint}',
            "path",
        )
    return UNIXAddress(name)


def _canonicalIPv6(host: str) -> str | None:
    """The shortest text of an IPv6 address, with its scope as a number; None when it is none."""
    bare, percent, scope = host.partition("%")
    try:
        text = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, bare))
        if percent:
            index = int(scope) if scope.isdecimal() else socket.if_nametoindex(scope)
            return f"{text}%{index}"
    except OSError:
        return None
    return text
