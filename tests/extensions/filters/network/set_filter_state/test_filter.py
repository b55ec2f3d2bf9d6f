"""The set_filter_state filter."""

from __future__ import annotations

from functools import partial

from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Connections
from twisted_envoy.codec.tls_info import TLSInfo
from twisted_envoy.extensions.common.filter_state.values import FilterStateValue
from twisted_envoy.extensions.filters.network.set_filter_state.filter import (
    SetFilterState,
    SetFilterStateOnData,
)
from twisted_envoy.network.link import Link
from twisted_envoy.state.filter_state import StringObject


class Upper(Protocol):
    """Sees the state at its beginning, and what comes."""

    def __init__(self):
        self.received = []

    def connectionMade(self):
        self.seen = self.value()

    def dataReceived(self, data):
        self.received.append((data, self.value()))

    def value(self):
        found = self.transport.streamInfo.filterState.get("k")
        return None if found is None else found.value


class Dressed(Link):
    """Makes it a connection inside TLS."""

    def __init__(self, tls):
        self.tls = tls

    def connectionMade(self):
        self.streamInfo.tls = self.tls


class HalfCloser(Link):
    """Goes on after the end of the stream."""

    halfCloses = True

    def readConnectionLost(self):
        """Nothing ends."""


class SetFilterStateTests(SynchronousTestCase):
    def setUp(self):
        self.calls = 0

    def values(self, name):
        def text(context):
            self.calls += 1
            return f"{name} {context.now} {context.streamInfo.bytesReceived}"

        return (FilterStateValue("k", StringObject, text),)

    def connect(self, *makers, tls=None, last=Upper):
        uppers = []

        def upper():
            uppers.append(last())
            return uppers[-1]

        self.connections = Connections([])
        self.connections.clock.advance(5)
        seconds = self.connections.clock.seconds
        self.connections.makers = [
            partial(Dressed, tls),
            *(partial(make, seconds, *rest) for make, *rest in makers),
            upper,
        ]
        return self.connections.connect(), uppers

    def send(self, client, data):
        client.transport.write(data)
        self.connections.settle()

    def test_onNewConnection(self):
        """Set before later filters start; the filter is not on the byte path."""
        _, (upper,) = self.connect((SetFilterState, self.values("new")))

        self.assertEqual(upper.seen, "new 5.0 0")
        self.assertFalse(SetFilterState.reads or SetFilterState.writes or SetFilterState.ends)

    def test_onData(self):
        """Set at the first bytes, which a format counts; they go on behind it."""
        client, (upper,) = self.connect((SetFilterStateOnData, (), (), self.values("data")))
        self.assertIsNone(upper.seen)

        self.send(client, b"abc")
        self.send(client, b"defgh")

        self.assertEqual(upper.received, [(b"abc", "data 5.0 3"), (b"defgh", "data 5.0 3")])
        self.assertEqual(self.calls, 1)
        self.assertEqual(self.connections.chains[0].streamInfo.bytesReceived, 0)

    def test_both(self):
        """First one, then the other."""
        client, (upper,) = self.connect(
            (SetFilterStateOnData, self.values("new"), (), self.values("data"))
        )
        self.send(client, b"a")
        self.assertEqual(upper.seen, "new 5.0 0")
        self.assertEqual(upper.received, [(b"a", "data 5.0 1")])

    def test_anEndOfTheConnection(self):
        """An end without bytes that closes the connection sets nothing, and goes on."""
        client, (upper,) = self.connect((SetFilterStateOnData, (), (), self.values("data")))

        client.transport.loseWriteConnection()
        self.connections.settle()

        self.assertEqual(self.calls, 0)
        self.assertTrue(self.connections.chains[0].lost)

    def test_anEndOfTheStreamCountsAsTheFirstBytes(self):
        """Where the terminal filter goes on after it, it sets the objects."""
        maker = (SetFilterStateOnData, (), (), self.values("data"))
        client, _ = self.connect(maker, last=HalfCloser)

        client.transport.loseWriteConnection()
        self.connections.settle()

        self.assertEqual(self.calls, 1)
        self.assertFalse(self.connections.chains[0].lost)

    def test_withoutTLS(self):
        """A connection is open at once; later filters see it."""
        _, (upper,) = self.connect((SetFilterState, self.values("new"), self.values("open")))
        self.assertEqual((upper.seen, self.calls), ("open 5.0 0", 2))

    def test_handshake(self):
        """Set when it is done, not before, and only once."""
        tls = TLSInfo(None)
        _, (upper,) = self.connect((SetFilterState, (), self.values("open")), tls=tls)
        self.assertEqual((upper.seen, self.calls), (None, 0))

        tls.opened()
        self.assertEqual((upper.value(), self.calls), ("open 5.0 0", 1))

    def test_itLeavesThePath(self):
        """After the first bytes the next reader stands where it stood."""
        client, (upper,) = self.connect((SetFilterStateOnData, (), (), self.values("data")))
        self.send(client, b"a")
        chain = self.connections.chains[0]
        self.assertNotIsInstance(chain.dataReceived.__self__, SetFilterStateOnData)
