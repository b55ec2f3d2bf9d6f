"""A connection that is being made."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IProtocolFactory,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.internal.interfaces import ConnectAttempt
from twisted_envoy.sockets.addresses import familyOf, toSocketName
from twisted_envoy.sockets.events import SocketContext, failureOf
from twisted_envoy.sockets.interfaces import ConnectOptions
from twisted_envoy.sockets.stale import isStale
from twisted_envoy.sockets.stream import StreamSocket

_log = Logger("connection")

_NON_BLOCKING: int = getattr(socket, "SOCK_NONBLOCK", 0)  # saves a call
_KIND = socket.SOCK_STREAM | _NON_BLOCKING
_IPV4 = int(socket.AF_INET)
_UNIX = int(socket.AF_UNIX)
_TCP = int(socket.IPPROTO_TCP)
_NODELAY = int(socket.TCP_NODELAY)
_UNDER_WAY = frozenset({0, errno.EINPROGRESS})
_CONNECTED = frozenset({0, errno.EISCONN})
_STILL_UNDER_WAY = frozenset({errno.EALREADY, errno.EINPROGRESS})


_WRITABLE = 0x004
_FAILED = 0x008 | 0x010
_ENDED = 0x001 | 0x2000
"""Bits of epoll."""


@implementer(IReadDescriptor, IWriteDescriptor)
class ConnectingSocket:
    """
    One attempt to connect.

    The attempt is confirmed after the reactor's next poll, never inside `begin`; what fails at once
    has failed when that returns, or when the round is over (`outbox`). Edges tell of the kernel's
    answer by themselves. Without them the kernel is asked after one poll, by when a near peer has
    answered, and only a connection that is still under way is watched. There is no timeout here:
    whoever waits cancels.

    Args:
        user: makes the protocol, and is told; of `start` it need only be a factory.
    """

    __slots__ = (
        "__weakref__",
        "address",
        "_begun",
        "_context",
        "_over",
        "_sock",
        "_user",
        "_watched",
    )

    def __init__(self, address: IAddress, user: Any, context: SocketContext) -> None:
        self.address = address
        self._user: Any = user
        self._context = context
        self._sock: socket.SocketType | None = None
        self._watched = False
        self._over = False
        self._begun = 0

    def start(self, options: ConnectOptions) -> Deferred[Any]:
        """
        Begin.

        Returns:
            Fires with the protocol; fails with a ConnectError that carries `osError`, and `atOnce`
            when the kernel refused to try; with ConnectBindError when the source is not ours.
        """
        waiting = Waiting(self._user, self, self.address)
        self._user = waiting
        self.begin(options)
        return waiting.done

    def begin(self, options: ConnectOptions) -> None:
        """Begin; the user is told, perhaps before this returns."""
        try:
            self._sock = _newSocket(self.address, options)
        except error.ConnectBindError:
            self._fail(Failure())  # type: ignore[no-untyped-call]
            return
        except OSError as problem:
            self._fail(_problem(problem.errno or 0))
            return
        outbox = self._context.outbox
        if outbox.isOpen:
            outbox.waiting.append(self)
        else:
            self.goOut()

    def raised(self) -> None:
        """See Sender."""
        self._fail(Failure())  # type: ignore[no-untyped-call]

    def goOut(self) -> None:
        """Connect, now that the round is over."""
        sock = self._sock
        if sock is None:
            return
        address = self.address
        edges = self._context.edges
        try:
            if address.__class__ is IPv4Address:
                code = sock.connect_ex((address.host, address.port))
            else:
                code = sock.connect_ex(toSocketName(address))
        except OSError as problem:
            code = problem.errno or 0
        if code not in _UNDER_WAY:
            refusal: Any = _problem(code)
            refusal.value.atOnce = True
            self._fail(refusal)
        elif edges is None:
            self._context.turn.afterPoll(self._ask, ahead=True)
        else:
            self._begun = edges.rounds
            edges.watch(sock.fileno(), self)

    def cancel(self) -> None:
        """Nobody wants the connection any more, and nobody is told."""
        self._over = True
        self._user = None
        self._drop()

    def _ask(self) -> None:
        """One poll later: a connect() of what is connecting tells how far it is."""
        sock = self._sock
        if sock is None:
            return
        code = sock.connect_ex(toSocketName(self.address))
        if code in _CONNECTED:
            self._connected(sock)
        elif code in _STILL_UNDER_WAY:
            self._watched = True
            self._context.reactor.addWriter(self)
        else:
            self._fail(_problem(code))

    def ready(self, events: int) -> None:
        """The kernel has an answer."""
        sock = self._sock
        edges = self._context.edges
        if sock is None or edges is None or edges.rounds == self._begun:
            return  # in the round of its beginning it is another's, who had the number before
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if events & _FAILED else 0
        if code:
            self._fail(_problem(code))
        elif events & _WRITABLE:
            self._connected(sock, events)

    def goOn(self) -> None:
        """Never asked for."""

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
            if self._context.edges is None:
                self._watched = True
                self._context.reactor.addWriter(self)
            return
        code = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._context.turn.enter()
        try:
            self._fail(_problem(code))
        finally:
            self._context.turn.leave()

    def _connected(self, sock: socket.SocketType, events: int = 0) -> None:
        if self._watched:
            self._unwatch()
        user = self._user
        try:
            protocol: Any = user.buildProtocol(self.address)
        except Exception:
            self._fail(Failure())  # type: ignore[no-untyped-call]
            return
        if self._over:
            return
        if protocol is None:
            self._fail(failureOf(error.NoProtocol()))
            return
        self._sock = None
        stream = StreamSocket(sock, self._context, None, self.address)
        problem = stream.begin(protocol, self._context.edges is not None)
        if self._over:  # cancelled from inside makeConnection
            stream.abortConnection()
            return
        self._over = True
        self._user = None
        if problem is not None:
            tellFailed(user, problem)
            return
        try:
            user.connected(protocol)
        except Exception:
            _log.failure("whoever wanted a connection raised; it is closed")
            stream.abortConnection()
            return
        if events & _ENDED:
            stream.ready(events)

    def _fail(self, problem: Failure) -> None:
        self._drop()
        if not self._over:
            self._over = True
            user, self._user = self._user, None
            tellFailed(user, problem)

    def _drop(self) -> None:
        sock = self._sock
        if sock is not None:
            self._unwatch()
            if self._context.edges is not None:
                self._context.edges.forget(sock.fileno())
            sock.close()
            self._sock = None

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            self._context.reactor.removeWriter(self)


class Waiting:
    """Waits with a Deferred for a connection whose protocol a factory makes."""

    __slots__ = ("_address", "_attempt", "_factory", "done")

    def __init__(
        self, factory: IProtocolFactory, attempt: ConnectAttempt, address: IAddress
    ) -> None:
        self._address = address
        self._factory = factory
        self._attempt = attempt
        self.done: Deferred[Any] = Deferred(self._cancel)

    def buildProtocol(self, addr: IAddress) -> Any:
        return self._factory.buildProtocol(addr)

    def connected(self, protocol: Any) -> None:
        self.done.callback(protocol)

    def connectFailed(self, reason: Failure) -> None:
        self.done.errback(reason)

    def _cancel(self, done: Deferred[Any]) -> None:
        self._attempt.cancel()
        cancelled = error.ConnectingCancelledError(self._address)  # type: ignore[no-untyped-call]
        done.errback(cancelled)


def tellFailed(user: Any, problem: Failure) -> None:
    """Tell whoever wanted a connection; what they raise is logged."""
    try:
        user.connectFailed(problem)
    except Exception:
        _log.failure("whoever wanted a connection raised")


def _newSocket(address: IAddress, options: ConnectOptions) -> socket.SocketType:
    family = _IPV4 if address.__class__ is IPv4Address else familyOf(address)
    sock = socket.SocketType(family, _KIND)
    try:
        if not _NON_BLOCKING:
            sock.setblocking(False)
        if family != _UNIX:
            sock.setsockopt(_TCP, _NODELAY, 1)
        for level, option, value in options.options:
            sock.setsockopt(level, option, value)
        if options.sourceAddress is not None and family != _UNIX:
            bindSource(sock, options.sourceAddress)
    except Exception:
        sock.close()
        raise
    return sock


def bindSource(sock: socket.SocketType, address: tuple[str, int]) -> None:
    """
    Have a socket connect from an address.

    Raises:
        ConnectBindError: it cannot, with the kernel's error number.
    """
    try:
        sock.bind(address)
    except OSError as problem:
        code = problem.errno or 0
        if code < 0:  # the name is of the other family, and not even looked at
            code = errno.EAFNOSUPPORT
        raise error.ConnectBindError(code, os.strerror(code)) from None  # type: ignore[no-untyped-call]


def _problem(code: int) -> Failure:
    """The ConnectError of an error number, 0 for an attempt that was given up."""
    if not code:
        return failureOf(error.ConnectError())  # type: ignore[no-untyped-call]
    return failureOf(error.getConnectError((code, os.strerror(code))))  # type: ignore[no-untyped-call]
