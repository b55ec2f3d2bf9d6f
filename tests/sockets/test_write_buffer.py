"""Writing: partial sends, limits, push and pull producers."""

from __future__ import annotations

import errno
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase

from tests.sockets.loopback import (
    MIB,
    PAYLOAD,
    HalfRecorder,
    LoopbackTestCase,
    oursOnly,
    receiveAll,
)
from twisted_envoy.sockets.outbox import Outbox
from twisted_envoy.sockets.write_buffer import WriteBuffer


class Kernel:
    """
    A socket that takes as much as a test allows.

    Attributes:
        room: bytes that it still takes. taken: what it took. fails: an errno, 0 for none.
    """

    def __init__(self) -> None:
        self.room = 0
        self.taken = b""
        self.fails = 0
        self.calls = 0

    def send(self, data: bytes) -> int:
        self.calls += 1
        if self.fails:
            raise OSError(self.fails, "failed")
        if not self.room and data:
            raise BlockingIOError(errno.EAGAIN, "later")
        piece = bytes(data[: self.room])
        self.taken += piece
        self.room -= len(piece)
        return len(piece)

    def sendmsg(self, pieces: list[bytes]) -> int:
        return self.send(b"".join(pieces))


class Reactor:
    """Remembers whom it watches."""

    def __init__(self) -> None:
        self.writers: list[Any] = []

    def addWriter(self, writer: Any) -> None:
        self.writers.append(writer)

    def removeWriter(self, writer: Any) -> None:
        self.writers.remove(writer)


class Owner:
    def __init__(self) -> None:
        self.said: list[object] = []

    def written(self) -> None:
        self.said.append("written")

    def writeFailed(self, problem: OSError) -> None:
        self.said.append(problem.errno)

    def flushSoon(self) -> None:
        self.said.append("soon")

    def raised(self) -> None:
        self.said.append("raised")

    def watch(self) -> None:
        self.isWatched = True


class Producer:
    def __init__(self) -> None:
        self.said: list[str] = []

    def pauseProducing(self) -> None:
        self.said.append("pause")

    def resumeProducing(self) -> None:
        self.said.append("resume")

    def stopProducing(self) -> None:
        self.said.append("stop")


class WriteBufferTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.kernel = Kernel()
        self.reactor = Reactor()
        self.owner = Owner()
        self.buffer = WriteBuffer(self.kernel, self.owner, self.reactor)  # type: ignore[arg-type]

    def flush(self, room: int) -> None:
        self.kernel.room = room
        self.buffer.flush()

    def test_sendsAtOnce(self) -> None:
        """What the kernel takes is never kept, and nobody is watched for."""
        self.kernel.room = 10

        self.buffer.write(b"hello")

        self.assertEqual(self.kernel.taken, b"hello")
        self.assertEqual((self.buffer.size, self.reactor.writers), (0, []))
        self.assertTrue(self.buffer.idle and self.buffer.wrote)

    def test_keepsTheRest(self) -> None:
        """What the kernel does not take waits; so does all that comes later, in order."""
        self.kernel.room = 2

        self.buffer.write(b"hello")
        self.buffer.write(b"")
        self.buffer.write(b"world")
        kept = self.buffer.size
        self.flush(4)
        between = (self.kernel.taken, list(self.reactor.writers), list(self.owner.said))
        self.flush(100)

        self.assertEqual(kept, 8)
        self.assertEqual(between, (b"hellow", [self.owner], []))
        self.assertEqual(self.kernel.taken, b"helloworld")
        self.assertEqual((self.reactor.writers, self.owner.said), ([], ["written"]))

    def test_manySmallPieces(self) -> None:
        """More pieces than one call takes go out in few calls, none lost."""
        pieces = [bytes([n % 251]) for n in range(1000)]

        for piece in pieces:
            self.buffer.write(piece)
        self.kernel.calls = 0
        self.flush(10_000)

        self.assertEqual(self.kernel.taken, b"".join(pieces))
        self.assertLess(self.kernel.calls, 20)

    def test_partsAtEverySplit(self) -> None:
        """Large parts go out in one call; wherever the kernel stops, the rest follows in order."""
        parts = [b"head", b"", PAYLOAD[:20_000], PAYLOAD[20_000:20_003], b"tail"]
        whole = b"".join(parts)
        ends = (0, 4, 20_004, 20_007, len(whole))
        for room in sorted({point + step for point in ends for step in (-1, 0, 1)}):
            self.setUp()
            self.kernel.room = max(room, 0)
            self.buffer.writeAll(parts)
            taken = min(max(room, 0), len(whole))
            self.assertEqual(self.buffer.size, len(whole) - taken)
            self.assertEqual(self.reactor.writers, [self.owner] if taken < len(whole) else [])
            self.buffer.write(b" more")
            while self.buffer.size:
                self.flush(7000)
            self.assertEqual(self.kernel.taken, whole + b" more")
            self.assertTrue(self.buffer.idle and self.buffer.wrote)

    def test_partsBehindOthers(self) -> None:
        """What waits goes first, be it for the kernel or for the end of the round."""
        self.buffer.write(b"kept")
        self.buffer.writeAll([b"x" * 20_000, b"y"])
        self.assertEqual(self.buffer.size, 20_005)
        self.flush(1 << 20)
        self.assertEqual(self.kernel.taken, b"kept" + b"x" * 20_000 + b"y")

        outbox = Outbox()
        outbox.isOpen = True
        buffer = WriteBuffer(self.kernel, self.owner, None, outbox)  # type: ignore[arg-type]
        buffer.write(b"soon")
        buffer.writeAll([b"z" * 20_000])
        self.assertTrue(self.kernel.taken.endswith(b"y" + b"soon" + b"z" * 20_000))
        buffer.writeAll([b"small", b"er"])
        self.assertEqual(buffer.soon, b"smaller")

    def test_partsOfAProducer(self) -> None:
        """One that pushes is paused above the limit, one that is asked is asked again."""
        pushing, asked = Producer(), Producer()
        self.buffer.setLimit(10_000)
        self.buffer.registerProducer(pushing, True)
        self.kernel.room = 9_000
        self.buffer.writeAll([b"x" * 20_000])
        self.assertEqual(pushing.said, ["pause"])
        self.flush(1 << 20)
        self.assertEqual(pushing.said, ["pause", "resume"])
        self.buffer.unregisterProducer()
        self.buffer.registerProducer(asked, False)
        self.buffer.writeAll([b"x" * 20_000])
        self.assertEqual((asked.said, self.reactor.writers), (["resume"], [self.owner]))
        self.flush(0)
        self.assertEqual(asked.said, ["resume", "resume"])

    def test_partsThatFail(self) -> None:
        """Nothing is kept, and nothing taken any more; no part is anything but bytes."""
        with self.assertRaises(TypeError):
            self.buffer.writeAll([b"x" * 20_000, "text"])  # type: ignore[list-item]
        self.assertEqual((self.kernel.calls, self.buffer.size), (0, 0))
        self.kernel.fails = errno.EPIPE
        self.buffer.writeAll([b"x" * 20_000, b"y"])
        self.buffer.writeAll([b"x" * 20_000, b"y"])
        self.assertEqual((self.kernel.calls, self.buffer.size), (1, 0))
        self.assertEqual(self.owner.said, [errno.EPIPE])

    def test_failure(self) -> None:
        """The owner hears of a failed send once; what was kept and what comes is dropped."""
        for during in ("write", "flush"):
            self.setUp()
            if during == "flush":
                self.buffer.write(b"kept")
            self.kernel.fails = errno.EPIPE

            if during == "write":
                self.buffer.write(b"x")
            else:
                self.buffer.flush()
            self.buffer.write(b"more")

            self.assertEqual(self.owner.said, [errno.EPIPE])
            self.assertEqual((self.buffer.size, self.reactor.writers), (0, []))

    def test_pushProducer(self) -> None:
        """Paused above the limit, resumed at half of it; each once."""
        producer = Producer()
        self.buffer.setLimit(10)
        self.buffer.registerProducer(producer, True)

        said = []
        for data in (b"12345", b"67890", b"x", b"y"):
            self.buffer.write(data)
            said.append(list(producer.said))
        for room in (3, 4, 1):
            self.flush(room)
            said.append(list(producer.said))

        self.assertEqual(said[:4], [[], [], ["pause"], ["pause"]])
        self.assertEqual(said[4:], [["pause"], ["pause", "resume"], ["pause", "resume"]])

    def test_producerRegisteredOverTheLimit(self) -> None:
        """It is paused at once."""
        producer = Producer()
        self.buffer.setLimit(1)
        self.buffer.write(b"12")

        self.buffer.registerProducer(producer, True)

        self.assertEqual(producer.said, ["pause"])

    def test_limitChanged(self) -> None:
        """A new limit holds at once, for less and for more."""
        producer = Producer()
        self.buffer.registerProducer(producer, True)
        self.buffer.write(b"12345")

        self.buffer.setLimit(4)
        self.buffer.setLimit(4)
        self.buffer.setLimit(8)
        self.buffer.setLimit(100)

        self.assertEqual(producer.said, ["pause", "resume"])
        self.assertRaises(ValueError, self.buffer.setLimit, 0)

    def test_secondProducer(self) -> None:
        """There is one at a time."""
        self.buffer.registerProducer(Producer(), True)

        self.assertRaises(RuntimeError, self.buffer.registerProducer, Producer(), True)

    def test_pullProducer(self) -> None:
        """Asked at once, and again whenever all is out."""
        buffer = self.buffer
        chunks = [b"one", b"two", b"three"]

        class Pull:
            def resumeProducing(self) -> None:
                if chunks:
                    buffer.write(chunks.pop(0))
                else:
                    buffer.unregisterProducer()

            def stopProducing(self) -> None: ...

        self.kernel.room = 3
        buffer.registerProducer(Pull(), False)
        for _ in range(4):
            self.flush(100)
        self.flush(0)

        self.assertEqual(self.kernel.taken, b"onetwothree")
        self.assertEqual(self.reactor.writers, [])
        self.assertTrue(buffer.idle)

    def test_closeGivesBackTheProducer(self) -> None:
        """It has not been told anything; the buffer takes no more."""
        producer = Producer()
        self.buffer.registerProducer(producer, True)
        self.buffer.write(b"kept")

        given = self.buffer.close()
        self.buffer.write(b"x")
        self.buffer.flush()
        self.buffer.wake()

        self.assertIs(given, producer)
        self.assertEqual((producer.said, self.owner.said), ([], []))
        self.assertEqual((self.reactor.writers, self.buffer.size), ([], 0))

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.one_of(st.binary(max_size=20), st.integers(0, 30)), max_size=40))
    def test_nothingIsLostOrMoved(self, steps: list[Any]) -> None:
        """Whatever the kernel takes, and when."""
        self.setUp()
        written = b""

        for step in steps:
            if isinstance(step, bytes):
                written += step
                self.buffer.write(step)
            else:
                self.kernel.room = step
                if self.reactor.writers:
                    self.buffer.flush()
            self.assertEqual(self.buffer.size, len(written) - len(self.kernel.taken))
        self.flush(10_000)

        self.assertEqual(self.kernel.taken, written)
        self.assertEqual(self.reactor.writers, [])


class PushingProducer:
    """Writes PAYLOAD in chunks for as long as it is not paused; then unregisters and closes."""

    def __init__(self, transport: Any, chunk: int, turn: Any) -> None:
        self.transport = transport
        self.chunk = chunk
        self.turn = turn
        self.sent = 0
        self.paused = True
        self.pauses = 0
        self.most = 0

    def resumeProducing(self) -> None:
        if self.paused:
            self.paused = False
            self.turn.post(self.produce)

    def pauseProducing(self) -> None:
        self.paused = True
        self.pauses += 1

    def stopProducing(self) -> None:
        self.paused = True

    def produce(self) -> None:
        while not self.paused and self.sent < len(PAYLOAD):
            data = PAYLOAD[self.sent : self.sent + self.chunk]
            self.sent += len(data)
            self.transport.write(data)
            self.most = max(self.most, self.transport.bufferedBytes)
        if self.sent == len(PAYLOAD) and not self.paused:
            self.paused = True
            self.transport.unregisterProducer()


class ProducerTests(LoopbackTestCase):
    """Producers over real sockets."""

    async def test_pushProducerToASlowReader(self) -> None:
        """8 MiB arrive whole, while no more than the limit and a chunk are buffered."""
        server, peer = await self.plainPeer(receiveBuffer=4096)
        limit, chunk = 64 * 1024, 16 * 1024
        server.transport.setWriteBufferLimit(limit)
        producer = PushingProducer(server.transport, chunk, self.turn)

        server.transport.getHandle().setsockopt(SOL_SOCKET, SO_SNDBUF, 64 * 1024)
        server.transport.registerProducer(producer, True)
        server.transport.loseConnection()
        producer.paused = False
        producer.produce()  # nobody reads yet: this ends by being paused
        received = await deferToThread(receiveAll, peer)
        peer.close()
        await server.untilEvent("lost")

        self.assertTrue(received == PAYLOAD)
        self.assertGreater(producer.pauses, 0)
        self.assertLessEqual(producer.most, limit + chunk)

    async def test_halfCloseWaitsForTheProducer(self) -> None:
        """Our end of stream comes when the producer has gone."""
        server, peer = await self.plainPeer()
        producer = PushingProducer(server.transport, 256 * 1024, self.turn)

        server.transport.registerProducer(producer, True)
        server.transport.loseWriteConnection()
        producer.resumeProducing()
        received = await deferToThread(receiveAll, peer)

        self.assertTrue(received == PAYLOAD)
        self.assertEqual(server.events, ["made", "ended"])

    async def test_pullProducer(self) -> None:
        """A pull producer is asked as fast as the peer reads."""
        server, peer = await self.plainPeer()
        sent = [0]

        class Pull:
            def resumeProducing(self) -> None:
                data = PAYLOAD[sent[0] : sent[0] + 300_000]
                sent[0] += len(data)
                if data:
                    server.transport.write(data)
                else:
                    server.transport.unregisterProducer()
                    server.transport.loseConnection()

            def stopProducing(self) -> None: ...

        server.transport.registerProducer(Pull(), False)
        received = await deferToThread(receiveAll, peer)

        self.assertTrue(received == PAYLOAD)

    async def test_secondProducerIsRefused(self) -> None:
        """As Twisted's transports do."""
        server, _ = await self.plainPeer()
        producer = Producer()
        server.transport.registerProducer(producer, True)

        self.assertRaises(RuntimeError, server.transport.registerProducer, Producer(), True)

    async def test_producerOfALostConnectionIsStopped(self) -> None:
        """Whoever produces hears of the loss, and one whose stop raises changes nothing."""
        for fails in (False, True):
            server, _ = await self.plainPeer()

            class Failing(Producer):
                def stopProducing(self) -> None:
                    super().stopProducing()
                    raise ValueError

            producer = Failing() if fails else Producer()
            server.transport.registerProducer(producer, True)
            server.transport.abortConnection()
            await server.untilEvent("lost")

            self.assertEqual(producer.said, ["stop"])
            self.assertEqual(len(self.flushLoggedErrors(ValueError)), int(fails))

    @oursOnly
    async def test_brokenWriteWakesAPausedProducer(self) -> None:
        """What it has goes nowhere, but it is not left waiting."""
        server, peer = await self.plainPeer(receiveBuffer=4096)
        server.transport.pauseProducing()
        producer = Producer()
        server.transport.registerProducer(producer, True)

        peer.sendall(b"unread")
        server.transport.write(PAYLOAD)
        peer.close()
        while server.transport.bufferedBytes:
            await self.nextPoll()
        await self.boundary()
        said = list(producer.said)
        server.transport.resumeProducing()
        await server.untilEvent("lost")

        self.assertEqual(said, ["pause", "resume"])
        self.assertEqual(producer.said[2:], ["stop"])
        self.assertEqual(server.data, b"unread")

    @oursOnly
    async def test_errorOfAWokenProducer(self) -> None:
        """One that raises then ends the connection."""
        server, peer = await self.plainPeer(receiveBuffer=4096)
        server.transport.pauseProducing()

        class Failing(Producer):
            def resumeProducing(self) -> None:
                raise ValueError

        server.transport.registerProducer(Failing(), True)
        peer.sendall(b"unread")
        server.transport.write(PAYLOAD)
        peer.close()
        await server.untilEvent("lost")

        self.assertTrue(server.reason.check(ValueError))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    async def test_errorOfAProducer(self) -> None:
        """A producer that raises when it is resumed ends the connection."""
        server, peer = await self.plainPeer(receiveBuffer=4096)

        class Failing(Producer):
            def resumeProducing(self) -> None:
                raise ValueError

        server.transport.registerProducer(Failing(), True)
        server.transport.write(PAYLOAD[: 4 * MIB])
        reading = deferToThread(_readUntilError, peer)
        await server.untilEvent("lost")
        await reading

        self.assertTrue(server.reason.check(ValueError))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)


def _readUntilError(peer: Any) -> None:
    try:
        receiveAll(peer)
    except ConnectionResetError:
        return


class BulkTests(LoopbackTestCase):
    """8 MiB each way, with slow readers and small buffers."""

    async def exchange(self, limit: int, prepare: Any = None) -> None:
        server, client = await self.pair()
        for recorder in (server, client):
            recorder.transport.setWriteBufferLimit(limit)
            if prepare is not None:
                prepare(self, recorder)
            recorder.transport.write(PAYLOAD)
            recorder.transport.loseWriteConnection()
        await server.untilEvent("end")
        await client.untilEvent("end")

        self.assertTrue(server.data == PAYLOAD)
        self.assertTrue(client.data == PAYLOAD)
        self.assertEqual(sorted(server.events), ["end", "ended", "made"])

    async def test_bothWaysAtOnce(self) -> None:
        """Nothing is lost when both write everything and end."""
        await self.exchange(MIB)

    async def test_slowReaders(self) -> None:
        """The same when both pause after each chunk."""

        def slow(case: LoopbackTestCase, recorder: HalfRecorder) -> None:
            def pause(recorder: Any) -> None:
                recorder.transport.pauseProducing()
                case.turn.afterPoll(recorder.transport.resumeProducing)

            recorder.on["data"] = pause

        await self.exchange(64 * 1024, slow)

    async def test_echo(self) -> None:
        """All comes back to a client that ends its side first, through 64 KiB buffers."""
        limit = 64 * 1024

        def prepare(server: HalfRecorder) -> None:
            def echo(server: Any) -> None:
                data = bytes(server.data)
                server.data.clear()
                server.transport.write(data)

            def made(server: Any) -> None:
                server.transport.setWriteBufferLimit(limit)
                server.transport.registerProducer(server.transport, True)

            def end(server: Any) -> None:
                server.transport.unregisterProducer()
                server.transport.loseConnection()

            server.on = {"data": echo, "made": made, "end": end}

        server, peer = await self.plainPeer(prepare=prepare, receiveBuffer=4096)
        reading = deferToThread(receiveAll, peer)
        await deferToThread(_sendAndEnd, peer)
        received = await reading
        await server.untilEvent("lost")

        self.assertTrue(received == PAYLOAD)


def _sendAndEnd(peer: Any) -> None:
    peer.sendall(PAYLOAD)
    peer.shutdown(1)
