"""Chains: order, holding, releasing, leaving, closing and errors."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.network.wire import DONE, Idle, Last, Loud, Shouting, Wire, chainOf
from twisted_envoy.network.chain import Chain
from twisted_envoy.network.link import NO_TRANSPORT, Link, dropped
from twisted_envoy.network.read_gate import HELD_FULL
from twisted_envoy.state.stream_info import StreamInfo


class ChainTests(SynchronousTestCase):
    """What every connection does."""

    def test_interfaces(self) -> None:
        """A chain is a protocol that knows half-close."""
        chain, _ = chainOf([Last()])

        verifyObject(IProtocol, chain)
        verifyObject(IHalfCloseableProtocol, chain)
        chain.connectionMade()
        chain.writeConnectionLost()

    def test_eventsPassInOrder(self) -> None:
        """Each link sees each event after the one nearer to the wire."""
        order: list[tuple[int, str]] = []

        def noting(number: int) -> dict[str, Any]:
            return {
                event: lambda _, event=event: order.append((number, event))
                for event in ("made", "data", "end", "lost")
            }

        chain, _ = chainOf([Loud(noting(1)), Loud(noting(2)), Last(noting(3))])

        chain.dataReceived(b"x")
        chain.readConnectionLost()
        chain.connectionLost(DONE)

        expected = [(n, event) for event in ("made", "data", "end", "lost") for n in (1, 2, 3)]
        self.assertEqual(order, expected)

    def test_idleLinksAreNotOnThePath(self) -> None:
        """Bytes go straight to the one link that reads; writes straight to the wire."""
        last = Last()
        chain, wire = chainOf([Idle(), Idle(), last])

        self.assertEqual(chain.dataReceived, last.dataReceived)
        self.assertIs(last.transport, wire)

    def test_writesPassThroughWriters(self) -> None:
        """A link that writes is the transport of those above it, one that left is not."""
        first, last = Shouting(), Last()
        chain, wire = chainOf([first, Idle(), last])

        last.write(b"a")
        last.loseWriteConnection()
        first.leave()
        last.write(b"b")

        self.assertEqual(wire.written, b"A!b")
        self.assertEqual(wire.said, ["loseWriteConnection"])
        self.assertIs(last.transport, wire)

    def test_withoutLinks(self) -> None:
        """A chain of nothing closes its connection."""
        _, wire = chainOf([])

        self.assertEqual(wire.said, ["loseConnection"])

    def test_nobodyReads(self) -> None:
        """Bytes that nobody wants are dropped."""
        chain, _ = chainOf([Idle()])

        self.assertIs(chain.dataReceived, dropped)
        chain.dataReceived(b"x")

    def test_endThatNobodyWants(self) -> None:
        """The connection is closed, and no producer keeps it."""
        chain, wire = chainOf([Idle()])
        wire.producer = object()

        chain.readConnectionLost()

        self.assertEqual((wire.said, wire.producer), (["loseConnection"], None))

    def test_endPassesLinksThatDoNotWantIt(self) -> None:
        """The next link that does is told."""
        last = Last()
        chain, _ = chainOf([Loud(), Idle(), last])

        chain.readConnectionLost()

        self.assertEqual(last.events, ["made", "end"])

    def test_closeStopsTheStart(self) -> None:
        """Links after one that closes in connectionMade are never started, nor told of the loss."""
        for verb in ("loseConnection", "abortConnection"):
            last = Last()
            chain, wire = chainOf([Loud({"made": lambda link, v=verb: getattr(link, v)()}), last])

            chain.readConnectionLost()
            chain.connectionLost(DONE)

            self.assertEqual(last.events, [])
            self.assertEqual(wire.said[0], verb)

    def test_closeTypes(self) -> None:
        """StreamInfo learns who reset the connection, if anybody did."""
        kinds = [
            (ConnectionDone(), "Normal"),
            (ConnectionLost(), "RemoteReset"),
            (ConnectionAborted(), "LocalReset"),
            (ValueError(), "LocalReset"),
        ]

        for problem, expected in kinds:
            chain, _ = chainOf([Last()])
            chain.connectionLost(Failure(problem))
            self.assertEqual(chain.streamInfo.detectedCloseType, expected)

    def test_rebind(self) -> None:
        """A link that has another dataReceived gets bytes there."""

        class Changing(Link):
            __slots__ = ("dataReceived",)

            def __init__(self) -> None:
                self.dataReceived = dropped

        link = Changing()
        chain, _ = chainOf([Loud(), link])
        got: list[bytes] = []

        link.dataReceived = got.append
        chain.rebind()
        chain.dataReceived(b"x")

        self.assertEqual(got, [b"x"])

    def test_limitReachesTheWire(self) -> None:
        """A link speaks for the wire: limit, addresses, what is buffered, whether it closes."""
        last = Last()
        chain, wire = chainOf([Shouting(), last])

        last.setWriteBufferLimit(5)

        self.assertEqual((wire.limit, last.bufferedBytes), (5, 7))
        self.assertEqual((last.disconnecting, last.disconnected), (False, False))
        wire.loseConnection()
        chain.connectionLost(DONE)
        self.assertEqual((last.disconnecting, last.disconnected), (True, True))


class HalfClosingTests(SynchronousTestCase):
    def test_halfCloses(self) -> None:
        """When one of the links goes on after the peer's end of stream."""

        class Goes(Last):
            halfCloses = True

        for maker, expected in ((Last, False), (Goes, True)):
            chain = Chain([Idle, maker], StreamInfo(0.0))
            chain.makeConnection(Wire())
            self.assertIs(chain.halfCloses, expected)


class HoldTests(SynchronousTestCase):
    """hold, release and leave, in every state."""

    def test_holdStopsTheStart(self) -> None:
        """Links after one that holds in connectionMade wait for its release."""
        first, last = Loud({"made": lambda link: link.hold()}), Last()
        chain, _ = chainOf([first, last])

        chain.dataReceived(b"1")
        chain.dataReceived(b"2")
        chain.readConnectionLost()
        before = list(last.events)
        first.release()
        chain.dataReceived(b"3")

        self.assertEqual(before, [])
        self.assertEqual(last.events, ["made", b"1", b"2", "end", b"3"])
        self.assertEqual(first.events, ["made", b"1", b"2", "end", b"3"])

    def test_holdOfALinkThatReadsNothing(self) -> None:
        """Its place in the line is where bytes and the end wait."""

        class Waiting(Link):
            def connectionMade(self) -> None:
                self.hold()

        first, last = Waiting(), Last()
        chain, _ = chainOf([first, last])

        chain.dataReceived(b"1")
        chain.readConnectionLost()
        first.release()

        self.assertEqual(last.events, ["made", b"1", "end"])

    def test_releaseInsideConnectionMade(self) -> None:
        """A link that holds and releases at once starts those after it once."""

        def both(link: Any) -> None:
            link.hold()
            link.release()

        last = Last()
        chain, _ = chainOf([Loud({"made": both}), Loud({"made": both}), last])

        chain.dataReceived(b"1")

        self.assertEqual(last.events, ["made", b"1"])

    def test_releaseStartsUpToTheNextHold(self) -> None:
        """A later link that holds stops the start again."""
        holding = {"made": lambda link: link.hold()}
        first, second, last = Loud(holding), Loud(holding), Last()
        chain, _ = chainOf([first, second, last])
        chain.dataReceived(b"1")

        first.release()
        chain.dataReceived(b"2")
        before = list(last.events)
        second.release()

        self.assertEqual(second.events, ["made", b"1", b"2"])
        self.assertEqual(before, [])
        self.assertEqual(last.events, ["made", b"1", b"2"])

    def test_laterLinkReleasesFirst(self) -> None:
        """A hold after the start does not keep links from being started by another's release."""
        first, second, last = Loud(), Loud({"made": lambda link: link.hold()}), Last()
        chain, _ = chainOf([first, second, last])
        chain.dataReceived(b"1")

        first.hold()
        chain.dataReceived(b"2")
        second.release()
        before = list(last.events)
        first.release()

        self.assertEqual(before, ["made", b"1"])
        self.assertEqual(last.events, ["made", b"1", b"2"])

    def test_holdLater(self) -> None:
        """A link may hold at any time; those after it stay started."""
        first, last = Loud(), Last()
        chain, _ = chainOf([first, last])

        chain.dataReceived(b"1")
        first.hold()
        first.hold()
        chain.dataReceived(b"2")
        before = list(last.events)
        first.release()
        first.release()

        self.assertEqual(before, ["made", b"1"])
        self.assertEqual(last.events, ["made", b"1", b"2"])

    def test_holdInsideDataReceived(self) -> None:
        """The chunk at hand is held too."""
        first, last = Loud({"data": lambda link: link.hold()}), Last()
        chain, _ = chainOf([first, last])

        chain.dataReceived(b"1")
        before = list(last.events)
        first.on = {}
        first.release()

        self.assertEqual(before, ["made"])
        self.assertEqual(last.events, ["made", b"1"])

    def test_holdAgainDuringReplay(self) -> None:
        """What was not yet replayed waits for the next release, in order."""
        first, last = Loud(), Last({"data": lambda link: first.hold()})
        chain, _ = chainOf([first, last])
        first.hold()
        for chunk in (b"1", b"2", b"3"):
            chain.dataReceived(chunk)
        chain.readConnectionLost()

        seen = []
        for _ in range(5):
            first.release()
            seen.append(last.events[-1])

        self.assertEqual(seen, [b"1", b"2", b"3", "end", "end"])
        self.assertEqual(last.events, ["made", b"1", b"2", b"3", "end"])

    def test_holdAndReleaseDuringReplay(self) -> None:
        """A nested release delivers the rest, once."""

        def both(link: Any) -> None:
            first.hold()
            first.release()

        first, last = Loud(), Last({"data": both})
        chain, _ = chainOf([first, last])
        first.hold()
        for chunk in (b"1", b"2", b"3"):
            chain.dataReceived(chunk)
        chain.readConnectionLost()

        first.release()
        chain.dataReceived(b"4")

        self.assertEqual(last.events, ["made", b"1", b"2", b"3", "end", b"4"])

    def test_bytesThatComeDuringReplayStayBehind(self) -> None:
        """What a link delivers while its queue is replayed comes after the queue."""
        first = Loud()
        last = Last({"data": lambda link: first.deliver(b"new") if link.events[-1] == b"1" else 0})
        chain, _ = chainOf([first, last])
        first.hold()
        chain.dataReceived(b"1")
        chain.dataReceived(b"2")

        first.release()

        self.assertEqual(last.events, ["made", b"1", b"2", b"new"])

    def test_gateShutsOverTheLimitAndReopens(self) -> None:
        """More than the limit is not read; after the release it is again."""
        first, last = Loud(), Last()
        chain, wire = chainOf([first, last], bufferLimit=10)
        first.hold()

        reading = []
        for chunk in (b"12345", b"67890", b"!"):
            chain.dataReceived(chunk)
            reading.append(wire.reading)
        first.release()

        self.assertEqual(reading, [True, True, False])
        self.assertTrue(wire.reading)
        self.assertEqual(last.events, ["made", b"12345", b"67890", b"!"])

    def test_gateStaysShutWhileAnotherLinkHoldsTooMuch(self) -> None:
        """A queue that moves on to the next holding link keeps the gate shut."""
        first, second = Loud(), Loud()
        chain, wire = chainOf([first, second, Last()], bufferLimit=1)
        first.hold()
        second.hold()
        chain.dataReceived(b"123")

        first.release()
        between = wire.reading
        second.release()

        self.assertEqual((between, wire.reading), (False, True))

    def test_gateReopensWhenEnoughWentOn(self) -> None:
        """An interrupted replay that leaves little opens the gate."""
        first = Loud()
        last = Last({"data": lambda link: first.hold()})
        chain, wire = chainOf([first, last], bufferLimit=4)
        first.hold()
        chain.dataReceived(b"123")
        chain.dataReceived(b"456")
        before = wire.reading

        first.release()

        self.assertEqual((before, wire.reading), (False, True))
        self.assertEqual(last.events, ["made", b"123"])

    def test_closeDuringReplay(self) -> None:
        """Whoever closes wants no more bytes, and no end."""
        first, last = Loud(), Last({"data": lambda link: link.loseConnection()})
        chain, wire = chainOf([first, last])
        first.hold()
        chain.dataReceived(b"1")
        chain.dataReceived(b"2")
        chain.readConnectionLost()

        first.release()
        chain.connectionLost(DONE)

        self.assertEqual(last.events, ["made", b"1", "lost"])
        self.assertEqual(wire.said, ["loseConnection"])

    def test_leave(self) -> None:
        """A link that left sees nothing more but the loss."""
        first, last = Loud(), Last()
        chain, _ = chainOf([first, last])

        chain.dataReceived(b"1")
        first.leave()
        first.leave()
        first.hold()
        chain.dataReceived(b"2")
        chain.readConnectionLost()
        chain.connectionLost(DONE)

        self.assertEqual(first.events, ["made", b"1", "lost"])
        self.assertEqual(last.events, ["made", b"1", b"2", "end", "lost"])

    def test_leaveInsideDataReceived(self) -> None:
        """The chunk at hand may still be delivered."""
        first, last = Loud({"data": lambda link: link.leave()}), Last()
        chain, _ = chainOf([first, last])

        chain.dataReceived(b"1")
        chain.dataReceived(b"2")

        self.assertEqual(first.events, ["made", b"1"])
        self.assertEqual(last.events, ["made", b"1", b"2"])

    def test_leaveInsideConnectionMade(self) -> None:
        """It was never on the path."""
        last = Last()
        chain, _ = chainOf([Loud({"made": lambda link: link.leave()}), last])

        self.assertEqual(chain.dataReceived, last.dataReceived)

    def test_leaveWhileHolding(self) -> None:
        """What it held is delivered; then neighbours are joined."""
        first, last = Loud({"made": lambda link: link.hold()}), Last()
        chain, _ = chainOf([first, last])
        chain.dataReceived(b"1")
        chain.readConnectionLost()

        first.leave()

        self.assertEqual(last.events, ["made", b"1", "end"])
        self.assertEqual(chain.dataReceived, last.dataReceived)

    def test_leaveDuringReplay(self) -> None:
        """The replay goes on to its end, and what comes meanwhile stays behind."""

        def leave(link: Any) -> None:
            first.leave()
            if link.events[-1] == b"1":
                chain.dataReceived(b"new")

        first, last = Loud(), Last({"data": leave})
        chain, _ = chainOf([first, last])
        first.hold()
        chain.dataReceived(b"1")
        chain.dataReceived(b"2")

        first.release()

        self.assertEqual(last.events, ["made", b"1", b"2", b"new"])
        self.assertEqual(chain.dataReceived, last.dataReceived)

    def test_pausesAreCountedByLink(self) -> None:
        """The wire is read when no link wants a pause any more."""
        first, last = Loud(), Last()
        _, wire = chainOf([first, last])

        first.pauseProducing()
        last.pauseProducing()
        last.resumeProducing()
        between = wire.reading
        first.resumeProducing()

        self.assertEqual((between, wire.reading), (False, True))


class LossTests(SynchronousTestCase):
    """The end of a chain."""

    def test_onceAndUnbound(self) -> None:
        """Every started link is told once; then nothing is bound to anything."""
        told: list[Chain] = []
        first, held, last = Loud(), Loud({"made": lambda link: link.hold()}), Last()
        chain, wire = chainOf([first, held, last], ended=told.append)

        chain.connectionLost(DONE)
        chain.connectionLost(DONE)
        chain.dataReceived(b"x")
        chain.readConnectionLost()

        self.assertEqual((first.events, last.events), (["made", "lost"], []))
        self.assertEqual(told, [chain])
        for link in (first, held, last):
            self.assertIs(link.transport, NO_TRANSPORT)
            self.assertIs(link.deliver, dropped)
        self.assertEqual(wire.said, [])

    def test_aMissedLinkThatRaises(self) -> None:
        """What never began and raises about it keeps nobody from hearing of the end."""

        class Closing(Link):
            def connectionMade(self) -> None:
                self.loseConnection()

        class Missing(Last):
            def connectionMissed(self) -> None:
                raise ValueError("missed")

        told: list[Chain] = []
        makers = (Closing, Missing)
        chain = Chain(makers, StreamInfo(0.0), ended=told.append)
        chain.makeConnection(Wire())
        chain.connectionLost(DONE)

        self.assertEqual(told, [chain])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_verbsAfterTheLoss(self) -> None:
        """A link of a lost connection may say anything; nobody hears it."""
        first, last = Loud(), Last()
        chain, wire = chainOf([first, last])
        chain.connectionLost(DONE)

        for link in (first, last):
            for verb in (
                "hold",
                "release",
                "leave",
                "deliverEnd",
                "loseConnection",
                "loseWriteConnection",
                "abortConnection",
                "resetConnection",
                "pauseProducing",
                "resumeProducing",
                "stopProducing",
                "unregisterProducer",
            ):
                getattr(link, verb)()
            link.write(b"x")
            link.writeSequence([b"x"])
            link.deliver(b"x")
            link.setWriteBufferLimit(1)
        chain.rebind()

        self.assertEqual((wire.said, wire.written), ([], b""))
        self.assertEqual(last.events, ["made", "lost"])

    def test_verbsInsideConnectionLost(self) -> None:
        """They change nothing either."""

        def speak(link: Any) -> None:
            link.hold()
            link.release()
            link.leave()
            link.deliver(b"late")

        first, last = Loud({"lost": speak}), Last()
        chain, _ = chainOf([first, last])

        chain.connectionLost(DONE)

        self.assertIs(chain.dataReceived, dropped)
        self.assertEqual(last.events[-1], "lost")

    def test_lossWhileHeld(self) -> None:
        """What was held is dropped, and a late release does nothing."""
        first, last = Loud(), Last()
        chain, _ = chainOf([first, last])
        first.hold()
        chain.dataReceived(b"x")

        chain.connectionLost(DONE)
        first.release()

        self.assertEqual(last.events, ["made", "lost"])

    def test_lossDuringReplay(self) -> None:
        """A replay stops when the connection is lost in the middle of it."""
        first, last = Loud(), Last({"data": lambda link: chain.connectionLost(DONE)})
        chain, _ = chainOf([first, last])
        first.hold()
        chain.dataReceived(b"1")
        chain.dataReceived(b"2")

        first.release()

        self.assertEqual(last.events, ["made", b"1", "lost"])

    def test_nothingIsKept(self) -> None:
        """Links and chain are gone without the help of the garbage collector."""
        chain = Chain([Loud, Shouting, Last, Protocol], StreamInfo(0.0))
        wire = Wire()
        wire.protocol = chain
        chain.makeConnection(wire)
        chain._links[0].hold()
        chain.dataReceived(b"x")
        kept = [weakref.ref(chain), weakref.ref(chain._links[0]), weakref.ref(chain._links[2])]
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)

        chain.connectionLost(DONE)
        wire.protocol = None
        del chain

        self.assertEqual([reference() for reference in kept], [None, None, None])


class ErrorTests(SynchronousTestCase):
    """An exception of a link ends its connection."""

    def test_connectionLostOfOneLink(self) -> None:
        """The others are told all the same."""

        def fail(link: Any) -> None:
            raise ValueError

        last = Last()
        chain, _ = chainOf([Loud({"lost": fail}), last])

        chain.connectionLost(DONE)

        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(last.events, ["made", "lost"])

    def test_replay(self) -> None:
        """An error of a link that is replayed to does not reach whoever released."""

        def fail(link: Any) -> None:
            raise ValueError

        first, last = Loud(), Last({"data": fail})
        chain, wire = chainOf([first, last])
        first.hold()
        chain.dataReceived(b"1")

        first.release()

        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(wire.said, ["abortConnection"])

    def test_startOnRelease(self) -> None:
        """The same when it is started by the release."""

        def fail(link: Any) -> None:
            raise ValueError

        first, last = Loud({"made": lambda link: link.hold()}), Last({"made": fail})
        _, wire = chainOf([first, last])

        first.release()

        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(wire.said, ["abortConnection"])

    def test_maker(self) -> None:
        """A maker that raises leaves a chain that can be lost."""

        def fail() -> Link:
            raise ValueError

        chain = Chain([Idle, fail], StreamInfo(0.0))

        self.assertRaises(ValueError, chain.makeConnection, Wire())
        chain.connectionLost(DONE)
        self.assertTrue(chain.lost)


class Worker(Loud):
    """A link of the property test: does the next thing of its program at each event."""

    def __init__(self, program: list[str]) -> None:
        super().__init__()
        self.program = program
        self.ended = False

    def step(self) -> None:
        if self.program:
            verb = self.program.pop()
            if verb != "pass":
                getattr(self, verb)()

    def connectionMade(self) -> None:
        self.step()

    def dataReceived(self, data: bytes) -> None:
        self.step()
        self.deliver(data)
        self.step()

    def readConnectionLost(self) -> None:
        self.step()
        self.deliverEnd()
        self.step()


VERBS = st.sampled_from(["hold", "release", "leave", "pass", "pass", "hold", "release"])


class PropertyTests(SynchronousTestCase):
    @settings(max_examples=400, deadline=None)
    @given(
        st.lists(st.tuples(st.booleans(), st.lists(VERBS, max_size=12)), max_size=4),
        st.lists(
            st.one_of(st.binary(min_size=1, max_size=5), st.tuples(st.integers(0, 3), VERBS)),
            max_size=25,
        ),
        st.integers(0, 12),
    )
    def test_noByteIsLostRepeatedOrMoved(
        self, kinds: list[tuple[bool, list[str]]], steps: list[Any], limit: int
    ) -> None:
        """Whatever holds, releases and leaves, all bytes arrive in order, then the end, once."""

        class Silent(Link):
            """On no path but when it holds."""

        workers = [Worker(list(program)) if reads else Silent() for reads, program in kinds]
        last = Last()
        chain, wire = chainOf([*workers, last], bufferLimit=limit)
        sent = b""

        for step in steps:
            if isinstance(step, bytes):
                sent += step
                chain.dataReceived(step)
            elif step[0] < len(workers) and step[1] != "pass":
                getattr(workers[step[0]], step[1])()
        chain.readConnectionLost()
        for worker in workers:
            if isinstance(worker, Worker):
                worker.program.clear()
        for worker in workers:
            worker.release()

        got = [event for event in last.events if isinstance(event, bytes)]
        self.assertEqual(b"".join(got), sent)
        self.assertEqual(last.events[0], "made")
        self.assertEqual(last.events.count("made"), 1)
        self.assertEqual(last.events.count("end"), 1)
        self.assertEqual(last.events[-1], "end")
        self.assertEqual(chain.gate.reasons & HELD_FULL, 0)
        self.assertTrue(wire.reading)
