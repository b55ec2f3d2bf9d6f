"""Tests of twisted_envoy.sockets.socket_reader: what edges ask of it; see test_stream, too."""

from __future__ import annotations

import select
import socket
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.sockets.loopback import ANY_PORT
from tests.sockets.test_poller import EPollReactor, WatchingClock
from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.sockets.events import SocketContext
from twisted_envoy.sockets.poller import Poller
from twisted_envoy.sockets.stream import StreamSocket


@implementer(IHalfCloseableProtocol)
class Notes:
    """Notes what it hears; `then` is called after each chunk."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.then: Any = None
        self.transport: Any = None

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport

    def dataReceived(self, data: bytes) -> None:
        self.heard.append(data)
        if self.then is not None:
            self.then()

    def readConnectionLost(self) -> None:
        self.heard.append("end")

    def writeConnectionLost(self) -> None: ...

    def connectionLost(self, reason: Failure) -> None:
        self.heard.append(reason.type.__name__)


class CountingEpoll:
    """Counts what changes the set."""

    def __init__(self, epoll: Any) -> None:
        self._epoll = epoll
        self.changes = 0
        self.poll = epoll.poll
        self.fileno = epoll.fileno

    def register(self, fd: int, events: int) -> None:
        self.changes += 1
        self._epoll.register(fd, events)

    def modify(self, fd: int, events: int) -> None:
        self.changes += 1
        self._epoll.modify(fd, events)

    def unregister(self, fd: int) -> None:
        self.changes += 1
        self._epoll.unregister(fd)


class EdgeTestCase(SynchronousTestCase):
    """A Poller on a clock, and connections that it watches."""

    if EPollReactor is None:
        skip = "there is no epoll here"

    def setUp(self) -> None:
        self.clock = WatchingClock()
        turn = TurnQueue(self.clock)  # type: ignore[arg-type]
        self.poller = Poller(self.clock, turn)
        self.context = SocketContext(self.poller, turn, self.poller)

    def make(self) -> tuple[Notes, socket.socket]:
        """A connection with its protocol, and its peer's socket."""
        sock, peer = socket.socketpair()
        self.addCleanup(peer.close)
        for one in (sock, peer):
            one.setblocking(False)
        notes = Notes()
        stream = StreamSocket(sock, self.context, None, ANY_PORT)
        stream.begin(notes)
        self.addCleanup(self.end, stream)
        self.poller.doRead()
        return notes, peer

    def end(self, stream: StreamSocket) -> None:
        stream.abortConnection()
        self.clock.advance(0)


class EdgeTests(EdgeTestCase):
    def test_oneBusyStarvesNobody(self) -> None:
        """A thousand who have one byte are read while one has more than it can ever take."""
        busy, source = self.make()

        def refill() -> None:
            try:
                while True:
                    source.send(bytes(65536))
            except BlockingIOError:
                return

        busy.then = refill
        others = [self.make() for _ in range(1000)]
        refill()
        for _, peer in others:
            peer.send(b"x")

        for _ in range(4):  # of 256 each
            self.poller.doRead()

        self.assertEqual({tuple(notes.heard) for notes, _ in others}, {(b"x",)})
        self.assertGreater(len(busy.heard), 1)
        self.assertLess(len(busy.heard), 100)  # and each time the reactor has its turn

    def test_pausingCostsNoCall(self) -> None:
        """The kernel is called once, however often a connection pauses, resumes, or waits."""
        epoll = self.poller._epoll = CountingEpoll(self.poller._epoll)  # type: ignore[assignment]
        notes, peer = self.make()
        for _ in range(5):
            notes.transport.pauseProducing()
            notes.transport.resumeProducing()
            notes.transport.write(bytes(1024 * 1024))
            self.assertTrue(notes.transport.bufferedBytes)
            while notes.transport.bufferedBytes:
                peer.recv(1024 * 1024)
                self.poller.doRead()
        notes.transport.abortConnection()
        self.clock.advance(0)

        self.assertEqual(epoll.changes, 1)

    def test_newsWhilePaused(self) -> None:
        """What came while nobody read is read on resuming, though it is no news any more."""
        notes, peer = self.make()
        notes.transport.pauseProducing()
        peer.send(b"one")
        self.poller.doRead()
        self.poller.doRead()
        self.assertEqual(notes.heard, [])

        notes.transport.resumeProducing()
        self.assertEqual(notes.heard, [])
        self.clock.advance(0)

        self.assertEqual(notes.heard, [b"one"])

    def test_pausedInTheMiddle(self) -> None:
        """Who pauses at a chunk has the rest when it resumes, and the end behind it."""
        notes, peer = self.make()
        notes.then = lambda: notes.transport.pauseProducing()
        peer.send(bytes(40000))
        peer.shutdown(socket.SHUT_WR)
        for _ in range(10):
            heard = len(notes.heard)
            self.poller.doRead()
            self.clock.advance(0)
            self.assertLessEqual(len(notes.heard), heard + 1)
            notes.transport.resumeProducing()

        self.assertEqual(sum(map(len, notes.heard[:-1])), 40000)
        self.assertEqual(notes.heard[-1], "end")

    def test_endWithTheLastBytes(self) -> None:
        """One piece of news for both: both are heard."""
        notes, peer = self.make()
        peer.send(b"last")
        peer.shutdown(socket.SHUT_WR)

        self.poller.doRead()

        self.assertEqual(notes.heard, [b"last", "end"])

    def test_newsOfAnother(self) -> None:
        """News of who had the number before change nothing."""
        notes, peer = self.make()
        notes.transport.ready(select.EPOLLIN | select.EPOLLHUP | select.EPOLLRDHUP)
        peer.send(b"still here")
        self.poller.doRead()

        self.assertEqual(notes.heard, [b"still here"])
        self.assertFalse(notes.transport.disconnecting)

    def test_pullProducer(self) -> None:
        """One that is asked for more is asked again, though the kernel has nothing to say."""
        notes, peer = self.make()
        left = [b"a", b"b", b"c"]

        class Producer:
            def resumeProducing(self) -> None:
                if left:
                    notes.transport.write(left.pop(0))
                else:
                    notes.transport.unregisterProducer()

            def stopProducing(self) -> None: ...

        notes.transport.registerProducer(Producer(), False)
        self.clock.advance(0)

        self.assertEqual((peer.recv(10), left), (b"abc", []))
