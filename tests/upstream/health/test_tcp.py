"""Checks over TCP."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.health.support import Said
from twisted_envoy.interfaces.sockets import ConnectOptions, ListenOptions
from twisted_envoy.internal import getRegistry
from twisted_envoy.testing import MemorySockets, Origin, parseAddress
from twisted_envoy.upstream.health.tcp import TCPCheck, TCPProbe

WHERE = parseAddress("10.0.0.1:80")
REFUSED = ("NETWORK", False, 0)


class TCPProbeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.turn = getRegistry(self.clock).turn
        self.sockets = MemorySockets(self.turn)
        self.origin = Origin()
        self.said = Said()

    def probe(self, send: bytes = b"", *receive: bytes, reuse: bool = True) -> TCPProbe:
        self.sockets.serverEndpoint(WHERE, ListenOptions()).listen(self.origin)
        return self.probeOnly(send, *receive, reuse=reuse)

    def probeOnly(self, send: bytes = b"", *receive: bytes, reuse: bool = True) -> TCPProbe:
        endpoint = self.sockets.clientEndpoint(WHERE, ConnectOptions())
        return TCPProbe(endpoint, TCPCheck(send, receive), reuse, self.said)

    def settle(self) -> list[Any]:
        self.turn.pump(self.clock)
        words, self.said.words = self.said.words, []
        return words

    def test_connects(self) -> None:
        """A connection is enough when nothing is asked; it is closed again."""
        probe = self.probe()
        for number in (1, 2):
            probe.check()
            self.assertEqual(self.settle(), ["ok"])
            self.assertEqual(len(self.origin.connections), number)
            self.assertTrue(self.origin.connections[-1].ended)

    def test_refused(self) -> None:
        """Nobody listens."""
        self.probeOnly().check()
        self.assertEqual(self.settle(), [REFUSED])

    def test_answers(self) -> None:
        """The answer may come in pieces; the connection is kept."""
        probe = self.probe(b"PING", b"PO", b"G")
        for _ in range(2):
            probe.check()
            self.assertEqual(self.settle(), [])
            (peer,) = self.origin.connections
            peer.write(b"xP")
            self.assertEqual(self.settle(), [])
            peer.write(b"ONG")
            self.assertEqual(self.settle(), ["ok"])
        self.assertEqual(peer.received, b"PINGPING")

    def test_noReuse(self) -> None:
        """A new connection for each check, where the config wants that."""
        probe = self.probe(b"a", b"b", reuse=False)
        for number in (1, 2):
            probe.check()
            self.settle()
            self.origin.connections[-1].write(b"b")
            self.assertEqual(self.settle(), ["ok"])
            self.assertEqual(len(self.origin.connections), number)

    def test_lost(self) -> None:
        """A connection that the host closes, during a check or between two, is a failure."""
        probe = self.probe(b"a", b"b")
        probe.check()
        self.settle()
        self.origin.connections[0].write(b"b")
        self.assertEqual(self.settle(), ["ok"])
        self.origin.connections[0].loseConnection()
        self.assertEqual(self.settle(), ["lost"])
        probe.check()
        self.settle()
        self.origin.connections[1].abortConnection()
        self.assertEqual(self.settle(), ["lost"])

    def test_giveUp(self) -> None:
        """A check whose time is over leaves nothing behind, connected or not."""
        self.sockets.silence(WHERE)
        probe = self.probeOnly()
        probe.check()
        probe.giveUp()
        self.assertEqual(self.settle(), [])
        self.sockets._silent.clear()
        probe = self.probe(b"a", b"b")
        probe.check()
        self.settle()
        probe.giveUp()
        self.assertEqual(self.settle(), [])
        self.assertTrue(self.origin.connections[0].ended)
        probe.giveUp()

    def test_oldAnswers(self) -> None:
        """What came too early does not count, nor is it kept without bound."""
        probe = self.probe(b"a", b"b")
        probe.check()
        self.settle()
        self.origin.connections[0].write(b"x" * 200_000)
        self.settle()
        self.assertLessEqual(len(probe._connection.data), 65536)  # type: ignore[union-attr]
        self.origin.connections[0].write(b"b")
        self.assertEqual(self.settle(), ["ok"])
        self.origin.connections[0].write(b"b")
        self.settle()
        probe.check()
        self.assertEqual(self.settle(), [])
