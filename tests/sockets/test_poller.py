"""Tests of twisted_envoy.sockets.poller."""

from __future__ import annotations

import socket
from functools import partial
from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.sockets.poller import Poller, watcherFor

try:
    from twisted.internet.epollreactor import EPollReactor
except ImportError:
    EPollReactor = None  # type: ignore[assignment, misc]


class WatchingClock(Clock):
    """A reactor that only remembers what it watches."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[Any] = []

    def addReader(self, reader: Any) -> None:
        self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        self.readers.remove(reader)


class Descriptor:
    """One end of a pair of sockets; notes what it hears."""

    def __init__(self, heard: list[Any], name: str) -> None:
        self.sock, self.peer = socket.socketpair()
        for sock in (self.sock, self.peer):
            sock.setblocking(False)
        self.heard = heard
        self.name = name
        self.onRead: Any = None

    def fileno(self) -> int:
        return self.sock.fileno()

    def doRead(self) -> None:
        try:
            self.heard.append((self.name, self.sock.recv(100)))
        except BlockingIOError:
            self.heard.append((self.name, None))
        if self.onRead is not None:
            self.onRead()

    def doWrite(self) -> None:
        self.heard.append((self.name, "write"))

    def connectionLost(self, reason: Failure) -> None:
        self.heard.append((self.name, reason.type))

    def close(self) -> None:
        self.sock.close()
        self.peer.close()


class PollerTests(SynchronousTestCase):
    if EPollReactor is None:
        skip = "there is no epoll here"

    def setUp(self) -> None:
        self.clock = WatchingClock()
        self.turn = TurnQueue(self.clock)  # type: ignore[arg-type]
        self.poller = Poller(self.clock, self.turn)
        self.heard: list[Any] = []

    def make(self, name: str) -> Descriptor:
        descriptor = Descriptor(self.heard, name)
        self.addCleanup(descriptor.close)
        return descriptor

    def test_watchedWhileNotEmpty(self) -> None:
        """The reactor has one descriptor, as long as there is anybody."""
        one, two = self.make("one"), self.make("two")
        self.poller.addReader(one)
        self.poller.addReader(one)
        self.poller.addWriter(two)
        self.assertEqual(self.clock.readers, [self.poller])
        self.poller.removeReader(one)
        self.poller.removeReader(one)
        self.poller.removeReader(two)
        self.assertEqual(self.clock.readers, [self.poller])
        self.poller.removeWriter(two)
        self.assertEqual(self.clock.readers, [])

    def test_reads(self) -> None:
        """Who has something to read is told, and nobody else."""
        one, two = self.make("one"), self.make("two")
        self.poller.addReader(one)
        self.poller.addReader(two)
        two.peer.send(b"hi")
        self.poller.doRead()
        self.poller.doRead()
        self.assertEqual(self.heard, [("two", b"hi")])

    def test_readsAndWrites(self) -> None:
        """Both at once, then one of them."""
        one = self.make("one")
        self.poller.addReader(one)
        self.poller.addWriter(one)
        one.peer.send(b"hi")
        self.poller.doRead()
        self.poller.removeWriter(one)
        one.peer.send(b"ho")
        self.poller.doRead()
        self.poller.addWriter(one)
        self.poller.removeReader(one)
        self.poller.doRead()
        self.assertEqual(
            self.heard, [("one", b"hi"), ("one", "write"), ("one", b"ho"), ("one", "write")]
        )

    def test_oneEvent(self) -> None:
        """What is posted runs when all were told, in this turn."""
        for name in ("one", "two", "three"):
            descriptor = self.make(name)
            descriptor.onRead = lambda: self.turn.post(lambda: self.heard.append("posted"))
            self.poller.addReader(descriptor)
            descriptor.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(self.heard[3:], ["posted"] * 3)
        self.assertEqual({each[0] for each in self.heard[:3]}, {"one", "two", "three"})

    def test_removedMeanwhile(self) -> None:
        """Who is removed by one who was told before is not told."""
        one, two = self.make("one"), self.make("two")
        for descriptor, other in ((one, two), (two, one)):
            self.poller.addReader(descriptor)
            descriptor.peer.send(b"x")
            descriptor.onRead = lambda other=other: self.poller.removeReader(other)
        self.poller.doRead()
        self.assertEqual(len(self.heard), 1)

    def test_doesNotWriteAfterItsEnd(self) -> None:
        """Who is gone after reading is not asked to write."""
        one = self.make("one")
        self.poller.addReader(one)
        self.poller.addWriter(one)

        def end() -> None:
            self.poller.removeReader(one)
            self.poller.removeWriter(one)

        one.onRead = end
        one.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(self.heard, [("one", b"x")])

    def test_gone(self) -> None:
        """A writer whose peer is gone is lost, and watched no more."""
        one = self.make("one")
        one.sock.shutdown(socket.SHUT_RDWR)
        self.poller.addWriter(one)
        self.poller.doRead()
        self.assertEqual(self.heard, [("one", ConnectionLost)])
        self.assertEqual(self.clock.readers, [])

    def test_goneWhileReading(self) -> None:
        """What epoll gives with EPOLLHUP alone is an end, for who reads."""
        one = self.make("one")
        self.poller.addReader(one)
        self.poller._tell(one, one.fileno(), 0x10)
        self.assertEqual(self.heard, [("one", ConnectionDone)])

    def test_raises(self) -> None:
        """One who raises is lost; the others hear what is theirs."""
        one, two = self.make("one"), self.make("two")

        def fail() -> None:
            raise ZeroDivisionError("of a descriptor")

        one.onRead = fail
        for descriptor in (one, two):
            self.poller.addReader(descriptor)
            descriptor.peer.send(b"x")
        self.poller.doRead()
        self.assertIn(("one", ZeroDivisionError), self.heard)
        self.assertIn(("two", b"x"), self.heard)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_lostRaises(self) -> None:
        """So does one who raises when it is lost."""
        one = self.make("one")
        one.sock.shutdown(socket.SHUT_RDWR)

        def fail(reason: object) -> None:
            raise ZeroDivisionError("at the end")

        one.connectionLost = fail  # type: ignore[method-assign]
        self.poller.addWriter(one)
        self.poller.doRead()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_sameNumber(self) -> None:
        """A socket that was closed without a word leaves its number to the next one."""
        one = self.make("one")
        number = one.fileno()
        self.poller.addReader(one)
        one.sock.close()
        two = self.make("two")
        if two.peer.fileno() == number:
            two.sock, two.peer = two.peer, two.sock
        elif two.fileno() != number:
            two.sock = self._moved(two.sock, number)
        one.fileno = lambda: number  # type: ignore[method-assign]
        self.poller.addReader(two)
        two.peer.send(b"hi")
        self.poller.removeReader(one)
        self.poller.doRead()
        self.assertEqual(self.heard, [("two", b"hi")])

    def _moved(self, sock: socket.socket, number: int) -> socket.socket:
        import os

        os.dup2(sock.fileno(), number)
        sock.close()
        return socket.socket(fileno=number)

    def test_reactorStops(self) -> None:
        """Everybody is told why."""
        one, two = self.make("one"), self.make("two")
        self.poller.addReader(one)
        self.poller.addWriter(two)
        self.clock.readers.clear()  # as a reactor that stops
        self.poller.connectionLost(Failure(CONNECTION_LOST))  # type: ignore[no-untyped-call]
        self.assertEqual(self.heard, [("one", ConnectionLost), ("two", ConnectionLost)])
        self.poller.addReader(one)
        self.assertEqual(self.clock.readers, [self.poller])

    def test_forWhom(self) -> None:
        """A reactor of epoll has one; every other does it itself."""
        self.assertIs(watcherFor(self.clock, self.turn), self.clock)
        reactor = EPollReactor()
        self.addCleanup(reactor._poller.close)
        self.assertIsInstance(watcherFor(reactor, self.turn), Poller)
        self.assertEqual(self.poller.logPrefix(), "connections")


class Edge:
    """A connected socket; notes what it is told."""

    def __init__(self, heard: list[Any], name: str) -> None:
        self.sock, self.peer = socket.socketpair()
        self.heard = heard
        self.name = name
        self.fails = False

    def note(self, what: object) -> None:
        self.heard.append((self.name, what))
        if self.fails:
            raise ZeroDivisionError("of a connection")

    def ready(self, events: int) -> None:
        self.note(events)

    def goOn(self) -> None:
        self.note("goOn")

    def connectionLost(self, reason: Failure) -> None:
        self.note(reason.type)


class EdgeTests(SynchronousTestCase):
    """Connected sockets, which are told once."""

    def setUp(self) -> None:
        self.clock = WatchingClock()
        self.poller = Poller(self.clock, TurnQueue(self.clock))
        self.addCleanup(self.poller.connectionLost, Failure(CONNECTION_LOST))
        self.heard: list[Any] = []
        self.one, self.two = Edge(self.heard, "one"), Edge(self.heard, "two")
        for edge in (self.one, self.two):
            self.addCleanup(edge.sock.close)
            self.addCleanup(edge.peer.close)
            self.poller.watch(edge.sock.fileno(), edge)
        self.poller.doRead()

    def test_told(self) -> None:
        """What is so when the watching begins, and then only what is new."""
        self.assertEqual(self.heard, [("one", 4), ("two", 4)])
        self.two.peer.send(b"x")
        self.poller.doRead()
        self.poller.doRead()
        self.assertEqual(self.heard[2:], [("two", 5)])

    def test_kept(self) -> None:
        """One that asks for nothing yet hears of the reactor's end only, until it asks."""
        kept = Edge(self.heard, "kept")
        self.addCleanup(kept.sock.close)
        self.addCleanup(kept.peer.close)
        self.heard.clear()
        self.poller.keep(kept.sock.fileno(), kept)
        kept.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(self.heard, [])
        self.poller.watch(kept.sock.fileno(), kept)
        self.poller.doRead()
        self.assertEqual(self.heard, [("kept", 5)])
        other = Edge(self.heard, "other")
        self.addCleanup(other.sock.close)
        self.addCleanup(other.peer.close)
        self.poller.keep(other.sock.fileno(), other)
        self.heard.clear()
        self.poller.connectionLost(Failure(CONNECTION_LOST))  # type: ignore[no-untyped-call]
        self.assertIn(("other", ConnectionLost), self.heard)

    def test_together(self) -> None:
        """What several leave in the outbox goes out when all were told; one alone goes at once."""
        outbox = self.poller.outbox
        open_: list[bool] = []

        class Sender:
            goOut = partial(self.heard.append, "out")

        def ready(edge: Edge, events: int) -> None:
            edge.note(events)
            open_.append(outbox.isOpen)
            if outbox.isOpen:
                outbox.waiting.append(Sender())  # type: ignore[arg-type]

        for edge in (self.one, self.two):
            edge.ready = partial(ready, edge)  # type: ignore[method-assign]
            edge.peer.send(b"x")
        del self.heard[:]
        self.poller.doRead()
        self.one.peer.send(b"x")
        self.poller.doRead()

        self.assertEqual(self.heard, [("one", 5), ("two", 5), "out", "out", ("one", 5)])
        self.assertEqual(open_, [True, True, False])
        self.assertFalse(outbox.isOpen)

    def test_inTheDrain(self) -> None:
        """What is left there by what the event caused goes out, too, before the next one."""
        outbox, turn = self.poller.outbox, self.poller._turn

        class Sender:
            goOut = partial(self.heard.append, "out")

        def ready(edge: Edge, events: int) -> None:
            turn.post(lambda: outbox.waiting.append(Sender()))  # type: ignore[arg-type]

        for edge in (self.one, self.two):
            edge.ready = partial(ready, edge)  # type: ignore[method-assign]
            edge.peer.send(b"x")
        del self.heard[:]
        self.poller.doRead()

        self.assertEqual((self.heard, outbox.waiting, outbox.isOpen), (["out", "out"], [], False))

    def test_forgotten(self) -> None:
        """Nobody hears of what is forgotten; the reactor watches nothing without any."""
        self.poller.forget(self.one.sock.fileno())
        self.one.peer.send(b"x")
        self.poller.doRead()
        self.assertEqual(self.heard[2:], [])
        self.assertEqual(self.clock.readers, [self.poller])
        self.poller.forget(self.two.sock.fileno())
        self.assertEqual(self.clock.readers, [])

    def test_again(self) -> None:
        """Another turn, once for each time that it is asked for."""
        self.poller.again(self.one)
        self.clock.advance(0)
        self.clock.advance(0)
        self.assertEqual(self.heard[2:], [("one", "goOn")])

    def test_raises(self) -> None:
        """One who raises, whatever it is told, is lost alone."""
        self.one.fails = True
        for edge in (self.one, self.two):
            edge.peer.send(b"x")
        self.poller.again(self.one)
        self.poller.doRead()
        self.one.fails = False
        told = [("one", 5), ("one", ZeroDivisionError), ("two", 5)]
        self.assertEqual(self.heard[2:], [*told, ("one", "goOn"), ("one", ZeroDivisionError)])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 4)
