"""The endpoints of Twisted's transports, and the ISocketInterface that makes them."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.address import UNIXAddress
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
from twisted_envoy.sockets.endpoints import SocketServerEndpoint
from twisted_envoy.sockets.events import SocketContext, SocketReactor
from twisted_envoy.sockets.interfaces import ConnectOptions, ISocketInterface, ListenOptions
from twisted_envoy.sockets.transports.connecting import TransportAttempt
from twisted_envoy.sockets.transports.listening import TransportPort


@implementer(IStreamServerEndpoint)
class TransportServerEndpoint:
    """Lets the reactor listen at a kernel address."""

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
        port = TransportPort(self._address, self._options, factory, self._context, self._given)
        port.startListening()
        return port


@implementer(IStreamClientEndpoint)
class TransportClientEndpoint:
    """Lets the reactor connect to a kernel address."""

    def __init__(self, address: IAddress, options: ConnectOptions, context: SocketContext) -> None:
        self._address = address
        self._options = options
        self._context = context

    def begin(self, user: ConnectUser) -> ConnectAttempt:
        """One new connection for a user."""
        attempt = TransportAttempt(self._address, user, self._context)
        attempt.begin(self._options)
        return attempt

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """One new connection; see `ConnectingSocket` for when it fires."""
        return TransportAttempt(self._address, factory, self._context).start(self._options)


@implementer(ISocketInterface)
class TransportSockets:
    """
    Sockets in Twisted's transports.

    Args:
        reactor: provides IReactorTCP; for Unix sockets IReactorUNIX; for options of listening
            sockets IReactorSocket.
        turn: the reactor's TurnQueue (`internal.getRegistry(reactor).turn`).
    """

    def __init__(self, reactor: SocketReactor, turn: TurnQueue) -> None:
        self._context = SocketContext(reactor, turn)

    def serverEndpoint(self, address: IAddress, options: ListenOptions) -> IStreamServerEndpoint:
        return TransportServerEndpoint(address, options, self._context)

    def adoptingEndpoint(
        self, address: IAddress, options: ListenOptions, given: socket.socket
    ) -> IStreamServerEndpoint:
        """
        One that accepts from a socket which listens already.

        Twisted's Unix ports shut such a socket down for all who have it and remove its path; so
        these come by our own way.
        """
        if isinstance(address, UNIXAddress):
            return SocketServerEndpoint(address, options, self._context, given)
        return TransportServerEndpoint(address, options, self._context, given)

    def clientEndpoint(self, address: IAddress, options: ConnectOptions) -> IStreamClientEndpoint:
        return TransportClientEndpoint(address, options, self._context)

    def close(self) -> None:
        """Stop waiting for peers of connections that were closed."""
        for waiting in list(self._context.lingering):
            waiting.close()
