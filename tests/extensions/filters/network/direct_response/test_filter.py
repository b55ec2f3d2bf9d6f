"""The direct response filter."""

from __future__ import annotations

from functools import partial

from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Connections
from twisted_envoy.extensions.filters.network.direct_response.filter import DirectResponse


class DirectResponseTests(SynchronousTestCase):
    def connections(self, response):
        return Connections([partial(DirectResponse, response)])

    def test_theWholeGreetingArrives(self):
        """Also when it is more than the buffers take, and over an internal hop."""
        response = b"0123456789abcdef" * (1 << 19)
        connections = self.connections(response)

        client = connections.connect()
        connections.settle()

        self.assertTrue(client.received == response)
        self.assertEqual(connections.chains[0].streamInfo.bytesSent, len(response))

    def test_thenTheConnectionEnds(self):
        """In good order."""
        connections = self.connections(b"hello")

        client = connections.connect()
        client.transport.loseConnection()
        connections.settle()

        self.assertEqual(client.received, b"hello")
        self.assertTrue(client.lost.check(ConnectionDone))
        self.assertTrue(connections.chains[0].lost)

    def test_bytesFromTheClientAreDropped(self):
        """They change nothing."""
        connections = self.connections(b"hello")

        client = connections.connect()
        client.transport.write(b"x" * 100_000)
        connections.settle()

        self.assertEqual(client.received, b"hello")
        self.assertEqual(connections.chains[0].streamInfo.bytesReceived, 0)

    def test_withoutAnAnswerItOnlyCloses(self):
        """Over an internal hop that is a refused connection."""
        connections = self.connections(b"")

        self.failureResultOf(connections.begin(), ConnectionRefusedError)
