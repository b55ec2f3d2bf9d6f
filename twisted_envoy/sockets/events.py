"""What sockets share: the events that they send, and the reactor and turn that they live in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_envoy.internal.turn import TurnQueue

_log = Logger("connection")


class Events(Protocol):
    """The events of a Twisted protocol; half-close ones only come to IHalfCloseableProtocols."""

    def makeConnection(self, transport: Any) -> None: ...

    def dataReceived(self, data: bytes) -> None: ...

    def readConnectionLost(self) -> None: ...

    def writeConnectionLost(self) -> None: ...

    def connectionLost(self, reason: Failure) -> None: ...


class _Nobody:
    """Hears the events of a connection that has no protocol any more."""

    __slots__ = ()

    def makeConnection(self, transport: Any) -> None:
        return

    def dataReceived(self, data: bytes) -> None:
        return

    def readConnectionLost(self) -> None:
        return

    def writeConnectionLost(self) -> None:
        return

    def connectionLost(self, reason: Failure) -> None:
        return


NOBODY: Events = _Nobody()


class SocketReactor(Protocol):
    """What sockets ask of a reactor: IReactorFDSet and IReactorTime."""

    def addReader(self, reader: Any) -> None: ...

    def removeReader(self, reader: Any) -> None: ...

    def addWriter(self, writer: Any) -> None: ...

    def removeWriter(self, writer: Any) -> None: ...

    def callLater(self, delay: float, callable: Any, *args: Any) -> IDelayedCall: ...


class SocketContext:
    """
    The reactor and turn of a set of sockets.

    Attributes:
        lingering: closed sockets that wait for their peers' end.
    """

    __slots__ = ("lingering", "reactor", "turn")

    def __init__(self, reactor: SocketReactor, turn: TurnQueue) -> None:
        self.reactor = reactor
        self.turn = turn
        self.lingering: set[Any] = set()


def tell(callback: Callable[..., object], *arguments: object) -> None:
    """Call somebody whose errors change nothing any more; they are logged."""
    try:
        callback(*arguments)
    except Exception:
        _log.failure("a callback raised while its connection was lost")


def failureOf(problem: Exception) -> Failure:
    """A Failure without a traceback."""
    return Failure(problem)  # type: ignore[no-untyped-call]


def lost(problem: OSError) -> Failure:
    """The ConnectionLost of what a system call said."""
    return failureOf(ConnectionLost(problem.strerror or str(problem)))
