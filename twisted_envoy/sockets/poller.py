"""
Watches sockets for a reactor: an epoll set of its own inside the reactor's.

A reactor tells of one descriptor at a time, each as an event by itself. This one takes all that a
poll found as one event: what they caused in the process is delivered, and what they wrote is sent,
when all were told. Many small writes then go out together, and who waits for them on another
processor is woken once instead of many times.

    epoll says                  descriptor hears
    readable, writable          doRead, doWrite
    gone, with nothing to read  connectionLost, as from a reactor; it is watched no more

Rules are those of twisted.internet.epollreactor. For connected sockets there is less to do: they
are watched once, with edges (`Edges`), so that the kernel is called once for each of them however
often it pauses, resumes or waits for the peer to take its bytes. One that has more to read than
it takes in one turn asks for another one; all others have theirs first.
"""

from __future__ import annotations

import select
from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.sockets.events import EdgeSocket, SocketReactor, failureOf
from twisted_envoy.sockets.lingering import Patience
from twisted_envoy.sockets.outbox import Outbox

_log = Logger("connection")

_MOST = 256
"""Descriptors that are told in one event."""

_ROUNDS = 8
"""
Turns of those who ask for more of them, before the reactor does something else; where several have
news at a time, more has come meanwhile, and is looked for as often.
"""

_MANY = 64
"""So many that have news are told in a time that others shall not have to wait again."""

_EDGES = 0
if hasattr(select, "EPOLLET"):
    _EDGES = select.EPOLLET | select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP


def watcherFor(reactor: Any, turn: TurnQueue) -> SocketReactor:
    """What sockets register with: a Poller where the reactor is one of epoll, else the reactor."""
    if hasattr(select, "epoll"):
        from twisted.internet.epollreactor import EPollReactor

        if isinstance(reactor, EPollReactor):
            return Poller(reactor, turn)
    watcher: SocketReactor = reactor
    return watcher


@implementer(IReadDescriptor)
class Poller:
    """
    An epoll set that a reactor watches as one descriptor, for as long as it is not empty.

    Args:
        reactor: provides IReactorFDSet and IReactorTime.
        turn: of that reactor.
    """

    def __init__(self, reactor: Any, turn: TurnQueue) -> None:
        self._reactor = reactor
        self._turn = turn
        self._epoll = select.epoll()
        self._masks: dict[int, int] = {}
        self._owners: dict[int, Any] = {}
        self._edges: dict[int, EdgeSocket] = {}
        self._again: list[EdgeSocket] = []
        self._soon: IDelayedCall | None = None
        self._inside = False
        self.rounds = 0
        self.outbox = Outbox()
        self.patience = Patience(reactor)
        self.callLater = reactor.callLater

    # What sockets call, as of a reactor.

    def addReader(self, reader: Any) -> None:
        """Tell reader when there is something to read."""
        self._add(reader, select.EPOLLIN)

    def addWriter(self, writer: Any) -> None:
        """Tell writer when it can write."""
        self._add(writer, select.EPOLLOUT)

    def removeReader(self, reader: Any) -> None:
        """Not any more."""
        self._remove(reader, select.EPOLLIN)

    def removeWriter(self, writer: Any) -> None:
        """Not any more."""
        self._remove(writer, select.EPOLLOUT)

    def _add(self, owner: Any, event: int) -> None:
        fd = owner.fileno()
        masks = self._masks
        before = masks.get(fd, 0)
        if before and self._owners[fd] is not owner:
            before = self._forget(fd)
        if before & event:
            return
        if before:
            self._epoll.modify(fd, before | event)
        else:
            try:
                self._epoll.register(fd, event)
            except FileExistsError:  # it was watched for edges before
                self._epoll.modify(fd, event)
            self._begin()
        masks[fd] = before | event
        self._owners[fd] = owner

    def _remove(self, owner: Any, event: int) -> None:
        fd = owner.fileno()
        before = self._masks.get(fd, 0)
        if not before & event or self._owners[fd] is not owner:
            return
        left = before & ~event
        if left:
            self._masks[fd] = left
            self._epoll.modify(fd, left)
            return
        del self._masks[fd], self._owners[fd]
        self._epoll.unregister(fd)
        self._end()

    def _begin(self) -> None:
        if not (self._masks or self._edges):
            self._reactor.addReader(self)

    def _end(self) -> None:
        if not (self._masks or self._edges):
            self._reactor.removeReader(self)
            self._again.clear()
            self.patience.stop()
            if self._soon is not None:
                self._soon.cancel()
                self._soon = None

    def _forget(self, fd: int) -> int:
        """Its owner closed it without a word, and the number is another's now."""
        try:
            self._epoll.unregister(fd)
        except OSError:
            pass  # the kernel knows already
        del self._masks[fd], self._owners[fd]
        return 0

    # What connected sockets call (`Edges`).

    def watch(self, fd: int, owner: EdgeSocket) -> None:
        """See Edges."""
        if fd in self._masks:
            self._forget(fd)
        try:
            self._epoll.register(fd, _EDGES)
        except FileExistsError:
            self._epoll.modify(fd, _EDGES)
        if not self._masks:
            self._begin()
        self._edges[fd] = owner

    def keep(self, fd: int, owner: EdgeSocket) -> None:
        """See Edges."""
        if fd in self._masks:
            self._forget(fd)
        if not self._masks:
            self._begin()
        self._edges[fd] = owner

    def handOver(self, fd: int, owner: EdgeSocket) -> None:
        """See Edges."""
        self._edges[fd] = owner

    def forget(self, fd: int) -> None:
        """See Edges."""
        if self._edges.pop(fd, None) is not None and not self._masks:
            self._end()

    def again(self, owner: EdgeSocket) -> None:
        """The owner gets another turn, after all others; it asks once for each."""
        self._again.append(owner)
        if not self._inside and self._soon is None:
            self._soon = self._reactor.callLater(0, self._goOn)

    # What the reactor calls.

    def fileno(self) -> int:
        """Of the epoll set."""
        return self._epoll.fileno()

    def logPrefix(self) -> str:
        """What Twisted's log calls it."""
        return "connections"

    def doRead(self) -> None:
        """Tell everybody whom there is something to tell."""
        rounds = _ROUNDS
        turn = self._turn
        self._inside = True
        try:
            told = self._round()
            while rounds and (self._again or (1 < told < _MANY and not turn.isWaitedFor)):
                rounds -= 1
                told = self._round()
        finally:
            self._inside = False
        if self._again and self._soon is None:
            self._soon = self._reactor.callLater(0, self._goOn)

    def _goOn(self) -> None:
        self._soon = None
        if self._again:
            self.doRead()

    def _round(self) -> int:
        """
        All that is new, then those who asked for another turn: one event.

        Returns:
            How many had news.
        """
        turn = self._turn
        edges = self._edges
        self.rounds += 1
        news = self._epoll.poll(0, _MOST)
        outbox = self.outbox
        outbox.isOpen = len(news) + len(self._again) > 1
        turn.enter()
        try:
            for fd, events in news:
                edge = edges.get(fd)
                if edge is not None:
                    try:
                        edge.ready(events)
                    except Exception:
                        self._raised(edge)
                elif fd in self._owners:
                    self._guarded(fd, events)
            if self._again:
                again, self._again = self._again, []
                for edge in again:
                    try:
                        edge.goOn()
                    except Exception:
                        self._raised(edge)
            if outbox.waiting:
                outbox.empty()
        finally:
            turn.leave()
            if outbox.isOpen:
                outbox.isOpen = False
                if outbox.waiting:
                    turn.enter()
                    outbox.empty()
                    turn.leave()
        return len(news)

    def _raised(self, edge: EdgeSocket) -> None:
        """It let an exception out: it ends, and nobody else does."""
        _log.failure("a connection raised; it is closed")
        try:
            edge.connectionLost(Failure())  # type: ignore[no-untyped-call]
        except Exception:
            _log.failure("connectionLost of a connection raised")

    def _guarded(self, fd: int, events: int) -> None:
        owner = self._owners[fd]
        try:
            self._tell(owner, fd, events)
        except Exception:
            _log.failure("a descriptor raised; it is watched no more")
            self._lose(owner, fd, Failure())  # type: ignore[no-untyped-call]

    def _tell(self, owner: Any, fd: int, events: int) -> None:
        if events & select.EPOLLIN:
            owner.doRead()
            if events & select.EPOLLOUT and fd in self._owners:
                owner.doWrite()
        elif events & (select.EPOLLHUP | select.EPOLLERR):
            reads = self._masks[fd] & select.EPOLLIN
            self._lose(owner, fd, failureOf(ConnectionDone() if reads else ConnectionLost()))
        elif events & select.EPOLLOUT:
            owner.doWrite()

    def _lose(self, owner: Any, fd: int, reason: Failure) -> None:
        if self._owners.get(fd) is owner:
            self.removeReader(owner)
            self.removeWriter(owner)
        try:
            owner.connectionLost(reason)
        except Exception:
            _log.failure("connectionLost of a descriptor raised")

    def connectionLost(self, reason: Failure) -> None:
        """The reactor stops, and does not watch us any more: so do all who are here."""
        owners = list(self._owners.items())
        edges = list(self._edges.values())
        self._masks.clear()
        self._owners.clear()
        self._edges.clear()
        self._again.clear()
        for fd, _ in owners:
            self._epoll.unregister(fd)
        for fd, owner in owners:
            self._lose(owner, fd, reason)
        for edge in edges:
            try:
                edge.connectionLost(reason)
            except Exception:
                _log.failure("connectionLost of a descriptor raised")
