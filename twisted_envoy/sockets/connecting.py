"""A connection that is being made."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IProtocolFactory,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.sockets.addresses import familyOf, toSocketName
from twisted_envoy.sockets.events import SocketContext
from twisted_envoy.sockets.interfaces import ConnectOptions
from twisted_envoy.sockets.stale import isStale
from twisted_envoy.sockets.stream import StreamSocket

_NON_BLOCKING: int = getattr(socket, "SOCK_NONBLOCK", 0)  # saves a call
_UNDER_WAY = frozenset({0, errno.EINPROGRESS})
_CONNECTED = frozenset({0, errno.EISCONN})
_STILL_UNDER_WAY = frozenset({errno.EALREADY, errno.EINPROGRESS})


@implementer(IReadDescriptor, IWriteDescriptor)
class ConnectingSocket:
    """
    One attempt to connect.

    The attempt is confirmed after the reactor's next poll, never inside `start`; what fails at once
    has failed when `start` returns. By then a near peer has answered, so the kernel is asked, and
    only a connection that is still under way is watched. There is no timeout here: whoever waits
    cancels the Deferred.
    """

    __slots__ = ("__weakref__", "_address", "_context", "_done", "_factory", "_sock", "_watched")

    def __init__(
        self, address: IAddress, factory: IProtocolFactory, context: SocketContext
    ) -> None:
        self._address = address
        self._factory = factory
        self._context = context
        self._sock: socket.socket | None = None
        self._watched = False
        self._done: Deferred[Any] = Deferred(self._cancel)

    def start(self, options: ConnectOptions) -> Deferred[Any]:
        """
        Begin.

        Returns:
            Fires with the protocol; fails with a ConnectError that carries `osError`.
        """
        try:
            self._sock = _newSocket(self._address, options)
            code = self._sock.connect_ex(toSocketName(self._address))
        except OSError as problem:
            self._fail(_problem(problem.errno or 0))
            return self._done
        if code in _UNDER_WAY:
            self._context.turn.afterPoll(self._ask, ahead=True)
        else:
            self._fail(_problem(code))
        return self._done

    def _ask(self) -> None:
        """One poll later: a connect() of what is connecting tells how far it is."""
        sock = self._sock
        if sock is None:
            return
        code = sock.connect_ex(toSocketName(self._address))
        if code in _CONNECTED:
            self._connected(sock)
        elif code in _STILL_UNDER_WAY:
            self._watched = True
            self._context.reactor.addWriter(self)
        else:
            self._fail(_problem(code))

    def fileno(self) -> int:
        """The descriptor, -1 when there is none any more."""
        return -1 if self._sock is None else self._sock.fileno()

    def logPrefix(self) -> str:
        """What Twisted's log calls it."""
        return "connecting"

    def doWrite(self) -> None:
        """The kernel has an answer."""
        sock = self._sock
        if sock is None:
            return
        self._context.turn.enter()
        try:
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                self._fail(_problem(code))
            else:
                self._connected(sock)
        finally:
            self._context.turn.leave()

    def doRead(self) -> None:
        """Meant for another socket, see `stale`: this one never asked to read."""

    def connectionLost(self, reason: Failure) -> None:
        """The reactor saw an error on the descriptor, or it stops."""
        if self._sock is None:
            return
        if isStale(self._sock, reason):
            self._watched = True
            self._context.reactor.addWriter(self)
            return
        code = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._context.turn.enter()
        try:
            self._fail(_problem(code))
        finally:
            self._context.turn.leave()

    def _connected(self, sock: socket.socket) -> None:
        self._unwatch()
        self._sock = None
        done = self._done
        try:
            protocol: Any = self._factory.buildProtocol(self._address)
        except Exception:
            sock.close()
            if not done.called:
                done.errback()
            return
        if protocol is None or done.called:
            sock.close()
            if not done.called:
                done.errback(error.NoProtocol())
            return
        stream = StreamSocket(sock, self._context, None, self._address)
        problem = stream.begin(protocol)
        if done.called:  # cancelled from inside makeConnection
            stream.abortConnection()
        elif problem is not None:
            done.errback(problem)
        else:
            done.callback(protocol)

    def _fail(self, problem: Exception) -> None:
        self._drop()
        if not self._done.called:
            self._done.errback(problem)

    def _cancel(self, done: Deferred[Any]) -> None:
        self._drop()
        cancelled = error.ConnectingCancelledError(self._address)  # type: ignore[no-untyped-call]
        done.errback(cancelled)

    def _drop(self) -> None:
        if self._sock is not None:
            self._unwatch()
            self._sock.close()
            self._sock = None

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            self._context.reactor.removeWriter(self)


def _newSocket(address: IAddress, options: ConnectOptions) -> socket.socket:
    family = familyOf(address)
    sock = socket.socket(family, socket.SOCK_STREAM | _NON_BLOCKING)
    try:
        if not _NON_BLOCKING:
            sock.setblocking(False)
        if family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for level, option, value in options.options:
            sock.setsockopt(level, option, value)
        if options.sourceAddress is not None and family != socket.AF_UNIX:
            sock.bind(options.sourceAddress)
    except OSError:
        sock.close()
        raise
    return sock


def _problem(code: int) -> Exception:
    """The ConnectError of an error number, 0 for an attempt that was given up."""
    if not code:
        return error.ConnectError()  # type: ignore[no-untyped-call]
    problem: Exception = error.getConnectError((code, os.strerror(code)))  # type: ignore[no-untyped-call]
    return problem
