"""
Listening sockets of several workers: made and kept by the first process, inherited by the others.

With SO_REUSEPORT, Envoy's default, each worker has one of its own; of Unix sockets and without it
all have the same one. The first process keeps them: what waits in a queue while a worker is
started again is not lost.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from typing import Protocol

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, execute, succeed
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from zope.interface import implementer

from twisted_envoy.interfaces.sockets import ListenOptions
from twisted_envoy.server.workers.balance import isTaken, shareEvenly
from twisted_envoy.sockets.addresses import fromSocketName
from twisted_envoy.sockets.listening import listeningSocket, removePath

_LINUX = sys.platform == "linux"
"""Elsewhere the kernel does not share connections among sockets of one port."""

CLOSED = -1
"""Instead of a descriptor: nobody listens there any more."""


@implementer(IListeningPort)
class HeldPort:
    """
    The sockets of one address; it accepts nothing.

    Attributes:
        sockets: one for each worker, or one for all of them; empty once it has stopped.
    """

    def __init__(self, sockets: list[socket.socket]) -> None:
        self.sockets = sockets
        self._address = fromSocketName(sockets[0])

    def startListening(self) -> None:
        """They listen already."""

    def stopListening(self) -> Deferred[None]:
        """Close them here; workers close theirs."""
        sockets, self.sockets = self.sockets, []
        for one in sockets:
            one.close()
        if sockets:
            removePath(self._address)
        return succeed(None)

    def getHost(self) -> IAddress:
        """Where they listen, with the port that the kernel chose."""
        return self._address

    def descriptor(self, index: int) -> int:
        """The one of a worker, CLOSED when there is none."""
        if not self.sockets:
            return CLOSED
        return self.sockets[index % len(self.sockets)].fileno()


@implementer(IStreamServerEndpoint)
class _HoldingEndpoint:
    def __init__(self, address: IAddress, options: ListenOptions, owner: HeldSockets) -> None:
        self._address = address
        self._options = options
        self._owner = owner

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Bind now; errors are CannotListenError."""
        return execute(self._listen)

    def _listen(self) -> IListeningPort:
        sockets = listenTogether(self._address, self._options, self._owner.count)
        port = HeldPort(sockets)
        self._owner.ports.append(port)
        return port


class HeldSockets:
    """
    The first process's listening sockets.

    Args:
        count: of workers.
    Attributes:
        ports: of kernel addresses, in the order in which they were bound.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.ports: list[HeldPort] = []

    def serverEndpoint(self, address: IAddress, options: ListenOptions) -> IStreamServerEndpoint:
        """One whose `listen` binds, and accepts nothing."""
        return _HoldingEndpoint(address, options, self)

    def descriptors(self, index: int) -> list[int]:
        """What a worker inherits: one for each address, CLOSED where nobody listens any more."""
        return [port.descriptor(index) for port in self.ports]


def listenTogether(address: IAddress, options: ListenOptions, count: int) -> list[socket.socket]:
    """
    The sockets of so many workers at one address.

    Raises:
        CannotListenError: nothing is left open.
    """
    if isinstance(address, UNIXAddress) or not (options.reusePort and _LINUX):
        return [listeningSocket(address, options)]
    alone = not isTaken(address)
    sockets: list[socket.socket] = []
    try:
        for _ in range(count):
            sockets.append(listeningSocket(address, options))
            address = _withPort(address, sockets[0])
    except BaseException:
        for one in sockets:
            one.close()
        raise
    shareEvenly(sockets, alone)
    return sockets


def _withPort(address: IAddress, bound: socket.socket) -> IAddress:
    """The address with the port that the first socket was given."""
    if isinstance(address, (IPv4Address, IPv6Address)) and not address.port:
        return type(address)("TCP", address.host, bound.getsockname()[1])
    return address


@implementer(IListeningPort)
class _ClosedPort:
    """Where nobody listens any more."""

    def __init__(self, address: IAddress) -> None:
        self._address = address

    def startListening(self) -> None:
        """It never does."""

    def stopListening(self) -> Deferred[None]:
        """It has stopped."""
        return succeed(None)

    def getHost(self) -> IAddress:
        """As configured."""
        return self._address


@implementer(IStreamServerEndpoint)
class _ClosedEndpoint:
    def __init__(self, address: IAddress) -> None:
        self._address = address

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """A port that gets nothing."""
        return succeed(_ClosedPort(self._address))


class AdoptingSockets(Protocol):
    """ISocketInterface, as far as sockets that listen already go."""

    def adoptingEndpoint(
        self, address: IAddress, options: ListenOptions, given: socket.socket
    ) -> IStreamServerEndpoint:
        """One that accepts from a socket which listens already."""


class InheritedSockets:
    """
    A worker's listening sockets.

    Args:
        sockets: makes endpoints of them.
        descriptors: inherited, in the order in which addresses are bound.
    """

    def __init__(self, sockets: AdoptingSockets, descriptors: list[int]) -> None:
        self._sockets = sockets
        self._descriptors: Iterator[int] = iter(descriptors)

    def serverEndpoint(self, address: IAddress, options: ListenOptions) -> IStreamServerEndpoint:
        """The next address's."""
        descriptor = next(self._descriptors)
        if descriptor == CLOSED:
            return _ClosedEndpoint(address)
        given = socket.socket(fileno=descriptor)
        given.setblocking(False)
        return self._sockets.adoptingEndpoint(address, options, given)
