"""Cases of Envoy's own tests of its user-space sockets, by their names, that no other test has."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.internal import InternalClientEndpoint, InternalServerEndpoint, getRegistry
from twisted_envoy.testing import Origin


class CaseTests(SynchronousTestCase):
    def setUp(self) -> None:
        """A pair: a client and what a listener made."""
        self.clock = Clock()
        origin = Origin()
        client = Origin()
        InternalServerEndpoint(self.clock, "l").listen(origin)
        InternalClientEndpoint(self.clock, "l").connect(client)
        self.settle()
        self.client, self.server = client.connections[0], origin.connections[0]

    def settle(self) -> None:
        """Let everything happen."""
        getRegistry(self.clock).turn.pump(self.clock)

    def test_RepeatedShutdownWR(self) -> None:
        """Ending twice is ending once."""
        self.client.loseWriteConnection()
        self.client.loseWriteConnection()
        self.settle()
        self.client.loseWriteConnection()
        self.settle()
        self.assertTrue(self.server.ended)
        self.assertIsNone(self.client.lost)

    def test_NotifyWritableAfterShutdownWrite(self) -> None:
        """256 bytes and an end for a reader that is paused: both come when it reads again."""
        self.server.pauseProducing()
        self.client.write(b"x" * 256)
        self.client.loseWriteConnection()
        self.settle()
        self.assertEqual((self.server.received, self.server.ended), (b"", False))
        self.server.resumeProducing()
        self.settle()
        self.assertEqual((self.server.received, self.server.ended), (b"x" * 256, True))

    def test_endForAPausedReader(self) -> None:
        """An end without bytes waits for a reader that is paused as well."""
        self.server.pauseProducing()
        self.client.loseWriteConnection()
        self.settle()
        self.assertFalse(self.server.ended)
        self.server.resumeProducing()
        self.settle()
        self.assertTrue(self.server.ended)

    def test_findByAddress(self) -> None:
        """Each connection comes to the listener of its name."""
        for name in ("first", "second"):
            origin, client = Origin(), Origin()
            InternalServerEndpoint(self.clock, name).listen(origin)
            InternalClientEndpoint(self.clock, name).connect(client)
            self.settle()
            self.assertEqual((len(origin.connections), len(client.connections)), (1, 1))

    def test_ReadAfterShutdownWrite(self) -> None:
        """One's own end does not stop reading."""
        self.client.loseWriteConnection()
        self.settle()
        self.server.write(b"late")
        self.settle()
        self.assertEqual(self.client.received, b"late")

    def test_WriteErrorAfterShutdown(self) -> None:
        """What is written behind one's own end goes nowhere, and harms nobody."""
        self.client.loseWriteConnection()
        self.settle()
        self.client.write(b"too late")
        self.settle()
        self.assertEqual(self.server.received, b"")
        self.assertIsNone(self.client.lost)

    def test_WriteErrorAfterClose(self) -> None:
        """The same when the peer has closed, but then the connection is lost."""
        self.server.loseConnection()
        self.settle()
        self.assertEqual((self.client.ended, self.client.lost), (True, None))
        self.client.write(b"too late")
        self.settle()
        self.assertEqual(self.server.received, b"")
        assert self.client.lost is not None
        self.assertIsInstance(self.client.lost.value, ConnectionLost)

    def test_NoErrorWriteZeroDataToClosed(self) -> None:
        """Nothing may be written at any time."""
        self.client.write(b"")
        self.settle()
        self.server.loseConnection()
        self.settle()
        self.client.write(b"")
        self.settle()
        self.assertEqual((self.server.received, self.client.lost), (b"", None))

    def test_Close(self) -> None:
        """Data, then the end, then the loss, in this order and each once."""
        self.client.write(b"last words")
        self.client.loseConnection()
        self.settle()
        self.server.loseConnection()
        self.settle()
        self.assertEqual((self.server.received, self.server.ended), (b"last words", True))
        assert self.client.lost is not None
        self.assertIsInstance(self.client.lost.value, ConnectionDone)
