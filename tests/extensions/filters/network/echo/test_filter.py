"""The echo filter."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Connections
from twisted_envoy.extensions.filters.network.echo.filter import Echo


class EchoTests(SynchronousTestCase):
    def setUp(self):
        self.connections = Connections([Echo])

    def test_bytesComeBack(self):
        """In order, and they are counted in both directions."""
        client = self.connections.connect()

        client.transport.write(b"one")
        client.transport.write(b"two")
        self.connections.settle()

        self.assertEqual(client.received, b"onetwo")
        info = self.connections.chains[0].streamInfo
        self.assertEqual((info.bytesReceived, info.bytesSent), (6, 6))

    def test_nothingIsLostAtTheEnd(self):
        """8 MiB and then the end of stream: all of it comes back, then the end."""
        client = self.connections.connect()
        data = bytes(range(256)) * 4096 * 8

        for start in range(0, len(data), 1 << 20):
            client.transport.write(data[start : start + (1 << 20)])
        client.transport.loseWriteConnection()
        self.connections.settle()

        self.assertTrue(client.received == data)
        self.assertIsNotNone(client.lost or client.ended)
        client.transport.loseConnection()
        self.connections.settle()
        self.assertTrue(client.lost.check(ConnectionDone))
        self.assertTrue(self.connections.chains[0].lost)

    def test_aClientThatDoesNotReadIsNotRead(self):
        """What is under way stays bounded, and all arrives once it reads."""
        client = self.connections.connect()
        client.transport.pauseProducing()
        total = 0
        for _ in range(64):
            client.transport.write(b"x" * 65536)
            total += 65536
            self.connections.settle()

        chain = self.connections.chains[0]
        self.assertTrue(chain.gate.reasons)
        self.assertLess(chain.transport.bufferedBytes, 256 * 1024)

        client.transport.resumeProducing()
        client.transport.loseWriteConnection()
        self.connections.settle()
        self.assertEqual(len(client.received), total)
        self.assertTrue(client.ended or client.lost)

    def test_aResetEndsIt(self):
        """Nothing is written to a client that is gone."""
        client = self.connections.connect()

        client.transport.abortConnection()
        self.connections.settle()

        self.assertTrue(self.connections.chains[0].lost)
