"""The last moments of a socket: closing without a reset, resetting behind the last byte."""

from __future__ import annotations

import socket
import threading
from types import SimpleNamespace
from typing import Any

from twisted.internet import reactor
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.sockets.loopback import MIB, PAYLOAD, LoopbackTestCase, oursOnly, receiveAll, reset
from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.sockets.events import SocketContext
from twisted_envoy.sockets.lingering import (
    PATIENCE,
    Patience,
    linger,
    resetWhenSent,
    unsentBytes,
)
from twisted_envoy.sockets.outbox import Outbox

READABLE = 0x001
HUNG_UP = 0x2000
"""Bits of epoll."""


class WatchingClock(Clock):
    """A clock that also remembers the readers that it should watch."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[Any] = []

    def addReader(self, reader: Any) -> None:
        self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        self.readers.remove(reader)


def connected(receiveBuffer: int = 0) -> tuple[socket.socket, socket.socket]:
    """Both ends of a TCP connection over loopback: ours (non-blocking) and the peer's."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        peer = socket.socket()
        if receiveBuffer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receiveBuffer)
        peer.settimeout(10)
        peer.connect(listening.getsockname())
        ours, _ = listening.accept()
    ours.setblocking(False)
    return ours, peer


class LingerTests(SynchronousTestCase):
    """One socket, step by step."""

    def setUp(self) -> None:
        self.clock = WatchingClock()
        turn = TurnQueue(self.clock)  # type: ignore[arg-type]
        self.context = SocketContext(self.clock, turn)

    def connect(self, receiveBuffer: int = 0) -> tuple[socket.socket, socket.socket]:
        ours, peer = connected(receiveBuffer)
        self.addCleanup(ours.close)
        self.addCleanup(peer.close)
        return ours, peer

    def assertOver(self, ours: socket.socket) -> None:
        """Closed, and nothing is left in the reactor or the context."""
        self.assertEqual(ours.fileno(), -1)
        self.assertEqual(self.clock.readers, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.context.lingering, set())

    def test_untilThePeersEnd(self) -> None:
        """What the peer sends is dropped; its end of stream closes the socket."""
        ours, peer = self.connect()

        linger(ours, self.context)
        (waiting,) = self.clock.readers
        ended = peer.recv(1)
        peer.sendall(b"still sending")
        waiting.doRead()
        waiting.doRead()
        open_ = (ours.fileno(), waiting.fileno())
        peer.close()
        waiting.doRead()

        self.assertEqual(ended, b"")
        self.assertEqual(*open_)
        self.assertNotEqual(open_[0], -1)
        self.assertOver(ours)
        self.assertEqual(waiting.logPrefix(), "closing connection")
        waiting.close()

    def test_patienceEnds(self) -> None:
        """A peer that never ends is given up after a second."""
        ours, peer = self.connect()

        linger(ours, self.context)
        self.clock.advance(PATIENCE)

        self.assertOver(ours)

    def test_peersReset(self) -> None:
        """There is nothing to wait for then."""
        ours, peer = self.connect()

        linger(ours, self.context)
        (waiting,) = self.clock.readers
        reset(peer)
        waiting.doRead()

        self.assertOver(ours)

    def test_reactorsLoss(self) -> None:
        """A reactor that stops ends it."""
        ours, peer = self.connect()

        linger(ours, self.context)
        self.clock.readers[0].connectionLost(Failure(ConnectionDone()))

        self.assertOver(ours)

    def test_alreadyReset(self) -> None:
        """A socket that cannot be shut down is just closed."""
        ours, peer = self.connect()
        reset(peer)
        self.assertRaises(OSError, ours.recv, 1)

        linger(ours, self.context)

        self.assertOver(ours)

    def test_resetWithNothingUnderWay(self) -> None:
        """It comes at once."""
        ours, peer = self.connect()

        resetWhenSent(ours, self.context)

        self.assertOver(ours)
        self.assertRaises(ConnectionResetError, peer.recv, 1)

    def test_resetWaitsForWhatIsUnderWay(self) -> None:
        """The peer gets every byte that the kernel took, then the reset."""
        ours, peer = self.connect(receiveBuffer=4096)
        sent = ours.send(PAYLOAD[:MIB])
        self.assertGreater(unsentBytes(ours), 0)

        resetWhenSent(ours, self.context)
        self.clock.advance(0.002)
        received = b""
        while len(received) < sent:
            received += peer.recv(MIB)
        self.clock.pump([0.01] * 30)

        self.assertEqual(received, PAYLOAD[:sent])
        self.assertOver(ours)
        self.assertRaises(ConnectionResetError, peer.recv, 1)

    def test_resetLosesPatience(self) -> None:
        """A peer that does not read is reset all the same, in bounded time."""
        for verb in ("wait", "close"):
            ours, peer = self.connect(receiveBuffer=4096)
            ours.send(PAYLOAD[:MIB])

            resetWhenSent(ours, self.context)
            if verb == "wait":
                self.clock.pump([PATIENCE / 500] * 600)
            else:
                next(iter(self.context.lingering)).close()

            self.assertOver(ours)

    def test_unixSocketsHaveNothingUnderWay(self) -> None:
        """What was written to one is with the peer already."""
        ours, peer = socket.socketpair()
        self.addCleanup(peer.close)
        ours.send(b"x")

        resetWhenSent(ours, self.context)

        self.assertEqual(peer.recv(10), b"x")
        self.assertOver(ours)

    def test_whatCannotTell(self) -> None:
        """A descriptor that does not know counts as sent."""
        ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ours.close()

        class Deaf:
            family = socket.AF_INET

            def fileno(self) -> int:
                return 10**6

        self.assertEqual(unsentBytes(Deaf()), 0)  # type: ignore[arg-type]


class Edges:
    """What watches with edges, and tells when the test says so."""

    rounds = 0

    def __init__(self, clock: Clock) -> None:
        self.outbox = Outbox()
        self.patience = Patience(clock)
        self.owners: dict[int, Any] = {}
        self.waiting: list[Any] = []

    def watch(self, fd: int, owner: Any) -> None:
        self.owners[fd] = owner

    handOver = watch

    def forget(self, fd: int) -> None:
        self.owners.pop(fd, None)

    def again(self, owner: Any) -> None:
        self.waiting.append(owner)


class LingeringEdgeTests(SynchronousTestCase):
    """Where edges tell of it, one step at a time."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.edges = Edges(self.clock)
        turn = TurnQueue(self.clock)  # type: ignore[arg-type]
        self.context = SocketContext(self.clock, turn, self.edges)  # type: ignore[arg-type]
        self.ours, self.peer = connected()
        self.addCleanup(self.ours.close)
        self.addCleanup(self.peer.close)

    def linger(self, readable: bool = False) -> Any:
        linger(self.ours, self.context, readable)
        return self.edges.owners[self.ours.fileno()]

    def assertOver(self) -> None:
        """Closed, and nobody watches or waits for it."""
        self.assertEqual(self.ours.fileno(), -1)
        self.assertEqual(self.edges.owners, {})
        self.assertEqual(self.context.lingering, set())

    def test_untilThePeersEnd(self) -> None:
        """What the peer sends is dropped, until its end of stream."""
        waiting = self.linger()
        self.peer.sendall(b"still sending")
        waiting.ready(READABLE)
        waiting.ready(READABLE)
        self.assertNotEqual(self.ours.fileno(), -1)
        self.peer.close()
        waiting.ready(READABLE | HUNG_UP)
        self.assertOver()
        waiting.close()
        waiting.goOn()

    def test_endWithBytes(self) -> None:
        """Bytes and the end that are told of at once are read in turns."""
        waiting = self.linger()
        self.peer.sendall(b"last words")
        self.peer.close()
        waiting.ready(READABLE | HUNG_UP)
        self.assertEqual(self.edges.waiting, [waiting])
        waiting.goOn()
        self.assertOver()

    def test_toldBefore(self) -> None:
        """What was told of before it began is read, though nothing is told again."""
        self.peer.sendall(b"unread")
        self.peer.close()
        waiting = self.linger(True)
        for _ in range(2):
            self.edges.waiting.pop().goOn()
        self.assertOver()
        self.assertTrue(waiting.isOver)

    def test_nothingBefore(self) -> None:
        """Old news that were nothing are no reason to ask for ever."""
        waiting = self.linger(True)
        self.edges.waiting.pop().goOn()
        self.peer.sendall(b"later")
        waiting.ready(READABLE)
        self.assertEqual(self.edges.waiting, [])

    def test_much(self) -> None:
        """More than one read may be there: others have their turns first."""
        waiting = self.linger()
        self.peer.setblocking(False)
        self.peer.send(PAYLOAD[:MIB])
        waiting.ready(READABLE)
        self.assertEqual(self.edges.waiting, [waiting])

    def test_reset(self) -> None:
        """There is nothing to wait for then, nor before it began."""
        waiting = self.linger()
        reset(self.peer)
        waiting.ready(READABLE | HUNG_UP)
        self.assertOver()

    def test_alreadyReset(self) -> None:
        """A socket that cannot be shut down is just closed."""
        reset(self.peer)
        self.assertRaises(OSError, self.ours.recv, 1)
        self.edges.watch(self.ours.fileno(), None)
        linger(self.ours, self.context)
        self.assertOver()

    def test_reactorStops(self) -> None:
        """Which ends it."""
        self.linger().connectionLost(Failure(ConnectionDone()))
        self.assertOver()


class PatienceTests(SynchronousTestCase):
    """One timer for all who linger."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.patience = Patience(self.clock)

    def wait(self) -> Any:
        one = SimpleNamespace(isOver=False)
        one.close = lambda: setattr(one, "isOver", True)
        self.patience.add(one)
        return one

    def test_eachItsOwn(self) -> None:
        """Each is closed when its time is over, with one timer."""
        first = self.wait()
        self.clock.advance(PATIENCE / 2)
        second = self.wait()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(PATIENCE / 2)
        self.assertEqual((first.isOver, second.isOver), (True, False))
        self.clock.advance(PATIENCE / 2)
        self.assertTrue(second.isOver)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closedAreForgotten(self) -> None:
        """They are not kept until their time is over."""
        for _ in range(100):
            self.wait().close()
        self.assertEqual(len(self.patience._waiting), 1)

    def test_stop(self) -> None:
        """No timer is left when nobody waits."""
        self.wait()
        self.patience.stop()
        self.patience.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ClosingTests(LoopbackTestCase):
    """A connection that its protocol closes while the peer still sends."""

    async def test_greetingArrivesWhole(self) -> None:
        """A client that keeps sending gets all of the greeting and an end, no reset."""
        greeting = PAYLOAD[: 2 * MIB]

        def greet(recorder: Any) -> None:
            recorder.transport.write(greeting)
            recorder.transport.loseConnection()

        server, peer = await self.plainPeer(prepare=lambda r: r.on.update(made=greet))
        stop = threading.Event()

        def sending() -> None:
            while not stop.is_set():
                try:
                    peer.send(b"x" * 10_000)
                except OSError:
                    return

        writer = deferToThread(sending)
        received = await deferToThread(receiveAll, peer)
        stop.set()
        peer.close()
        await writer
        await server.untilEvent("lost")

        self.assertTrue(received == greeting)
        self.assertTrue(server.reason.check(ConnectionDone))

    async def test_greetingToUnreadBytes(self) -> None:
        """The same when the client's bytes were there before and nobody read them."""
        server, peer = await self.plainPeer()
        server.transport.pauseProducing()
        peer.sendall(b"never read")

        server.transport.write(b"greeting")
        server.transport.loseConnection()
        received = await deferToThread(receiveAll, peer)

        self.assertEqual(received, b"greeting")

    @oursOnly
    async def test_closeWithNothingWrittenResetsUnreadBytes(self) -> None:
        """As Envoy does when it turns a connection away."""
        server, peer = await self.plainPeer()
        server.transport.pauseProducing()
        peer.sendall(b"never read")
        await self.nextPoll()

        server.transport.loseConnection()
        await server.untilEvent("lost")

        self.assertRaises(ConnectionResetError, peer.recv, 1)

    async def test_reactorIsLeftClean(self) -> None:
        """Nothing waits once the peers have ended, or the sockets were closed."""
        waiting = self.sockets._context.lingering
        for close in (True, False):
            server, peer = await self.plainPeer()
            server.transport.write(b"x")
            server.transport.loseConnection()
            await server.untilEvent("lost")
            self.assertEqual(len(waiting), 1)

            if close:
                self.sockets.close()
            else:
                (last,) = waiting
                peer.close()
                while waiting:
                    await self.nextPoll()
            self.assertEqual(len(waiting), 0)

        self.assertNotIn(last, reactor.getReaders())  # type: ignore[attr-defined]

    async def test_resetConnection(self) -> None:
        """A slow reader gets everything that was written, then a reset."""
        server, peer = await self.plainPeer(receiveBuffer=4096)
        server.transport.write(PAYLOAD)

        server.transport.resetConnection()
        server.transport.resetConnection()
        received, problem = await deferToThread(_receiveUntilReset, peer)
        await server.untilEvent("lost")
        server.transport.resetConnection()

        self.assertTrue(received == PAYLOAD)
        self.assertIsInstance(problem, ConnectionResetError)
        self.assertTrue(server.reason.check(ConnectionAborted))


def _receiveUntilReset(peer: socket.socket) -> tuple[bytes, OSError | None]:
    chunks = []
    try:
        while chunk := peer.recv(MIB):
            chunks.append(chunk)
    except OSError as problem:
        return b"".join(chunks), problem
    return b"".join(chunks), None
