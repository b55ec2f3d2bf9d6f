"""Plain Twisted protocols at the end of a chain, over a wire double and over an internal pair."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.protocols.basic import LineReceiver
from twisted.protocols.wire import Echo
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.network.wire import DONE, Last, Loud, Wire, chainOf
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.internal.transport import makePair
from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.network.chain import Chain
from twisted_envoy.state.stream_info import StreamInfo


class Keeping(Protocol):
    """Keeps what happens."""

    transport: Any

    def __init__(self) -> None:
        self.events: list[object] = []

    def connectionMade(self) -> None:
        self.events.append("made")

    def dataReceived(self, data: bytes) -> None:
        self.events.append(data)

    def connectionLost(self, reason: Failure = DONE) -> None:
        self.events.append("lost")


@implementer(IHalfCloseableProtocol)
class HalfKeeping(Keeping):
    def readConnectionLost(self) -> None:
        self.events.append("end")

    def writeConnectionLost(self) -> None: ...


class Producer:
    def __init__(self) -> None:
        self.stopped = 0

    def pauseProducing(self) -> None: ...

    def resumeProducing(self) -> None: ...

    def stopProducing(self) -> None:
        self.stopped += 1


class ProtocolLinkTests(SynchronousTestCase):
    def test_events(self) -> None:
        """It gets the events of a connection, from the chain as its transport."""
        protocol = Keeping()
        chain, wire = chainOf([Loud(), protocol])

        chain.dataReceived(b"x")
        protocol.transport.write(b"y")
        info = protocol.transport.streamInfo
        chain.connectionLost(DONE)

        self.assertEqual(protocol.events, ["made", b"x", "lost"])
        self.assertEqual(wire.written, b"y")
        self.assertIs(info, chain.streamInfo)

    def test_endClosesAPlainOne(self) -> None:
        """The connection is closed, and a producer of the protocol's is stopped."""
        for withProducer in (False, True):
            protocol, producer = Keeping(), Producer()
            chain, wire = chainOf([protocol])
            if withProducer:
                protocol.transport.registerProducer(producer, True)

            chain.readConnectionLost()

            self.assertEqual(wire.said, ["loseConnection"])
            self.assertEqual(producer.stopped, int(withProducer))
            self.assertIsNone(wire.producer)

    def test_endIsToldToOneThatKnows(self) -> None:
        """A protocol that knows half-close decides for itself."""
        protocol, producer = HalfKeeping(), Producer()
        chain, wire = chainOf([protocol])
        protocol.transport.registerProducer(producer, True)

        chain.readConnectionLost()

        self.assertEqual(protocol.events, ["made", "end"])
        self.assertEqual((wire.said, producer.stopped), ([], 0))

    def test_unregisteredProducerIsLeftAlone(self) -> None:
        """Only one that is registered at the end is stopped."""
        protocol, producer = Keeping(), Producer()
        chain, _ = chainOf([protocol])
        protocol.transport.registerProducer(producer, True)

        protocol.transport.unregisterProducer()
        chain.readConnectionLost()

        self.assertEqual(producer.stopped, 0)

    def test_protocolMayBeReplaced(self) -> None:
        """As on any transport of Twisted."""
        first, second = Keeping(), Keeping()
        chain, _ = chainOf([first])

        first.transport.protocol = second
        chain.dataReceived(b"x")

        self.assertEqual((first.events, second.events), (["made"], [b"x"]))

    def test_lineReceiver(self) -> None:
        """A stock protocol stands on it unchanged, and stops when it closes."""

        class Lines(LineReceiver):
            lines: list[bytes] = []

            def lineReceived(self, line: bytes) -> None:
                self.lines.append(line)
                if line == b"quit":
                    self.transport.loseConnection()

        chain, wire = chainOf([Lines()])

        chain.dataReceived(b"one\r\ntw")
        chain.dataReceived(b"o\r\nquit\r\nthree\r\n")

        self.assertEqual(Lines.lines, [b"one", b"two", b"quit"])
        self.assertEqual(wire.said, ["loseConnection"])

    def test_nothingIsKept(self) -> None:
        """A lost connection leaves no cycle through its protocol."""
        chain = Chain([Keeping], StreamInfo(0.0))
        chain.makeConnection(Wire())
        kept = weakref.ref(chain._links[0].protocol)  # type: ignore[attr-defined]
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)

        chain.connectionLost(DONE)
        del chain

        self.assertIsNone(kept())


class InternalPairTests(SynchronousTestCase):
    """Chains on an internal connection."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.turn = TurnQueue(self.clock)  # type: ignore[arg-type]

    def pair(self, chain: Chain, client: Any) -> None:
        """Connect the chain's end to a client protocol."""
        address = InternalAddress("x")
        clientEnd, serverEnd = makePair(self.turn, address, address, 1024)
        try:
            serverEnd.start(chain)  # type: ignore[arg-type]
        except Exception:  # its registry logs this
            self.refused = True
        clientEnd.start(client)
        self.turn.pump(self.clock)

    def test_bytesAndEnds(self) -> None:
        """Echo behind a filter: all comes back, then the end closes both."""
        client = HalfKeeping()
        self.pair(Chain([Loud, Echo], StreamInfo(0.0)), client)

        client.transport.write(b"hello")
        client.transport.loseWriteConnection()
        self.turn.pump(self.clock)
        client.transport.loseConnection()
        self.turn.pump(self.clock)

        self.assertEqual(client.events, ["made", b"hello", "end", "lost"])

    def test_errorsStayInTheConnection(self) -> None:
        """An exception in any callback ends that connection; another lives on."""

        def fail(link: Any) -> None:
            raise ValueError

        other = HalfKeeping()
        self.pair(Chain([Echo], StreamInfo(0.0)), other)

        for event in ("made", "data", "end", "lost"):
            last = Last({event: fail})
            chain = Chain([Loud, lambda last=last: last], StreamInfo(0.0))
            client = HalfKeeping()
            self.pair(chain, client)
            client.transport.write(b"x")
            client.transport.loseWriteConnection()
            self.turn.pump(self.clock)
            if event == "lost":
                last.loseConnection()
                self.turn.pump(self.clock)
            self.flushLoggedErrors(ValueError)

            self.assertTrue(chain.lost, event)
            self.assertEqual(last.events.count("lost"), 1, event)

        other.transport.write(b"alive")
        self.turn.pump(self.clock)
        self.assertEqual(other.events, ["made", b"alive"])

    def test_replayFromATimer(self) -> None:
        """A release outside of any event: its error ends the connection, not the reactor's call."""

        def fail(link: Any) -> None:
            raise ValueError

        first, last = Loud({"made": lambda link: link.hold()}), Last({"data": fail})
        chain = Chain([lambda: first, lambda: last], StreamInfo(0.0))
        client = HalfKeeping()
        self.pair(chain, client)
        client.transport.write(b"x")
        self.turn.pump(self.clock)

        self.clock.callLater(1, first.release)
        self.clock.advance(1)
        self.turn.pump(self.clock)

        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertTrue(chain.lost)
        self.assertEqual(client.events[-1], "lost")

    def test_pausedByAHoldOverTheLimit(self) -> None:
        """The peer's producer is paused while a link holds too much, and resumed after."""
        first, last = Loud({"made": lambda link: link.hold()}), Last()
        chain = Chain([lambda: first, lambda: last], StreamInfo(0.0), 10)
        client = HalfKeeping()
        self.pair(chain, client)

        for _ in range(5):
            client.transport.write(b"0123456789")
            self.turn.pump(self.clock)
        waiting = client.transport.bufferedBytes
        first.release()
        self.turn.pump(self.clock)

        self.assertEqual(waiting, 30)
        data = b"".join(event for event in last.events if isinstance(event, bytes))
        self.assertEqual(data, b"0123456789" * 5)

    def test_doneIsNormal(self) -> None:
        """An orderly close is no reset."""
        chain = Chain([Last], StreamInfo(0.0))
        client = Keeping()
        self.pair(chain, client)

        chain.transport.loseConnection()
        self.turn.pump(self.clock)

        self.assertEqual(chain.streamInfo.detectedCloseType, "Normal")
        self.assertTrue(isinstance(DONE.value, ConnectionDone))
