"""
Tests for twisted_envoy.internal.transport: its verbs, its producers, and a model of the pair.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.internal.support import HalfRecorder, Pull, Push, Recorder, World
from twisted_envoy.internal import CLIENT_ADDRESS, InternalAddress

MIB = 1024 * 1024


class WriteTests(SynchronousTestCase):
    """write and writeSequence."""

    def setUp(self) -> None:
        self.world = World()
        self.us, self.them = Recorder(), Recorder()
        self.world.join(self.us, self.them)

    def test_kinds(self) -> None:
        """bytes, and copies of bytearray and memoryview; nothing is nothing."""
        array = bytearray(b"array")
        self.us.transport.write(b"bytes ")
        self.us.transport.write(array)  # type: ignore[arg-type]
        self.us.transport.write(memoryview(b" view"))  # type: ignore[arg-type]
        self.us.transport.write(b"")
        self.us.transport.write(type("Mine", (bytes,), {})(b" mine"))
        array[:] = b"later"
        self.world.pump()
        self.assertEqual(self.them.received, b"bytes array view mine")

    def test_text(self) -> None:
        """Text is a TypeError, also on a connection that is lost; a sequence is checked whole."""
        self.assertRaises(TypeError, self.us.transport.write, "text")
        self.assertRaises(TypeError, self.us.transport.writeSequence, [b"bytes", "text"])
        self.us.transport.abortConnection()
        self.world.pump()
        self.assertRaises(TypeError, self.us.transport.write, "text")
        self.assertEqual(self.them.received, b"")

    def test_sequence(self) -> None:
        """A sequence, or any iterable, is written in order."""
        self.us.transport.writeSequence([b"a", b"b"])
        self.us.transport.writeSequence(bytes([byte]) for byte in b"cd")
        self.world.pump()
        self.assertEqual(self.them.received, b"abcd")

    def test_smallChunksAreJoined(self) -> None:
        """Many small chunks of one turn come in few calls."""
        for _ in range(1000):
            self.us.transport.write(b"x" * 10)
        self.world.pump()
        self.assertEqual(self.them.received, b"x" * 10_000)
        self.assertLess(len(self.them.events), 5)

    def test_addresses(self) -> None:
        """Each end's host is the other's peer."""
        listener = InternalAddress("listener1")
        self.assertEqual(self.us.transport.getPeer(), listener)
        self.assertEqual(self.us.transport.getHost(), CLIENT_ADDRESS)
        self.assertEqual(self.them.transport.getPeer(), CLIENT_ADDRESS)
        self.assertEqual(self.them.transport.getHost(), listener)


class ProducerTests(SynchronousTestCase):
    """Watermarks and producers."""

    def joined(self, bufferSize: int) -> None:
        self.world = World(bufferSize)
        self.us, self.them = HalfRecorder(), HalfRecorder()
        self.world.join(self.us, self.them)
        self.push = Push()

    def test_pushProducer(self) -> None:
        """Paused above the high watermark, resumed at half of it, as the reader takes it."""
        self.joined(64 * 1024)
        self.us.transport.registerProducer(self.push, True)
        self.us.transport.write(b"x" * 64 * 1024)
        self.assertEqual(self.push.calls, [])
        self.us.transport.write(b"x")
        self.assertEqual(self.push.calls, ["pause"])
        self.us.transport.write(b"y" * 5000)
        self.assertEqual(self.push.calls, ["pause"])
        self.world.pump()
        self.assertEqual(self.push.calls, ["pause", "resume"])
        self.assertEqual(len(self.them.received), 64 * 1024 + 5001)

    def test_resumedAtHalf(self) -> None:
        """Above half it stays paused; at half it goes on."""
        self.joined(10_000)
        taken: list[int] = []

        class PauseEach(HalfRecorder):
            def dataReceived(self, data: bytes) -> None:
                super().dataReceived(data)
                taken.append(len(data))
                self.transport.pauseProducing()

        reader = PauseEach()
        self.world.join(self.us, reader)
        self.us.transport.registerProducer(self.push, True)
        self.us.transport.writeSequence([b"x" * 5000, b"y" * 5000, b"z" * 5000])
        self.world.pump()
        self.assertEqual((taken, self.push.calls), ([5000], ["pause"]))
        reader.transport.resumeProducing()
        self.world.pump()
        self.assertEqual((taken, self.push.calls), ([5000, 5000], ["pause", "resume"]))

    def test_pullProducer(self) -> None:
        """A pull producer is asked while there is room, and again as room comes."""
        self.joined(10_000)
        self.them.transport.pauseProducing()
        pull = Pull(self.us.transport, [b"x" * 4000] * 10)
        self.us.transport.registerProducer(pull, False)
        self.assertEqual(pull.calls, 3)
        self.us.transport.loseConnection()
        self.world.pump()
        self.assertEqual(pull.calls, 3)
        self.them.transport.resumeProducing()
        self.world.pump()
        self.assertEqual(len(self.them.received), 40_000)
        self.assertEqual(self.us.ends, ["ConnectionDone"])

    def test_lazyPullProducer(self) -> None:
        """A pull producer that writes nothing is asked again after its next write is taken."""
        self.joined(10_000)
        asked: list[int] = []

        class Lazy(Push):
            def resumeProducing(self) -> None:
                asked.append(1)

        self.us.transport.registerProducer(Lazy(), False)
        self.world.pump()
        self.assertEqual(len(asked), 1)
        self.us.transport.write(b"x")
        self.world.pump()
        self.assertEqual(len(asked), 2)

    def test_secondProducer(self) -> None:
        """A second producer is an error, as with tcp."""
        self.joined(10_000)
        self.us.transport.registerProducer(self.push, True)
        error = self.assertRaises(RuntimeError, self.us.transport.registerProducer, Push(), True)
        self.assertIn("never unregistered", str(error))

    def test_closing(self) -> None:
        """A producer registered while we close is stopped, and not kept."""
        self.joined(10_000)
        self.us.transport.loseConnection()
        self.us.transport.registerProducer(self.push, True)
        self.assertEqual(self.push.calls, ["stop"])

    def test_ownLimit(self) -> None:
        """setWriteBufferLimit moves the watermarks of one direction of one connection."""
        self.joined(MIB)
        self.them.transport.pauseProducing()
        self.us.transport.registerProducer(self.push, True)
        self.us.transport.setWriteBufferLimit(1000)
        self.us.transport.write(b"x" * 1001)
        self.assertEqual(self.push.calls, ["pause"])
        self.us.transport.setWriteBufferLimit(4000)
        self.assertEqual(self.push.calls, ["pause"])
        self.world.pump()
        self.assertEqual(self.push.calls, ["pause", "resume"])
        self.us.transport.setWriteBufferLimit(1000)
        self.assertEqual(self.push.calls, ["pause", "resume", "pause"])
        self.assertRaises(ValueError, self.us.transport.setWriteBufferLimit, 0)

    def test_exceptionInPause(self) -> None:
        """What pauseProducing raises goes to the writer, as with tcp; the data is delivered."""

        class Broken(Push):
            def pauseProducing(self) -> None:
                raise ZeroDivisionError

        self.joined(1024)
        self.us.transport.registerProducer(Broken(), True)
        self.assertRaises(ZeroDivisionError, self.us.transport.write, b"x" * 2000)
        self.world.pump()
        self.assertEqual(len(self.them.received), 2000)


class Source:
    """A push producer of so many bytes, in chunks; half-closes or closes at the end."""

    def __init__(self, transport: object, total: int, chunk: int, closing: str) -> None:
        self.transport = transport
        self.left = total
        self.chunk = chunk
        self.closing = closing
        self.paused = False
        self.highest = 0

    def begin(self) -> None:
        self.transport.registerProducer(self, True)  # type: ignore[attr-defined]
        self.resumeProducing()

    def resumeProducing(self) -> None:
        self.paused = False
        transport = self.transport
        while self.left and not self.paused:
            size = min(self.chunk, self.left)
            self.left -= size
            transport.write(b"x" * size)  # type: ignore[attr-defined]
            self.highest = max(self.highest, transport.bufferedBytes)  # type: ignore[attr-defined]
        if not self.left:
            self.left = -1
            transport.unregisterProducer()  # type: ignore[attr-defined]
            getattr(transport, self.closing)()

    def pauseProducing(self) -> None:
        self.paused = True

    def stopProducing(self) -> None:
        self.paused = True


class Counter(HalfRecorder):
    """Counts bytes; reads only so many chunks between two pumps."""

    count = 0
    appetite = 0

    def dataReceived(self, data: bytes) -> None:
        self.count += len(data)
        if self.appetite:
            self.transport.pauseProducing()
            self.clock.callLater(0.001, self.transport.resumeProducing)

    clock: object


class BulkTests(SynchronousTestCase):
    """8 MiB each way at once, small and usual buffers, quick and slow readers, both closings."""

    def exchange(self, bufferSize: int, chunk: int, slow: bool, closing: str) -> None:
        total = 8 * MIB if chunk > 10_000 or not slow else 256 * 1024
        world = World(bufferSize)
        one, other = Counter(), Counter()
        world.join(one, other)
        sources = []
        for end in (one, other):
            end.clock = world.clock
            end.appetite = int(slow)
            source = Source(end.transport, total, chunk, closing)
            sources.append(source)
            source.begin()
        for _ in range(100_000):
            world.pump()
            if not world.clock.getDelayedCalls():
                break
            world.clock.advance(0.001)
        self.assertEqual((one.count, other.count), (total, total))
        for end, source in zip((one, other), sources, strict=True):
            self.assertLessEqual(source.highest, bufferSize + chunk)
            self.assertEqual(set(end.ends), {"readLost", "writeLost"})

    def test_bothWays(self) -> None:
        """All bytes arrive, never more than the buffer and a chunk are on their way."""
        for bufferSize in (1024, 64 * 1024, MIB):
            for chunk in (1000, 65536):
                for slow in (False, True):
                    with self.subTest(bufferSize=bufferSize, chunk=chunk, slow=slow):
                        self.exchange(bufferSize, chunk, slow, "loseWriteConnection")

    def test_closeAtTheEnd(self) -> None:
        """One side writes 8 MiB and closes; a slow reader gets them all, then the end."""
        for bufferSize in (1024, 64 * 1024):
            world = World(bufferSize)
            one, other = Recorder(), Counter()
            world.join(one, other)
            other.clock = world.clock
            other.appetite = 1
            Source(one.transport, 8 * MIB, 65536, "loseConnection").begin()
            while not one.ends:
                world.pump()
                world.clock.advance(0.001)
            self.assertEqual(other.count, 8 * MIB)
            self.assertEqual(one.ends, ["ConnectionDone"])

    def test_unboundedWriter(self) -> None:
        """A writer without a producer is not limited; everything arrives, then the close."""
        world = World(1024)
        one, other = Recorder(), Recorder()
        world.join(one, other)
        for _ in range(128):
            one.transport.write(b"x" * 65536)
        one.transport.loseConnection()
        self.assertEqual(one.transport.bufferedBytes, 8 * MIB)
        world.pump()
        self.assertEqual(len(other.received), 8 * MIB)
        self.assertEqual((one.ends, other.ends), (["ConnectionDone"], ["ConnectionDone"]))
