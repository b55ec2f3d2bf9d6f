"""A connection that a Twisted reactor makes."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet import error
from twisted.internet.address import IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IConnector, IReactorUNIX
from twisted.internet.protocol import ClientFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_envoy.sockets.addresses import isAbstract
from twisted_envoy.sockets.connecting import Waiting, bindSource, tellFailed
from twisted_envoy.sockets.events import SocketContext, failureOf
from twisted_envoy.sockets.interfaces import ConnectOptions
from twisted_envoy.sockets.transports.stream import TransportStream

_log = Logger("connection")


class TransportAttempt(ClientFactory):
    """
    One attempt to connect; a ConnectAttempt. The rules are those of `ConnectingSocket`.

    Args:
        user: makes the protocol, and is told; of `start` it need only be a factory.
    """

    noisy = False

    def __init__(self, address: IAddress, user: Any, context: SocketContext) -> None:
        self.address = address
        self._user: Any = user
        self._context = context
        self._over = False
        self._connector: IConnector | None = None
        self._stream: TransportStream | None = None

    def start(self, options: ConnectOptions) -> Deferred[Any]:
        """
        Begin.

        Returns:
            Fires with the protocol; fails with a ConnectError that carries `osError`.
        """
        waiting = Waiting(self._user, self, self.address)
        self._user = waiting
        self.begin(options)
        return waiting.done

    def begin(self, options: ConnectOptions) -> None:
        """Begin; the user is told, perhaps before this returns."""
        reactor: Any = self._context.reactor
        address: Any = self.address
        source = options.sourceAddress
        if isinstance(self.address, UNIXAddress):
            source = None
            if not IReactorUNIX.providedBy(reactor):
                self._fail(failureOf(error.ConnectError(string="no Unix sockets here")))  # type: ignore[no-untyped-call]
                return
            problem = _missing(address.name)
            if problem is not None:
                self._fail(failureOf(_connectError(problem)))
                return
            connectUNIX: Any = reactor.connectUNIX
            self._connector = connectUNIX(address.name, self, None)
        else:
            host = address.host
            if isinstance(address, IPv6Address) and "%" not in host and address.scopeID:
                host = f"{host}%{address.scopeID}"
            self._connector = reactor.connectTCP(host, address.port, self, None)
        if (options.options or source is not None) and not self._over:
            try:
                self._prepare(options, source)
            except error.ConnectBindError as problem:
                self._fail(failureOf(problem))
            except OSError as problem:
                self._fail(failureOf(_connectError(problem)))

    def _prepare(self, options: ConnectOptions, source: tuple[str, int] | None) -> None:
        """It connects in a moment: the socket is there, and not yet used."""
        transport: Any = getattr(self._connector, "transport", None)
        handle: socket.socket = transport.getHandle()
        for level, option, value in options.options:
            handle.setsockopt(level, option, value)
        if source is not None:
            bindSource(handle, source)

    def cancel(self) -> None:
        """Nobody wants the connection any more, and nobody is told."""
        self._over = True
        self._user = None
        self._stop()

    def _stop(self) -> None:
        connector, self._connector = self._connector, None
        if connector is not None:
            try:
                connector.stopConnecting()
            except error.NotConnectingError:
                pass  # it is in the middle of it, and ends what it makes

    def _fail(self, problem: Failure) -> None:
        if not self._over:
            self._over = True
            user, self._user = self._user, None
            self._stop()
            tellFailed(user, problem)

    # What the reactor calls.

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """There is none."""
        self._connector = None
        turn = self._context.turn
        turn.enter()
        try:
            self._fail(reason)
        finally:
            turn.leave()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """There is a connection: what lies between it and the user's protocol."""
        self._connector = None
        if self._over:
            return None
        turn = self._context.turn
        turn.enter()
        try:
            protocol: Any = self._user.buildProtocol(self.address)
        except Exception:
            self._fail(Failure())  # type: ignore[no-untyped-call]
            return None
        finally:
            turn.leave()
        if self._over:
            return None
        if protocol is None:
            self._fail(failureOf(error.NoProtocol()))
            return None
        self._stream = TransportStream(protocol, self._context, self._began)
        return self._stream

    def _began(self, problem: Failure | None) -> None:
        """makeConnection of the user's protocol has returned."""
        stream, self._stream = self._stream, None
        assert stream is not None
        if self._over:  # cancelled from inside
            stream.abortConnection()
            return
        self._over = True
        user, self._user = self._user, None
        if problem is not None:
            tellFailed(user, problem)
            return
        try:
            user.connected(stream.protocol)
        except Exception:
            _log.failure("whoever wanted a connection raised; it is closed")
            stream.abortConnection()


def _missing(name: bytes | None) -> OSError | None:
    """What is known of a path without connecting."""
    if not isAbstract(name):
        try:
            os.stat(name or b"")
        except OSError as problem:
            return problem
    return None


def _connectError(problem: OSError) -> error.ConnectError:
    number = problem.errno or 0
    found: error.ConnectError = error.getConnectError((number, os.strerror(number)))  # type: ignore[no-untyped-call]
    return found
