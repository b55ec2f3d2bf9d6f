"""
Tests for twisted_envoy.internal.port.
"""

from __future__ import annotations

import errno

from twisted.internet.error import CannotListenError, ConnectionRefusedError
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase

from tests.internal.support import Recorder, Single, World
from twisted_envoy.internal import InternalAddress, InternalClientEndpoint


class InternalPortTests(SynchronousTestCase):
    """Listening and stopping."""

    def setUp(self) -> None:
        self.world = World()
        self.registry = self.world.registry

    def test_listening(self) -> None:
        """A port has its name's address, is found by it, and has started its factory."""
        factory = Single(None)
        port = self.registry.listen("a", factory)
        self.assertEqual(port.getHost(), InternalAddress("a"))
        self.assertIs(self.registry.find("a"), port)
        self.assertEqual((factory.starts, factory.stops), (1, 0))
        self.assertEqual(repr(port), "<InternalPort envoy://a/ of Single>")
        port.startListening()
        self.assertEqual(factory.starts, 1)

    def test_nameTaken(self) -> None:
        """A second listener of a name cannot listen, and its factory is not started."""
        self.registry.listen("a", Single(None))
        factory = Single(None)
        error = self.assertRaises(CannotListenError, self.registry.listen, "a", factory)
        self.assertEqual(error.socketError.errno, errno.EADDRINUSE)
        self.assertIn("another internal listener has this name", str(error))
        self.assertIn("internal:a", str(error))
        self.assertEqual(factory.starts, 0)

    def test_stopping(self) -> None:
        """Stopping refuses new connections at once, keeps old ones, and stops the factory."""
        client, server = Recorder(), Recorder()
        self.world.join(client, server)
        port = self.registry.find("listener1")
        assert port is not None
        stopped = port.stopListening()
        assert stopped is not None
        self.assertNoResult(stopped)
        endpoint = InternalClientEndpoint(self.world.clock, "listener1", registry=self.registry)
        self.failureResultOf(endpoint.connect(Single(Recorder())), ConnectionRefusedError)

        self.world.pump()
        self.assertIsNone(self.successResultOf(stopped))
        self.assertIsNone(port.stopListening())
        self.assertIn("not listening", repr(port))
        client.transport.write(b"still here")
        self.world.pump()
        self.assertEqual(server.received, b"still here")

    def test_startedAgain(self) -> None:
        """A name that was given back can be taken again, by the same port or by another."""
        factory = Single(None)
        port = self.registry.listen("a", factory)
        port.stopListening()
        self.world.pump()
        port.startListening()
        self.assertEqual((factory.starts, factory.stops), (2, 1))
        port.stopListening()
        self.registry.listen("a", Single(None))
        self.assertRaises(CannotListenError, port.startListening)
        self.assertIsNone(port.stopListening())

    def test_errorsAreLogged(self) -> None:
        """What buildProtocol or connectionMade raises is logged; the client is refused."""

        class Broken(Protocol):
            def connectionMade(self) -> None:
                raise ZeroDivisionError

        class BrokenFactory(Single):
            def buildProtocol(self, addr: object) -> Protocol | None:
                raise ZeroDivisionError

        self.registry.listen("factory", BrokenFactory(None))
        self.registry.listen("protocol", Single(Broken()))
        for name in ("factory", "protocol"):
            endpoint = InternalClientEndpoint(self.world.clock, name, registry=self.registry)
            self.failureResultOf(endpoint.connect(Single(Recorder())), ConnectionRefusedError)
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.world.pump()
