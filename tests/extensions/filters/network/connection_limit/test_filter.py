"""The connection limit filter."""

from __future__ import annotations

from functools import partial

from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Connections, Context
from twisted_envoy.extensions.filters.network.connection_limit.filter import (
    ConnectionLimit,
    Limit,
    Unlimited,
)
from twisted_envoy.extensions.filters.network.echo.filter import Echo


class ConnectionLimitTests(SynchronousTestCase):
    def begin(self, most=1, delay=0.0):
        self.clock = Clock()
        store = Context().stats
        self.active, self.limited = store.gauge("active"), store.counter("limited")
        limit = Limit(most, delay, self.clock, self.active, self.limited)
        self.connections = Connections([partial(ConnectionLimit, limit), Echo], self.clock)
        self.limit = limit

    def echoes(self, client):
        client.transport.write(b"x")
        self.connections.settle()
        return client.received == b"x"

    def test_underTheLimit(self):
        """Connections pass, bytes and ends do too, and the filter sees no byte."""
        self.begin(most=2)

        first, second = self.connections.connect(), self.connections.connect()

        self.assertTrue(self.echoes(first) and self.echoes(second))
        self.assertFalse(ConnectionLimit.reads or ConnectionLimit.writes)
        self.assertEqual((self.active.value, self.limited.value), (2, 0))
        first.transport.loseWriteConnection()
        self.connections.settle()
        self.assertTrue(self.connections.chains[0].lost)
        self.assertEqual(self.active.value, 1)

    def test_oneTooManyIsClosedAtOnce(self):
        """The filters behind it never hear of it."""
        self.begin()
        first = self.connections.connect()

        self.failureResultOf(self.connections.begin(), ConnectionRefusedError)

        self.assertTrue(self.echoes(first))
        self.assertEqual((self.active.value, self.limited.value), (1, 1))
        info = self.connections.chains[1].streamInfo
        self.assertEqual(info.localCloseReason, "over_connection_limit")

    def test_aPlaceIsFreeAgain(self):
        """Once the first is gone another may come."""
        self.begin()
        first = self.connections.connect()
        first.transport.loseConnection()
        self.connections.settle()

        self.assertTrue(self.echoes(self.connections.connect()))
        self.assertEqual((self.active.value, self.limited.value), (1, 0))

    def test_delay(self):
        """What one too many sends in that time goes nowhere, then it is closed."""
        self.begin(delay=0.5)
        self.connections.connect()
        late = self.connections.connect()

        self.assertFalse(self.echoes(late))
        self.assertEqual(self.active.value, 2)
        self.clock.advance(0.499)
        self.connections.settle()
        self.assertFalse(late.ended or late.lost)
        self.clock.advance(0.001)
        self.connections.settle()

        self.assertTrue(late.ended or late.lost)
        self.assertEqual(late.received, b"")

    def test_waitingConnectionsCount(self):
        """As long as they are there they take a place."""
        self.begin(delay=1.0)
        first = self.connections.connect()
        late = self.connections.connect()
        first.transport.loseConnection()
        self.connections.settle()

        another = self.connections.connect()

        self.assertFalse(self.echoes(another))
        self.assertEqual((self.active.value, self.limited.value), (2, 2))
        for client in (late, another):
            client.transport.abortConnection()
        self.connections.settle()
        self.assertEqual((self.active.value, self.limit.connections), (0, 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_aClientThatEndsWhileItWaits(self):
        """Is closed when its time is over and not before: nobody reads, as in Envoy."""
        self.begin(delay=9.0)
        self.connections.connect()
        late = self.connections.connect()

        late.transport.loseWriteConnection()
        self.connections.settle()

        self.assertFalse(late.ended or late.lost)
        self.clock.advance(9)
        self.connections.settle()
        self.assertTrue(late.ended or late.lost)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_switchedOff(self):
        """It takes no part in anything."""
        self.assertFalse(
            Unlimited.makes
            or Unlimited.reads
            or Unlimited.writes
            or Unlimited.ends
            or Unlimited.loses
        )
