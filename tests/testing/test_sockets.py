"""Sockets in memory."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import (
    CannotListenError,
    ConnectingCancelledError,
    ConnectionDone,
    ConnectionRefusedError,
    NoProtocol,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.interfaces.sockets import ConnectOptions, ListenOptions
from twisted_envoy.internal import InternalAddress, getRegistry
from twisted_envoy.testing import MemorySockets, Origin, Peer, parseAddress

WEB = IPv4Address("TCP", "127.0.0.1", 80)


class AddressTests(SynchronousTestCase):
    """Addresses as texts."""

    def test_each(self):
        """Every kind of address has its text."""
        for text, address in (
            ("1.2.3.4:80", IPv4Address("TCP", "1.2.3.4", 80)),
            ("[::1]:80", IPv6Address("TCP", "::1", 80)),
            ("/a/b", UNIXAddress(b"/a/b")),
            ("@a", UNIXAddress(b"\0a")),
            ("envoy://x/", InternalAddress("x")),
            ("envoy://x/y", InternalAddress("x", "y")),
        ):
            self.assertEqual(parseAddress(text), address)

    def test_none(self):
        """What is no address is refused."""
        for text in ("", "x", "host:80", "1.2.3.4", "1.2.3.4:x", "::1:80"):
            with self.assertRaises(ValueError):
                parseAddress(text)


class SocketTests(SynchronousTestCase):
    """Connections are made as a kernel makes them."""

    def setUp(self):
        self.clock = Clock()
        self.turn = getRegistry(self.clock).turn
        self.sockets = MemorySockets(self.turn)

    def settle(self):
        self.turn.pump(self.clock)

    def listen(self, address, factory=None):
        factory = Origin() if factory is None else factory
        port = self.successResultOf(
            self.sockets.serverEndpoint(address, ListenOptions()).listen(factory)
        )
        return factory, port

    def connect(self, address, factory=None, options=None):
        factory = Factory.forProtocol(Peer) if factory is None else factory
        factory.noisy = False
        endpoint = self.sockets.clientEndpoint(address, options or ConnectOptions())
        return endpoint.connect(factory)

    def test_exchange(self):
        """Both ends are there after a poll, with each other's addresses."""
        origin, _ = self.listen(WEB)
        connecting = self.connect(WEB, options=ConnectOptions(("10.0.0.1", 77)))

        self.assertNoResult(connecting)
        self.settle()
        client = self.successResultOf(connecting)
        client.write(b"ping")
        self.settle()

        server = origin.connections[0]
        self.assertEqual(server.received, b"ping")
        self.assertEqual(server.transport.getPeer(), IPv4Address("TCP", "10.0.0.1", 77))
        self.assertEqual(server.transport.getHost(), WEB)
        self.assertEqual(client.transport.getHost(), IPv4Address("TCP", "10.0.0.1", 77))
        self.assertEqual(client.transport.getPeer(), WEB)

    def test_sources(self):
        """Each client without an address of its own gets a loopback port, a Unix one no name."""
        seen = []
        for address in (WEB, IPv6Address("TCP", "::1", 80), UNIXAddress(b"/x")):
            origin, _ = self.listen(address)
            self.connect(address)
            self.settle()
            seen.append(origin.connections[0].transport.getPeer())
        self.assertEqual([one.host for one in seen[:2]], ["127.0.0.1", "::1"])
        self.assertGreater(seen[0].port, 0)
        self.assertEqual(seen[2], UNIXAddress(None))

    def test_refused(self):
        """Nobody listens: refused by the kernel, one poll later."""
        connecting = self.connect(WEB)
        self.assertNoResult(connecting)
        self.settle()
        problem = self.failureResultOf(connecting, ConnectionRefusedError).value
        self.assertEqual(problem.osError, 111)

    def test_wildcard(self):
        """Who listens at every address is reached at each."""
        origin, _ = self.listen(IPv4Address("TCP", "0.0.0.0", 80))
        self.connect(WEB)
        self.settle()
        self.assertEqual(len(origin.connections), 1)

    def test_ports(self):
        """Port 0 is a free port; a taken address is refused; a stopped port gives it back."""
        _, first = self.listen(IPv4Address("TCP", "127.0.0.1", 0))
        _, second = self.listen(IPv4Address("TCP", "127.0.0.1", 0))
        self.assertNotIn(first.getHost().port, (0, second.getHost().port))

        again = self.sockets.serverEndpoint(first.getHost(), ListenOptions()).listen(Origin())
        self.failureResultOf(again, CannotListenError)
        self.successResultOf(first.stopListening())
        self.successResultOf(first.stopListening())
        self.listen(first.getHost())

    def test_silence(self):
        """A silent address answers nothing; the attempt can be cancelled."""
        self.sockets.silence(WEB)
        connecting = self.connect(WEB)
        self.settle()
        self.assertNoResult(connecting)
        connecting.cancel()
        self.failureResultOf(connecting, ConnectingCancelledError)

    def test_cancelledBeforeThePoll(self):
        """A cancelled attempt makes no connection."""
        origin, _ = self.listen(WEB)
        connecting = self.connect(WEB)
        connecting.cancel()
        self.settle()
        self.failureResultOf(connecting, ConnectingCancelledError)
        self.assertEqual(origin.connections, [])

    def test_listenerTakesNone(self):
        """A factory that builds nothing closes: the client is connected, and then it ends."""
        refusing = Factory.forProtocol(Peer)
        refusing.noisy = False
        refusing.buildProtocol = lambda addr: None
        self.listen(WEB, refusing)
        connecting = self.connect(WEB)
        self.settle()
        self.assertTrue(self.successResultOf(connecting).ended)

    def test_listenerRaises(self):
        """A factory that raises resets that connection and is logged."""
        broken = Factory()
        broken.noisy = False
        broken.buildProtocol = lambda addr: 1 / 0
        self.listen(WEB, broken)
        connecting = self.connect(WEB)
        self.settle()
        self.assertTrue(self.successResultOf(connecting).wasReset)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_clientTakesNone(self):
        """A client factory that builds nothing or raises fails its own attempt only."""
        origin, _ = self.listen(WEB)
        for build, problem in (
            (lambda addr: None, NoProtocol),
            (lambda a: 1 / 0, ZeroDivisionError),
        ):
            factory = Factory()
            factory.buildProtocol = build
            connecting = self.connect(WEB, factory)
            self.settle()
            self.failureResultOf(connecting, problem)
        self.assertEqual(origin.connections, [])

    def test_cancelledByTheProtocol(self):
        """An attempt that its own protocol cancels is reset."""
        attempts = []

        class Cancelling(Protocol):
            def connectionMade(self):
                attempts[0].cancel()

        origin, _ = self.listen(WEB)
        attempts.append(self.connect(WEB, Factory.forProtocol(Cancelling)))
        self.settle()
        self.failureResultOf(attempts[0], ConnectingCancelledError)
        self.assertTrue(origin.connections[0].wasReset)

    def test_verbs(self):
        """A Peer's verbs are its transport's."""
        origin, _ = self.listen(WEB)
        client = self.successResultOf(self._settled(self.connect(WEB)))
        server = origin.connections[0]
        server.pauseProducing()
        client.write(b"held")
        client.loseWriteConnection()
        self.settle()
        self.assertEqual((server.received, server.ended), (b"", False))

        server.resumeProducing()
        self.settle()
        self.assertEqual((server.received, server.ended), (b"held", True))

        server.write(b"late")
        server.loseConnection()
        self.settle()
        self.assertEqual((client.received, client.ended), (b"late", True))
        self.assertTrue(server.lost.check(ConnectionDone))
        self.assertFalse(server.wasReset)

    def _settled(self, connecting):
        self.settle()
        return connecting
