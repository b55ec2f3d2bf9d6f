"""The endpoints of kernel sockets, and the ISocketInterface that makes them."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.defer import Deferred, execute
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocolFactory,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from zope.interface import implementer

from twisted_envoy.internal.interfaces import ConnectAttempt, ConnectUser
from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.sockets.connecting import ConnectingSocket
from twisted_envoy.sockets.events import SocketContext, SocketReactor
from twisted_envoy.sockets.interfaces import ConnectOptions, ISocketInterface, ListenOptions
from twisted_envoy.sockets.listening import ListeningSocket
from twisted_envoy.sockets.poller import Poller, watcherFor


@implementer(IStreamServerEndpoint)
class SocketServerEndpoint:
    """Listens on a kernel address: an IP address with a port, or a Unix socket."""

    def __init__(
        self,
        address: IAddress,
        options: ListenOptions,
        context: SocketContext,
        given: socket.socket | None = None,
    ) -> None:
        self._address = address
        self._options = options
        self._context = context
        self._given = given

    def listen(self, factory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Bind and listen now; the Deferred has fired when this returns."""
        return execute(self._listen, factory)

    def _listen(self, factory: IProtocolFactory) -> IListeningPort:
        port = ListeningSocket(self._address, self._options, factory, self._context, self._given)
        port.startListening()
        return port


@implementer(IStreamClientEndpoint)
class SocketClientEndpoint:
    """Connects to a kernel address."""

    def __init__(self, address: IAddress, options: ConnectOptions, context: SocketContext) -> None:
        self._address = address
        self._options = options
        self._context = context

    def begin(self, user: ConnectUser) -> ConnectAttempt:
        """One new connection for a user."""
        attempt = ConnectingSocket(self._address, user, self._context)
        attempt.begin(self._options)
        return attempt

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """One new connection; see `ConnectingSocket` for when it fires."""
        return ConnectingSocket(self._address, factory, self._context).start(self._options)


@implementer(ISocketInterface)
class ReactorSockets:
    """
    Sockets that a Twisted reactor watches.

    Args:
        reactor: provides IReactorFDSet and IReactorTime.
        turn: the reactor's TurnQueue (`internal.getRegistry(reactor).turn`).
    """

    def __init__(self, reactor: SocketReactor, turn: TurnQueue) -> None:
        watcher = watcherFor(reactor, turn)
        edges = watcher if isinstance(watcher, Poller) else None
        self._context = SocketContext(watcher, turn, edges)

    def serverEndpoint(self, address: IAddress, options: ListenOptions) -> IStreamServerEndpoint:
        return SocketServerEndpoint(address, options, self._context)

    def adoptingEndpoint(
        self, address: IAddress, options: ListenOptions, given: socket.socket
    ) -> IStreamServerEndpoint:
        """One that accepts from a socket which listens already, and closes it at its end."""
        return SocketServerEndpoint(address, options, self._context, given)

    def clientEndpoint(self, address: IAddress, options: ConnectOptions) -> IStreamClientEndpoint:
        return SocketClientEndpoint(address, options, self._context)

    def close(self) -> None:
        """Stop waiting for peers of connections that were closed; close idle pipes."""
        self._context.pipes.close()
        for waiting in list(self._context.lingering):
            waiting.close()
