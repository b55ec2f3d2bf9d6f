"""The far ends of connections."""

from __future__ import annotations

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.testing import Origin, Peer


class Transport:
    """Records the verbs that are used."""

    def __init__(self):
        self.said = []

    def write(self, data):
        self.said.append(data)

    def loseWriteConnection(self):
        self.said.append("loseWriteConnection")

    def loseConnection(self):
        self.said.append("loseConnection")

    def abortConnection(self):
        self.said.append("abortConnection")

    def pauseProducing(self):
        self.said.append("pauseProducing")

    def resumeProducing(self):
        self.said.append("resumeProducing")


class PeerTests(SynchronousTestCase):
    """What it says and hears."""

    def test_says(self):
        """Its verbs are its transport's."""
        peer = Peer()
        transport = Transport()
        peer.makeConnection(transport)
        verbs = [
            "loseWriteConnection",
            "pauseProducing",
            "resumeProducing",
            "loseConnection",
            "abortConnection",
        ]
        peer.write(b"x")
        for verb in verbs:
            getattr(peer, verb)()
        self.assertEqual(transport.said, [b"x", *verbs])

    def test_hears(self):
        """Bytes add up; an end of stream is no loss."""
        peer = Peer()
        self.assertTrue(IHalfCloseableProtocol.providedBy(peer))
        for data in (b"a", b"bc"):
            peer.dataReceived(data)
        self.assertEqual((peer.received, peer.ended), (b"abc", False))
        peer.writeConnectionLost()
        peer.readConnectionLost()
        self.assertTrue(peer.ended)
        self.assertIsNone(peer.lost)

    def test_lost(self):
        """Only the other side's reset is a reset."""
        seen = []
        for problem in (ConnectionDone(), ConnectionAborted(), ConnectionLost()):
            peer = Peer()
            self.assertFalse(peer.wasReset)
            peer.connectionLost(Failure(problem))
            seen.append(peer.wasReset)
            self.assertIs(peer.lost.value, problem)
        self.assertEqual(seen, [False, False, True])


class OriginTests(SynchronousTestCase):
    """An upstream that keeps its connections."""

    def test_keeps(self):
        """In their order."""
        origin = Origin()
        made = [origin.buildProtocol(None) for _ in range(3)]
        self.assertEqual(origin.connections, made)
