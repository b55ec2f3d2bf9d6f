"""
Tests for twisted_envoy.internal.end: orders of write, half-close, close and abort.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase

from tests.internal.support import HalfRecorder, Pull, Push, Recorder, World
from twisted_envoy.internal import end as ends

MIB = 1024 * 1024


class EndTestCase(SynchronousTestCase):
    """Two ends, connected; each test is run from the client's and from the server's side."""

    def setUp(self) -> None:
        self.world = World()
        self.pump = self.world.pump

    def bothWays(self, test: Callable[[Recorder, Recorder], None], kinds: str = "rr") -> None:
        """
        Run test(us, them) with us the client, then with us the server.

        Args:
            kinds: of us and of them: r for a plain protocol, h for a half-closeable one.
        """
        for swapped in (False, True):
            us, them = [HalfRecorder() if kind == "h" else Recorder() for kind in kinds]
            if swapped:
                self.world.join(them, us)
            else:
                self.world.join(us, them)
            test(us, them)


class DeliveryTests(EndTestCase):
    """Data."""

    def test_notBeforeTheBoundary(self) -> None:
        """Nothing is delivered inside write; chunks come in order, one call each, same object."""

        def test(us: Recorder, them: Recorder) -> None:
            chunks = [bytes([number]) * 5000 for number in range(5)]
            for chunk in chunks:
                us.transport.write(chunk)
            self.assertEqual(them.received, b"")
            self.assertEqual(us.transport.bufferedBytes, 25000)
            self.pump()
            got = them.events[1:]
            self.assertEqual(got, chunks)
            self.assertTrue(all(one is other for one, other in zip(got, chunks, strict=True)))
            self.assertEqual(us.transport.bufferedBytes, 0)

        self.bothWays(test)

    def test_neverReentrant(self) -> None:
        """Two protocols that answer each other are never called inside one another."""
        depth = 0
        deepest = 0

        class PingPong(Recorder):
            def dataReceived(self, data: bytes) -> None:
                nonlocal depth, deepest
                depth += 1
                deepest = max(deepest, depth)
                self.events.append(data)
                if len(data) < 200:
                    self.transport.write(data + b"x")
                depth -= 1

        one, other = PingPong(), PingPong()
        self.world.join(one, other)
        one.transport.write(b"x")
        self.pump()
        self.assertEqual(deepest, 1)
        self.assertEqual(len(one.events) + len(other.events), 2 + 200)

    def test_protocolReplaced(self) -> None:
        """Events go to whoever is the protocol at that moment, also between two chunks."""

        def test(us: Recorder, them: Recorder) -> None:
            heir = HalfRecorder()

            class Handover(Protocol):
                def dataReceived(self, data: bytes) -> None:
                    them.transport.protocol = heir

            them.transport.protocol = Handover()
            us.transport.write(b"a" * 5000)
            us.transport.write(b"b" * 5000)
            us.transport.loseWriteConnection()
            self.pump()
            self.assertEqual(heir.events, [b"b" * 5000, "readLost"])

        self.bothWays(test)

    def test_pausedInTheMiddle(self) -> None:
        """Pausing inside dataReceived stops what waits behind; resuming goes on with it."""

        class PauseEach(HalfRecorder):
            def dataReceived(self, data: bytes) -> None:
                super().dataReceived(data)
                self.transport.pauseProducing()

        us, them = HalfRecorder(), PauseEach()
        self.world.join(us, them)
        for number in range(3):
            us.transport.write(bytes([number]) * 5000)
        us.transport.loseWriteConnection()
        for count in range(1, 4):
            self.pump()
            self.assertEqual(len(them.received), count * 5000)
            self.assertEqual(us.transport.bufferedBytes, 15000 - count * 5000)
            self.assertNotIn("readLost", them.events)
            self.assertEqual("writeLost" in us.events, count == 3)
            them.transport.resumeProducing()
        self.pump()
        self.assertEqual(them.events[-1], "readLost")

    def test_pausedAndResumedWithinOne(self) -> None:
        """Pausing and resuming inside one callback changes nothing."""

        class Fidget(Recorder):
            def dataReceived(self, data: bytes) -> None:
                super().dataReceived(data)
                self.transport.pauseProducing()
                self.transport.resumeProducing()

        us, them = Recorder(), Fidget()
        self.world.join(us, them)
        us.transport.writeSequence([b"a" * 5000, b"b" * 5000])
        self.pump()
        self.assertEqual(len(them.received), 10000)

    def test_resumedAfterClearing(self) -> None:
        """Closing inside a drain, then resuming, delivers nothing more and breaks nothing."""

        class Odd(Recorder):
            def dataReceived(self, data: bytes) -> None:
                super().dataReceived(data)
                self.transport.abortConnection()
                self.transport.resumeProducing()

        us, them = Recorder(), Odd()
        self.world.join(us, them)
        us.transport.writeSequence([b"a" * 5000, b"b" * 5000, b"c" * 5000])
        self.pump()
        self.assertEqual(them.events, ["made", b"a" * 5000, "ConnectionAborted"])
        self.assertEqual(us.ends, ["ConnectionLost"])

    def test_writtenMeanwhile(self) -> None:
        """What arrives while a batch is delivered waits for the next round."""

        class Feeder(Recorder):
            def dataReceived(self, data: bytes) -> None:
                super().dataReceived(data)
                if data.startswith(b"a"):
                    us.transport.write(b"n" * 5000)
                    turn.post(lambda: self.events.append("posted"))

        turn = self.world.registry.turn
        us, them = Recorder(), Feeder()
        self.world.join(us, them)
        us.transport.writeSequence([b"a" * 5000, b"b" * 5000])
        self.pump()
        kinds = [event[:1] if isinstance(event, bytes) else event for event in them.events]
        self.assertEqual(kinds, ["made", b"a", b"b", "posted", b"n"])


class HalfCloseTests(EndTestCase):
    """loseWriteConnection."""

    def test_halfClose(self) -> None:
        """The peer gets the data, then the end; the other direction goes on."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.write(b"last words")
            us.transport.loseWriteConnection()
            us.transport.loseWriteConnection()
            us.transport.write(b"ignored")
            self.pump()
            self.assertEqual(them.events, ["made", b"last words", "readLost"])
            self.assertEqual(us.events, ["made", "writeLost"])

            them.transport.write(b"answer")
            them.transport.loseWriteConnection()
            self.pump()
            self.assertEqual(us.events, ["made", "writeLost", b"answer", "readLost"])
            self.assertEqual(them.ends, ["readLost", "writeLost"])

        self.bothWays(test, "hh")

    def test_bothHalvesClosed(self) -> None:
        """As with tcp, a connection whose halves are both closed stays until someone closes it."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.loseWriteConnection()
            them.transport.loseWriteConnection()
            self.pump()
            self.assertTrue(us.transport.connected and them.transport.connected)

            us.transport.loseConnection()
            self.pump()
            self.assertEqual(us.ends[-1], "ConnectionDone")
            self.assertTrue(them.transport.connected)
            them.transport.loseConnection()
            self.pump()
            self.assertEqual(them.ends[-1], "ConnectionDone")

        self.bothWays(test, "hh")

    def test_plainProtocolIsClosed(self) -> None:
        """A protocol that knows no half-closed connections is lost at the end of stream."""

        def test(us: Recorder, them: Recorder) -> None:
            them.transport.write(b"before")
            us.transport.write(b"data")
            us.transport.loseWriteConnection()
            self.pump()
            self.assertEqual(them.events, ["made", b"data", "ConnectionDone"])
            self.assertEqual(us.received, b"before")
            self.assertEqual(us.ends, ["writeLost", "readLost"])

        self.bothWays(test, "hr")

    def test_plainAnswerSurvives(self) -> None:
        """What the plain protocol wrote before the end of stream is read by a slow peer, whole."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.pauseProducing()
            for _ in range(128):
                them.transport.write(b"x" * 65536)
            us.transport.loseWriteConnection()
            self.pump()
            self.assertEqual(them.ends, ["ConnectionDone"])
            self.assertEqual(us.ends, ["writeLost"])
            us.transport.resumeProducing()
            self.pump()
            self.assertEqual(len(us.received), 8 * MIB)
            self.assertEqual(us.ends, ["writeLost", "readLost"])

        self.bothWays(test, "hr")

    def test_ownEndWithoutInterface(self) -> None:
        """A plain protocol may half-close; it is not told."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.loseWriteConnection()
            self.pump()
            self.assertEqual(us.ends, [])
            them.transport.write(b"still")
            self.pump()
            self.assertEqual(us.received, b"still")

        self.bothWays(test, "rh")

    def test_askedOncePerProtocol(self) -> None:
        """Whether a protocol is half-closeable is asked once, whichever end comes first."""
        asked: list[object] = []

        def isHalfCloseable(protocol: object) -> bool:
            asked.append(protocol)
            return IHalfCloseableProtocol.providedBy(protocol)

        def test(us: Recorder, them: Recorder) -> None:
            asked.clear()
            us.transport.loseWriteConnection()
            self.pump()
            self.assertCountEqual(asked, [us, them])
            them.transport.loseWriteConnection()
            self.pump()
            self.assertEqual(us.ends, ["writeLost", "readLost"])
            self.assertEqual(them.ends, ["readLost", "writeLost"])
            self.assertCountEqual(asked, [us, them])
            us.transport.protocol = other = HalfRecorder()
            us.transport._tellWriteEnd()
            self.assertIs(asked[-1], other)

        self.patch(ends, "_isHalfCloseable", isHalfCloseable)
        self.bothWays(test, "hh")

    def test_pausedPeerIsNotTold(self) -> None:
        """A paused end gets no end of stream; ours is done when the data is taken."""

        def test(us: Recorder, them: Recorder) -> None:
            them.transport.pauseProducing()
            us.transport.write(b"data")
            us.transport.loseWriteConnection()
            self.pump()
            self.assertEqual((us.ends, them.events), ([], ["made"]))
            them.transport.resumeProducing()
            self.pump()
            self.assertEqual((us.ends, them.ends), (["writeLost"], ["readLost"]))

        self.bothWays(test, "hh")

    def test_producerIsWaitedFor(self) -> None:
        """The end of stream comes after a registered producer has unregistered."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.registerProducer(Push(), True)
            us.transport.loseWriteConnection()
            us.transport.write(b"more")
            self.pump()
            self.assertEqual(them.events, ["made", b"more"])
            us.transport.unregisterProducer()
            self.pump()
            self.assertEqual(them.events, ["made", b"more", "readLost"])

        self.bothWays(test, "hh")


class CloseTests(EndTestCase):
    """loseConnection."""

    def test_orderlyClose(self) -> None:
        """All data, then ConnectionDone on both ends; later calls are nothing."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.write(b"bye")
            us.transport.loseConnection()
            us.transport.loseConnection()
            us.transport.write(b"ignored")
            self.assertTrue(us.transport.disconnecting)
            self.assertTrue(us.transport.connected)
            self.pump()
            self.assertEqual(them.events, ["made", b"bye", "ConnectionDone"])
            self.assertEqual(us.events, ["made", "ConnectionDone"])

        self.bothWays(test)

    def test_waitsForTheReader(self) -> None:
        """We are lost when a slow peer has taken everything, and read no more meanwhile."""

        def test(us: Recorder, them: Recorder) -> None:
            them.transport.pauseProducing()
            us.transport.write(b"x" * 100_000)
            us.transport.loseConnection()
            them.transport.write(b"nobody reads this")
            us.transport.resumeProducing()
            self.pump()
            self.assertEqual(us.events, ["made"])
            self.assertEqual(them.transport.bufferedBytes, 0)
            them.transport.resumeProducing()
            self.pump()
            self.assertEqual(us.events, ["made", "ConnectionDone"])
            self.assertEqual(len(them.received), 100_000)
            self.assertEqual(them.ends, ["ConnectionDone"])

        self.bothWays(test)

    def test_nothingUnread(self) -> None:
        """With nothing left to take we are lost even if the peer is paused; it hears later."""

        def test(us: Recorder, them: Recorder) -> None:
            them.transport.pauseProducing()
            us.transport.loseConnection()
            self.pump()
            self.assertEqual((us.ends, them.ends), (["ConnectionDone"], []))
            them.transport.resumeProducing()
            self.pump()
            self.assertEqual(them.ends, ["ConnectionDone"])

        self.bothWays(test)

    def test_unreadIsDropped(self) -> None:
        """What we have not read when we close is dropped; a closing peer need not wait."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.pauseProducing()
            them.transport.write(b"unread")
            them.transport.loseConnection()
            self.pump()
            self.assertEqual(them.ends, [])
            us.transport.loseConnection()
            self.pump()
            self.assertEqual((us.ends, them.ends), (["ConnectionDone"], ["ConnectionDone"]))
            self.assertEqual(us.received, b"")

        self.bothWays(test)

    def test_bothClose(self) -> None:
        """Both close at once: both are done."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.write(b"x")
            us.transport.loseConnection()
            them.transport.write(b"y")
            them.transport.loseConnection()
            self.pump()
            self.assertEqual((us.ends, them.ends), (["ConnectionDone"], ["ConnectionDone"]))

        self.bothWays(test)

    def test_halfCloseablePeerMayAnswerInVain(self) -> None:
        """A half-closeable peer hears the end; if it writes after that, it is lost."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.loseConnection()
            self.pump()
            self.assertEqual(them.events, ["made", "readLost"])
            them.transport.write(b"")
            self.pump()
            self.assertEqual(them.ends, ["readLost"])
            them.transport.write(b"too late")
            self.pump()
            self.assertEqual(them.ends, ["readLost", "ConnectionLost"])

        self.bothWays(test, "rh")

    def test_writesThenCloses(self) -> None:
        """As with tcp: if it closes right after that write, it is closed in order."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.loseConnection()
            self.pump()
            them.transport.write(b"too late")
            them.transport.loseConnection()
            self.pump()
            self.assertEqual(them.ends, ["readLost", "ConnectionDone"])

        self.bothWays(test, "rh")

    def test_closeAfterHalfClose(self) -> None:
        """Closing after our half-close needs nothing more from the peer."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.write(b"data")
            us.transport.loseWriteConnection()
            us.transport.loseConnection()
            self.pump()
            self.assertEqual(us.ends, ["ConnectionDone"])
            self.assertEqual(them.events, ["made", b"data", "readLost"])

        self.bothWays(test, "hh")

    def test_closeInsideEndOfStream(self) -> None:
        """Closing inside readConnectionLost, the usual thing, is orderly for both."""

        class Polite(HalfRecorder):
            def readConnectionLost(self) -> None:
                super().readConnectionLost()
                self.transport.write(b"answer")
                self.transport.loseConnection()

        us, them = HalfRecorder(), Polite()
        self.world.join(us, them)
        us.transport.write(b"question")
        us.transport.loseWriteConnection()
        self.pump()
        self.assertEqual(us.received, b"answer")
        self.assertEqual(set(us.ends), {"writeLost", "readLost"})
        self.assertEqual(them.ends, ["readLost", "ConnectionDone"])

    def test_producerIsWaitedFor(self) -> None:
        """The close waits until a registered producer unregisters; its writes are kept."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.registerProducer(Push(), True)
            us.transport.loseConnection()
            us.transport.write(b"more")
            self.pump()
            self.assertEqual((us.ends, them.received), ([], b"more"))
            us.transport.unregisterProducer()
            self.pump()
            self.assertEqual((us.ends, them.ends), (["ConnectionDone"], ["ConnectionDone"]))

        self.bothWays(test)

    def test_producerStoppedWhenPeerGoes(self) -> None:
        """A close that waits for a producer ends, and the producer stops, when the peer goes."""

        def test(us: Recorder, them: Recorder) -> None:
            push = Push()
            us.transport.registerProducer(push, True)
            us.transport.loseConnection()
            them.transport.loseConnection()
            self.pump()
            self.assertEqual((us.ends, push.calls), (["ConnectionDone"], ["stop"]))

        self.bothWays(test)

    def test_halfClosedThenProducerThenClose(self) -> None:
        """After our half-close a producer has nothing to say, so the close does not wait for it."""

        def test(us: Recorder, them: Recorder) -> None:
            push = Push()
            us.transport.loseWriteConnection()
            self.pump()
            us.transport.registerProducer(push, True)
            us.transport.loseConnection()
            self.pump()
            self.assertEqual((us.ends, push.calls), (["ConnectionDone"], ["stop"]))

        self.bothWays(test, "rh")

    def test_pausedProducerLearns(self) -> None:
        """A paused producer goes on when its reader closes: it writes, and is stopped."""

        def test(us: Recorder, them: Recorder) -> None:
            push = Push()
            us.transport.registerProducer(push, True)
            them.transport.pauseProducing()
            us.transport.write(b"x" * (MIB + 1))
            self.assertEqual(push.calls, ["pause"])
            them.transport.loseConnection()
            self.pump()
            self.assertEqual(push.calls, ["pause", "resume"])
            us.transport.write(b"y")
            self.pump()
            self.assertEqual(push.calls, ["pause", "resume", "stop"])
            self.assertEqual(us.ends, ["readLost", "ConnectionLost"])

        self.bothWays(test, "hr")

    def test_pausedProducerOfAClosingReader(self) -> None:
        """It goes on as soon as nobody will read, though the closing itself still waits for us."""

        def test(us: Recorder, them: Recorder) -> None:
            push = Push()
            us.transport.registerProducer(push, True)
            us.transport.pauseProducing()
            them.transport.pauseProducing()
            us.transport.write(b"x" * (MIB + 1))
            them.transport.write(b"last words")
            them.transport.loseConnection()
            self.pump()
            self.assertEqual(push.calls, ["pause", "resume"])
            self.assertEqual((us.ends, them.ends), ([], []))

        self.bothWays(test)

    def test_closingReaderWithProducer(self) -> None:
        """Who closes need not wait for a reader that will read no more, whatever that waits for."""

        def test(us: Recorder, them: Recorder) -> None:
            them.transport.registerProducer(Push(), True)
            them.transport.pauseProducing()
            us.transport.write(b"unread")
            us.transport.loseConnection()
            self.pump()
            self.assertEqual(us.ends, [])
            them.transport.loseConnection()
            self.pump()
            self.assertEqual((us.ends, them.ends), (["ConnectionDone"], ["ConnectionDone"]))

        self.bothWays(test)

    def test_pullProducerLearns(self) -> None:
        """A pull producer whose reader closes writes once more, and is stopped."""

        def test(us: Recorder, them: Recorder) -> None:
            them.transport.pauseProducing()
            pull = Pull(us.transport, [b"x" * MIB] * 10)
            us.transport.registerProducer(pull, False)
            self.pump()
            them.transport.loseConnection()
            self.pump()
            self.assertTrue(pull.stopped)
            self.assertEqual(us.ends, ["readLost", "ConnectionLost"])

        self.bothWays(test, "hr")


class AbortTests(EndTestCase):
    """abortConnection, and protocols that raise."""

    def test_abort(self) -> None:
        """Both are lost, with undelivered bytes dropped; not inside the call."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.write(b"x")
            them.transport.write(b"y")
            us.transport.abortConnection()
            us.transport.abortConnection()
            self.assertEqual(us.events, ["made"])
            self.pump()
            self.assertEqual(us.events, ["made", "ConnectionAborted"])
            self.assertEqual(them.events, ["made", "ConnectionLost"])
            assert us.reason is not None and them.reason is not None
            us.reason.trap(ConnectionAborted)
            them.reason.trap(ConnectionLost)
            self.assertIn("connection aborted by peer", them.reason.getErrorMessage())

        self.bothWays(test)

    def test_pausedPeerSeesIt(self) -> None:
        """An abort gets through to a paused end at once."""

        def test(us: Recorder, them: Recorder) -> None:
            them.transport.pauseProducing()
            us.transport.write(b"x")
            us.transport.abortConnection()
            self.pump()
            self.assertEqual(them.events, ["made", "ConnectionLost"])

        self.bothWays(test, "rh")

    def test_abortAfterClose(self) -> None:
        """An abort ends a close that waits."""

        def test(us: Recorder, them: Recorder) -> None:
            them.transport.pauseProducing()
            us.transport.write(b"x")
            us.transport.loseConnection()
            self.pump()
            us.transport.abortConnection()
            self.pump()
            self.assertEqual((us.ends, them.ends), (["ConnectionAborted"], ["ConnectionLost"]))

        self.bothWays(test)

    def test_abortAfterHalfClose(self) -> None:
        """An abort after a half-close reaches the peer."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.loseWriteConnection()
            self.pump()
            us.transport.abortConnection()
            self.pump()
            self.assertEqual(us.ends, ["writeLost", "ConnectionAborted"])
            self.assertEqual(them.ends, ["readLost", "ConnectionLost"])

        self.bothWays(test, "hh")

    def test_peerClosingIsReset(self) -> None:
        """A peer that waits for us to read learns of our abort."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.pauseProducing()
            them.transport.write(b"unread")
            them.transport.loseConnection()
            self.pump()
            us.transport.abortConnection()
            self.pump()
            self.assertEqual((us.ends, them.ends), (["ConnectionAborted"], ["ConnectionLost"]))

        self.bothWays(test)

    def raising(self, method: str) -> type[HalfRecorder]:
        def broken(self: object, *args: object) -> None:
            raise ZeroDivisionError(method)

        return type("Broken", (HalfRecorder,), {method: broken})

    def test_exceptions(self) -> None:
        """A callback that raises is logged and loses that connection only, with the failure."""
        for method, act in (
            ("dataReceived", lambda t: t.write(b"x")),
            ("dataReceived", lambda t: t.writeSequence([b"x" * 5000, b"y" * 5000])),
            ("readConnectionLost", lambda t: t.loseWriteConnection()),
        ):
            us, them = HalfRecorder(), self.raising(method)()
            bystander, other = Recorder(), Recorder()
            self.world.join(us, them)
            self.world.join(bystander, other)
            act(us.transport)
            bystander.transport.write(b"fine")
            self.pump()
            self.assertEqual(them.ends, ["ZeroDivisionError"])
            self.assertEqual(us.ends[-1], "ConnectionLost")
            self.assertEqual(other.received, b"fine")
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_exceptionInWriteConnectionLost(self) -> None:
        """The same for writeConnectionLost, on the end that half-closes."""
        us, them = self.raising("writeConnectionLost")(), HalfRecorder()
        self.world.join(us, them)
        us.transport.loseWriteConnection()
        self.pump()
        self.assertEqual(us.ends, ["ZeroDivisionError"])
        self.assertEqual(them.ends[-1], "ConnectionLost")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_exceptionInConnectionLost(self) -> None:
        """What connectionLost or stopProducing raises is logged, and the rest is done."""

        class BrokenPush(Push):
            def stopProducing(self) -> None:
                raise ZeroDivisionError

        us, them = self.raising("connectionLost")(), Recorder()
        self.world.join(us, them)
        us.transport.registerProducer(BrokenPush(), True)
        us.transport.abortConnection()
        self.pump()
        self.assertEqual(them.ends, ["ConnectionLost"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_exceptionInProducer(self) -> None:
        """A producer that raises when it may go on loses its own connection, not its reader's."""

        class BrokenPush(Push):
            def resumeProducing(self) -> None:
                raise ZeroDivisionError

        us, them = Recorder(), Recorder()
        self.world.join(us, them)
        us.transport.registerProducer(BrokenPush(), True)
        us.transport.write(b"x" * (MIB + 1))
        self.pump()
        self.assertEqual((us.ends, them.ends), (["ZeroDivisionError"], ["ConnectionLost"]))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class ResetTests(EndTestCase):
    """resetConnection: an abort that waits for what was written."""

    def test_nothingWritten(self) -> None:
        """With nothing on its way it is an abort."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.resetConnection()
            self.pump()
            us.transport.resetConnection()
            self.assertEqual((us.ends, them.ends), (["ConnectionAborted"], ["ConnectionLost"]))

        self.bothWays(test)

    def test_slowReader(self) -> None:
        """A slow peer gets every byte, then the loss; what is written after the call is ignored."""

        def test(us: Recorder, them: Recorder) -> None:
            them.transport.pauseProducing()
            us.transport.write(b"x" * 3 * MIB)
            if self.before:
                getattr(us.transport, self.before)()
            us.transport.resetConnection()
            us.transport.resetConnection()
            us.transport.write(b"ignored")
            them.transport.write(b"unread")
            self.pump()
            self.assertEqual((us.ends, them.events), ([], ["made"]))
            them.transport.resumeProducing()
            self.pump()
            self.assertEqual(len(them.received), 3 * MIB)
            self.assertEqual(us.ends, ["ConnectionAborted"])
            self.assertEqual(them.ends[-1], "ConnectionLost")

        for self.before in ("", "loseWriteConnection", "loseConnection"):
            self.bothWays(test)

    def test_producer(self) -> None:
        """A registered producer is waited for."""

        def test(us: Recorder, them: Recorder) -> None:
            us.transport.registerProducer(Push(), True)
            us.transport.resetConnection()
            us.transport.write(b"produced")
            self.pump()
            self.assertEqual((us.ends, them.received), ([], b"produced"))
            us.transport.unregisterProducer()
            self.pump()
            self.assertEqual((us.ends, them.ends), (["ConnectionAborted"], ["ConnectionLost"]))

        self.bothWays(test)

    def test_peerCloses(self) -> None:
        """A peer that closes without reading ends the waiting."""

        def test(us: Recorder, them: Recorder) -> None:
            them.transport.pauseProducing()
            us.transport.write(b"x")
            us.transport.resetConnection()
            them.transport.loseConnection()
            self.pump()
            self.assertEqual((len(us.ends), them.ends), (1, ["ConnectionDone"]))

        self.bothWays(test)


class AfterwardsTests(EndTestCase):
    """After connectionLost."""

    def test_everythingIsSilent(self) -> None:
        """Every method is a no-op; a new producer is stopped."""

        def test(us: Recorder, them: Recorder) -> None:
            self.endOf(us)
            self.pump()
            for end in (us, them):
                before = list(end.events)
                transport = end.transport
                transport.write(b"x")
                transport.writeSequence([b"x"])
                transport.loseWriteConnection()
                transport.loseConnection()
                transport.abortConnection()
                transport.resetConnection()
                transport.pauseProducing()
                transport.resumeProducing()
                transport.stopProducing()
                transport.unregisterProducer()
                transport.setWriteBufferLimit(5)
                push = Push()
                transport.registerProducer(push, True)
                self.assertEqual(push.calls, ["stop"])
                self.assertEqual(self.world.registry.turn.pump(self.world.clock), 0)
                self.assertEqual(end.events, before)
                self.assertTrue(transport.disconnected)
                self.assertFalse(transport.connected)
                self.assertEqual(transport.bufferedBytes, 0)

        self.endOf: Callable[[Recorder], None] = lambda us: us.transport.abortConnection()
        self.bothWays(test)
        self.endOf = lambda us: us.transport.loseConnection()
        self.bothWays(test)

    def test_repr(self) -> None:
        """Its repr tells the way and the protocol."""
        us, them = Recorder(), Recorder()
        self.world.join(us, them)
        self.assertEqual(
            repr(us.transport),
            "<InternalTransport envoy://internal_client_address/ to envoy://listener1/"
            " of Recorder>",
        )
