"""
Kernel sockets of ours for any Twisted application: no bootstrap is needed.

    from twisted_envoy.endpoints import socketsOf

    port = await socketsOf(reactor).serverEndpoint(address, ListenOptions()).listen(factory)

and the endpoint strings `sockets:`, where Twisted has `tcp:` and `unix:`:

    sockets:8080                                  a server at every IPv4 address
    sockets:8080:interface=127.0.0.1:backlog=50   with those names that `tcp:` has
    sockets:port=80:host=192.0.2.1                a client; names are not looked up
    sockets:unix=/a/path                          either
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import (
    IAddress,
    IReactorCore,
    IStreamClientEndpoint,
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpoint,
    IStreamServerEndpointStringParser,
)
from twisted.plugin import IPlugin
from zope.interface import implementer

if TYPE_CHECKING:
    from twisted_envoy.sockets.interfaces import ISocketInterface

_SERVER = "sockets:PORT[:interface=ADDRESS][:backlog=N] or sockets:unix=PATH[:backlog=N]"
_CLIENT = "sockets:host=ADDRESS:port=PORT or sockets:unix=PATH"


def socketsOf(reactor: Any) -> ISocketInterface:
    """
    The kernel sockets of a reactor: always the same, made when they are asked for first.

    What arrives in one poll is one event, for these and for internal connections of the reactor.
    """
    from twisted_envoy.internal.registry import getRegistry
    from twisted_envoy.sockets.choosing import socketsFor

    registry = getRegistry(reactor)
    if registry.sockets is None:
        registry.sockets = socketsFor(reactor, registry.turn)
    return cast("ISocketInterface", registry.sockets)


@implementer(IPlugin, IStreamServerEndpointStringParser)
class SocketServerParser:
    """Parses `sockets:` for servers."""

    prefix = "sockets"

    def parseStreamServer(
        self, reactor: IReactorCore, *args: object, **kwargs: object
    ) -> IStreamServerEndpoint:
        """
        Raises:
            ValueError: there is no port or path, or an argument that is not known or wrong.
        """
        from twisted_envoy.sockets.interfaces import ListenOptions

        values = _parse(args, kwargs, ("port", "interface", "backlog", "unix"), _SERVER)
        backlog = _number("backlog", values.pop("backlog", "128"))
        address = _address(values, values.pop("interface", "") or "0.0.0.0", _SERVER)
        return socketsOf(reactor).serverEndpoint(address, ListenOptions(backlog=backlog))


@implementer(IPlugin, IStreamClientEndpointStringParserWithReactor)
class SocketClientParser:
    """Parses `sockets:` for clients."""

    prefix = "sockets"

    def parseStreamClient(
        self, reactor: IReactorCore, *args: object, **kwargs: object
    ) -> IStreamClientEndpoint:
        """
        Raises:
            ValueError: there is no address, or an argument that is not known or wrong.
        """
        from twisted_envoy.sockets.interfaces import ConnectOptions

        values = _parse(args, kwargs, ("host", "port", "unix"), _CLIENT)
        if "unix" not in values and "host" not in values:
            raise ValueError(f"a socket needs an address to connect to; write {_CLIENT}")
        address = _address(values, values.pop("host", ""), _CLIENT)
        return socketsOf(reactor).clientEndpoint(address, ConnectOptions())


def _parse(
    args: Sequence[object], kwargs: dict[str, object], allowed: tuple[str, ...], usage: str
) -> dict[str, str]:
    names = [name for name in allowed if name in ("host", "port")]
    if len(args) > len(names):
        raise ValueError(f"{args[len(names)]!r} is too much for a socket; write {usage}")
    values = dict(zip(names, map(str, args), strict=False))
    for key, value in kwargs.items():
        if key not in allowed or key in values:
            raise ValueError(f"unknown or second argument {key!r} of a socket; write {usage}")
        values[key] = str(value)
    return values


def _address(values: dict[str, str], host: str, usage: str) -> IAddress:
    path = values.pop("unix", None)
    if path is not None:
        if not path or values:
            raise ValueError(f"a Unix socket has a path and nothing else; write {usage}")
        return UNIXAddress(path)
    if "port" not in values:
        raise ValueError(f"a socket needs a port or a path; write {usage}")
    port = _number("port", values["port"])
    if isIPAddress(host):
        return IPv4Address("TCP", host, port)
    if isIPv6Address(host):
        return IPv6Address("TCP", host, port)
    raise ValueError(f"{host!r} is not an IP address; names are not looked up here")


def _number(what: str, text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError(f"the {what} of a socket must be a number up to 65535, not {text!r}")
    return int(text)
