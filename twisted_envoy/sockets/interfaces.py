"""The one seam through which all kernel sockets come."""

from __future__ import annotations

from twisted.internet.interfaces import (
    IAddress,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from zope.interface import Interface

from twisted_envoy.values import dataclass


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """
    How a listening socket is made.

    Attributes:
        backlog: connections that may wait to be accepted.
        reusePort: SO_REUSEPORT, Envoy's default: all that listen with it, of the same user, share
            the port and the kernel spreads connections over them. So a second server is not told
            that the port is in use; only a listener without it is.
        freebind: IP_FREEBIND (Linux).
        transparent: IP_TRANSPARENT (Linux).
        ipv4Compat: an IPv6 wildcard socket takes IPv4 connections too.
        pipeMode: permission bits of a Unix socket's path, 0 leaves them.
        acceptBatch: connections accepted before others get their turn.
        options: (level, name, value) for setsockopt before bind.
        boundOptions, listeningOptions: the same, after bind and after listen.
    """

    backlog: int = 128
    reusePort: bool = True
    freebind: bool = False
    transparent: bool = False
    ipv4Compat: bool = False
    pipeMode: int = 0
    acceptBatch: int = 64
    options: tuple[tuple[int, int, int | bytes], ...] = ()
    boundOptions: tuple[tuple[int, int, int | bytes], ...] = ()
    listeningOptions: tuple[tuple[int, int, int | bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """
    How a connection is made.

    Attributes:
        sourceAddress: (host, port) to bind before connecting, None for any.
        options: (level, name, value) for setsockopt before connecting.
    """

    sourceAddress: tuple[str, int] | None = None
    options: tuple[tuple[int, int, int | bytes], ...] = ()


class ISocketInterface(Interface):
    """
    Makes endpoints for kernel addresses.

    The transports of their connections provide `internal.IHalfCloseTransport`.
    """

    def serverEndpoint(address: IAddress, options: ListenOptions) -> IStreamServerEndpoint:
        """An endpoint whose `listen` binds at once; errors are CannotListenError."""

    def clientEndpoint(address: IAddress, options: ConnectOptions) -> IStreamClientEndpoint:
        """An endpoint whose `connect` makes a new connection each time."""
