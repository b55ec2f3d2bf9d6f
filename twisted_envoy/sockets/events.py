"""What sockets share: the events that they send, and the reactor and turn that they live in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.sockets.half_closing import HalfClosing
from twisted_envoy.sockets.outbox import CLOSED, Outbox
from twisted_envoy.sockets.splicing import Pipes

if TYPE_CHECKING:
    from twisted_envoy.sockets.lingering import Patience

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


class EdgeSocket(Protocol):
    """A connected socket that is told once of what is new."""

    def ready(self, events: int) -> None:
        """The kernel's news, as bits of epoll."""

    def goOn(self) -> None:
        """Its turn again, as it asked for with `again`."""

    def connectionLost(self, reason: Failure) -> None:
        """The reactor stops."""


class Edges(Protocol):
    """
    Watches connected sockets for as long as they are open, with one system call each.

    Nothing has to be said of pausing and resuming: news are told once, whoever wants to hear them
    or not, and a socket remembers what it has not used yet.

    Attributes:
        rounds: polls so far; what is told in one may be about who had the number before.
        patience: closes who lingers for too long.
    """

    rounds: int
    outbox: Outbox
    patience: Patience

    def watch(self, fd: int, owner: EdgeSocket) -> None:
        """News of fd are the owner's from now on; what is the case already is news too."""

    def keep(self, fd: int, owner: EdgeSocket) -> None:
        """Tell the owner of nothing but the reactor's end; it will ask to be watched."""

    def handOver(self, fd: int, owner: EdgeSocket) -> None:
        """What is watched belongs to another owner."""

    def forget(self, fd: int) -> None:
        """Tell nobody any more; fd is about to be closed, so the kernel is not told."""

    def again(self, owner: EdgeSocket) -> None:
        """Give owner another turn when all others had theirs."""


class SocketContext:
    """
    The reactor and turn of a set of sockets.

    Attributes:
        edges: watches connected sockets; None where the reactor does.
        pipes: for bulk.
        halfClosing: knows who is told of ends of stream.
        lingering: closed sockets that wait for their peers' end.
    """

    __slots__ = ("edges", "halfClosing", "lingering", "outbox", "pipes", "reactor", "turn")

    def __init__(self, reactor: SocketReactor, turn: TurnQueue, edges: Edges | None = None) -> None:
        self.reactor = reactor
        self.turn = turn
        self.edges = edges
        self.outbox = CLOSED if edges is None else edges.outbox
        self.pipes = Pipes()
        self.halfClosing = HalfClosing()
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
