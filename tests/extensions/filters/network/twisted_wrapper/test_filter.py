"""Stock Twisted wrappers standing in a chain."""

from __future__ import annotations

from functools import partial

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionRefusedError
from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IPushProducer,
    ITransport,
)
from twisted.internet.protocol import Protocol
from twisted.protocols.policies import (
    ProtocolWrapper,
    ThrottlingFactory,
    TimeoutFactory,
    TrafficLoggingFactory,
    WrappingFactory,
)
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from tests.extensions.support import Client, Connections
from twisted_envoy.extensions.filters.network.echo.filter import Echo
from twisted_envoy.extensions.filters.network.twisted_wrapper.filter import (
    LowerHalf,
    TwistedWrapper,
    UpperFactory,
)
from twisted_envoy.network.link import Link


class Shouting(ProtocolWrapper):
    """Changes bytes in both directions."""

    def dataReceived(self, data):
        super().dataReceived(data.upper())

    def write(self, data):
        super().write(b"<" + data + b">")

    def writeSequence(self, data):
        self.write(b"".join(data))


@implementer(IHalfCloseableProtocol)
class Farewell(ProtocolWrapper):
    """Knows of half-close: has a last word when the peer ends."""

    def readConnectionLost(self):
        self.wrappedProtocol.dataReceived(b"bye")
        self.wrappedProtocol.readConnectionLost()

    def writeConnectionLost(self):
        pass


class WrapperCase(SynchronousTestCase):
    def wrap(self, make, *makers, bufferSize=64 * 1024):
        """Connections through the factory that make() gives for a wrapped one."""
        upper = UpperFactory()
        self.factory = make(upper)
        self.connections = Connections([], bufferSize=bufferSize)
        self.factory.callLater = self.connections.clock.callLater
        self.connections.makers = [partial(TwistedWrapper, self.factory, upper), *makers]
        return self.connections

    def wrapIn(self, protocol, *makers):
        def make(upper):
            factory = WrappingFactory(upper)
            factory.protocol = protocol
            return factory

        return self.wrap(make, *makers)


class BytesTests(WrapperCase):
    def test_bothDirections(self):
        """The wrapper sees every byte, whatever stands above it."""
        connections = self.wrapIn(Shouting, Echo)
        client = connections.connect()

        client.transport.write(b"hello")
        connections.settle()

        self.assertEqual(client.received, b"<HELLO>")

    def test_twoWrappers(self):
        """Stand on one another."""
        connections = self.wrapIn(Shouting, Echo)
        connections.makers.insert(0, connections.makers[0])
        client = connections.connect()

        client.transport.write(b"a")
        connections.settle()

        self.assertEqual(client.received, b"<<A>>")

    def test_aPlainProtocolAbove(self):
        """Is a stock protocol on a stock wrapper, with the connection's addresses."""
        made = []

        class Sequence(Protocol):
            def connectionMade(self):
                made.append(self.transport)
                self.transport.writeSequence([b"a", b"b"])

        connections = self.wrapIn(Shouting, Sequence)
        client = connections.connect()

        self.assertEqual(client.received, b"<ab>")
        self.assertEqual(made[0].getPeer(), client.transport.getHost())
        self.assertEqual(made[0].getHost(), client.transport.getPeer())

    def test_trafficLogging(self):
        """A stock factory writes its log of both directions."""
        base = self.mktemp()
        connections = self.wrap(lambda upper: TrafficLoggingFactory(upper, base), Echo)
        client = connections.connect()

        client.transport.write(b"hello")
        connections.settle()
        client.transport.loseConnection()
        connections.settle()

        with open(f"{base}-1") as log:
            text = log.read()
        self.assertIn("C 1: ", text)
        self.assertIn("hello", text)
        self.assertTrue(connections.chains[0].lost)

    def test_whatTheWrapperSees(self):
        """A transport below it that says what it is."""
        connections = self.wrapIn(ProtocolWrapper, Echo)
        connections.connect()
        (wrapper,) = self.factory.protocols

        lower = wrapper.transport
        self.assertIsInstance(lower, LowerHalf)
        for interface in (ITransport, IConsumer, IPushProducer):
            verifyObject(interface, lower)
        self.assertIs(lower.streamInfo, connections.chains[0].streamInfo)
        self.assertFalse(lower.disconnecting)
        self.assertEqual(lower.getPeer(), connections.chains[0].transport.getPeer())
        self.assertEqual(lower.getHost(), connections.chains[0].transport.getHost())


class EndTests(WrapperCase):
    def test_halfCloseGoesThrough(self):
        """Both ways, and nothing of 8 MiB is lost."""
        connections = self.wrapIn(ProtocolWrapper, Client)
        client = connections.connect()
        data = b"0123456789abcdef" * (1 << 19)
        upper = connections.chains[0]._links[1].protocol

        client.transport.write(data)
        client.transport.loseWriteConnection()
        connections.settle()
        self.assertTrue(upper.received == data and upper.ended)
        upper.transport.write(data)
        upper.transport.loseWriteConnection()
        connections.settle()

        self.assertTrue(client.received == data and client.ended)

    def test_aWrapperThatKnowsOfHalfClose(self):
        """Is told, and may say more first."""
        connections = self.wrapIn(Farewell, Client)
        client = connections.connect()
        upper = connections.chains[0]._links[1].protocol

        client.transport.loseWriteConnection()
        connections.settle()

        self.assertEqual(upper.received, b"bye")
        self.assertTrue(upper.ended)
        self.assertIsNone(upper.lost)

    def test_closeFromAbove(self):
        """Goes through the wrapper, which then knows that it is disconnecting."""
        connections = self.wrapIn(ProtocolWrapper, Client)
        client = connections.connect()
        (wrapper,) = self.factory.protocols
        upper = connections.chains[0]._links[1].protocol

        upper.transport.write(b"last")
        upper.transport.loseConnection()
        connections.settle()

        self.assertTrue(wrapper.disconnecting)
        self.assertEqual(client.received, b"last")
        self.assertTrue(client.ended or client.lost)

    def test_abortFromAbove(self):
        """Reaches the peer as one."""
        connections = self.wrapIn(ProtocolWrapper, Client)
        client = connections.connect()
        upper = connections.chains[0]._links[1].protocol

        upper.transport.abortConnection()
        connections.settle()

        self.assertTrue(upper.lost.check(ConnectionAborted))
        self.assertFalse(client.lost.check(ConnectionDone))

    def test_theWrapperCloses(self):
        """By its own will: a timeout, or an abort."""
        for name in ("loseConnection", "abortConnection", "stopProducing"):
            connections = self.wrapIn(ProtocolWrapper, Client)
            connections.connect()
            (wrapper,) = self.factory.protocols
            upper = connections.chains[0]._links[1].protocol

            getattr(wrapper.transport, name)()
            connections.settle()

            self.assertIsNotNone(upper.lost, name)

    def test_afterTheEndNothingHappens(self):
        """Every verb is silent, from above and from the wrapper, and nothing is kept."""
        connections = self.wrapIn(ProtocolWrapper, Client)
        client = connections.connect()
        (wrapper,) = self.factory.protocols
        link = connections.chains[0]._links[0]
        lower = wrapper.transport

        client.transport.abortConnection()
        connections.settle()

        self.assertEqual(self.factory.protocols, {})
        for part in (link, lower):
            part.write(b"x")
            part.writeSequence([b"x"])
            for verb in (
                "loseWriteConnection",
                "loseConnection",
                "abortConnection",
                "resetConnection",
                "unregisterProducer",
                "pauseProducing",
                "resumeProducing",
                "stopProducing",
            ):
                getattr(part, verb)()
        self.assertIsNone(lower.streamInfo)
        self.assertTrue(lower.disconnecting)
        link.dataReceived(b"x")
        link.connectionLost(client.lost)

    def test_refusedByTheFactory(self):
        """A factory that builds nothing refuses the connection."""
        connections = self.wrap(lambda upper: ThrottlingFactory(upper, maxConnectionCount=1), Echo)
        first = connections.connect()

        self.failureResultOf(connections.begin(), ConnectionRefusedError)

        first.transport.write(b"x")
        connections.settle()
        self.assertEqual(first.received, b"x")

    def test_anEndThatComesLate(self):
        """What a wrapper delivers after the connection is gone goes nowhere."""
        connections = self.wrapIn(ProtocolWrapper, Echo)
        client = connections.connect()
        (wrapper,) = self.factory.protocols
        upper = wrapper.wrappedProtocol

        client.transport.abortConnection()
        connections.settle()

        upper.dataReceived(b"x")
        upper.readConnectionLost()
        upper.writeConnectionLost()


class TimeTests(WrapperCase):
    def test_timeout(self):
        """A quiet connection is closed, a busy one is not."""
        connections = self.wrap(lambda upper: TimeoutFactory(upper, 30), Echo)
        client = connections.connect()

        for _ in range(5):
            connections.clock.advance(29)
            client.transport.write(b"x")
            connections.settle()
        self.assertEqual(client.received, b"xxxxx")
        connections.clock.advance(31)
        connections.settle()
        client.transport.loseConnection()
        connections.settle()

        self.assertTrue(connections.chains[0].lost)
        self.assertEqual(connections.clock.getDelayedCalls(), [])

    def test_throttledReads(self):
        """Over the limit nothing is read until the time is up; other reasons are not touched."""
        connections = self.wrap(lambda upper: ThrottlingFactory(upper, readLimit=10), Echo)
        client = connections.connect()
        client.transport.write(b"x" * 20)
        connections.settle()

        connections.clock.advance(1)
        client.transport.write(b"late")
        connections.settle()
        self.assertEqual(len(client.received), 20)
        gate = connections.chains[0].gate
        gate.shut(8)
        connections.clock.advance(1)
        connections.settle()
        self.assertEqual(len(client.received), 20)
        gate.open(8)
        connections.settle()
        self.assertEqual(len(client.received), 24)
        client.transport.abortConnection()
        connections.settle()

    def test_throttledWrites(self):
        """The producer above is paused through the wrapper."""
        connections = self.wrap(lambda upper: ThrottlingFactory(upper, writeLimit=10), Echo)
        client = connections.connect()
        client.transport.write(b"x" * 20)
        connections.settle()

        connections.clock.advance(1)
        self.assertTrue(connections.chains[0].gate.reasons)
        connections.clock.advance(1)
        self.assertFalse(connections.chains[0].gate.reasons)
        client.transport.abortConnection()
        connections.settle()


class PressureTests(WrapperCase):
    def test_backPressureGoesThrough(self):
        """A client that does not read is not read, with the wrapper between."""
        connections = self.wrapIn(ProtocolWrapper, Echo)
        client = connections.connect()
        client.transport.pauseProducing()

        for _ in range(64):
            client.transport.write(b"x" * 65536)
            connections.settle()
        chain = connections.chains[0]
        self.assertTrue(chain.gate.reasons)
        self.assertLess(chain.transport.bufferedBytes, 256 * 1024)

        client.transport.resumeProducing()
        client.transport.loseWriteConnection()
        connections.settle()
        self.assertEqual(len(client.received), 64 * 65536)

    def test_aLinkAboveThatHolds(self):
        """Bytes wait there, not in the wrapper."""

        class Holder(Link):
            __slots__ = ()

            def connectionMade(self):
                self.hold()

            def dataReceived(self, data):
                self.deliver(data)

        connections = self.wrapIn(Shouting, Holder, Echo)
        client = connections.connect()
        client.transport.write(b"a")
        connections.settle()
        self.assertEqual(client.received, b"")

        connections.chains[0]._links[1].release()
        connections.settle()

        self.assertEqual(client.received, b"<A>")
