"""Tests for `twisted_envoy.server.workers.sockets`."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from tests.sockets.loopback import ANY_PORT
from twisted_envoy.server.workers import sockets
from twisted_envoy.server.workers.sockets import (
    CLOSED,
    HeldPort,
    HeldSockets,
    InheritedSockets,
    listenTogether,
)
from twisted_envoy.sockets.interfaces import ListenOptions


class Adopting:
    """Records what it is to adopt."""

    def __init__(self) -> None:
        self.given: list[tuple[object, socket.socket]] = []

    def adoptingEndpoint(self, address: object, options: object, given: socket.socket) -> str:
        self.given.append((address, given))
        return "endpoint"


class HeldSocketsTests(SynchronousTestCase):
    """What the first process keeps."""

    def listen(self, address: Any, count: int = 2, **options: Any) -> HeldPort:
        """One address of so many workers."""
        self.held = HeldSockets(count)
        endpoint = self.held.serverEndpoint(address, ListenOptions(**options))
        listening: Deferred[Any] = endpoint.listen(Factory())
        port = self.successResultOf(listening)
        assert isinstance(port, HeldPort)
        self.addCleanup(port.stopListening)
        return port

    def test_oneEach(self) -> None:
        """Each worker has a socket of its own; all share the port that the kernel chose."""
        port = self.listen(ANY_PORT, 3)
        names = {one.getsockname() for one in port.sockets}
        self.assertEqual(len(port.sockets), 3)
        self.assertEqual(names, {("127.0.0.1", port.getHost().port)})  # type: ignore[attr-defined]
        self.assertEqual(
            [self.held.descriptors(index) for index in range(3)],
            [[one.fileno()] for one in port.sockets],
        )

    def test_noReusePort(self) -> None:
        """Without it there is one for all."""
        port = self.listen(ANY_PORT, 3, reusePort=False)
        self.assertEqual(len(port.sockets), 1)
        self.assertEqual(self.held.descriptors(2), [port.sockets[0].fileno()])

    def test_elsewhere(self) -> None:
        """On other systems than Linux there is one for all, too."""
        self.patch(sockets, "_LINUX", False)
        self.assertEqual(len(self.listen(ANY_PORT, 3).sockets), 1)

    def test_pipe(self) -> None:
        """A Unix socket is one for all; its path goes with it."""
        path = self.mktemp()
        port = self.listen(UNIXAddress(path.encode()))
        self.assertEqual(len(port.sockets), 1)
        self.assertTrue(os.path.exists(path))
        port.stopListening()
        self.assertFalse(os.path.exists(path))

    def test_stops(self) -> None:
        """Then there is nothing to inherit, and it can stop again."""
        port = self.listen(ANY_PORT)
        port.startListening()
        port.stopListening()
        self.assertIsNone(self.successResultOf(port.stopListening()))
        self.assertEqual(self.held.descriptors(0), [CLOSED])

    def test_inUse(self) -> None:
        """An address that somebody has alone: nothing stays open."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = IPv4Address("TCP", "127.0.0.1", other.getsockname()[1])
            error = self.assertRaises(
                CannotListenError, listenTogether, address, ListenOptions(), 2
            )
        self.assertIn("Address already in use", str(error))


class InheritedSocketsTests(SynchronousTestCase):
    """What a worker has of them."""

    def test_inOrder(self) -> None:
        """Each address takes the next descriptor."""
        ours, theirs = socket.socketpair()
        self.addCleanup(theirs.close)
        self.addCleanup(ours.close)
        adopting: Any = Adopting()
        inherited = InheritedSockets(adopting, [os.dup(ours.fileno())])
        self.assertEqual(inherited.serverEndpoint(ANY_PORT, ListenOptions()), "endpoint")
        ((address, given),) = adopting.given
        self.addCleanup(given.close)
        self.assertEqual((address, given.getblocking()), (ANY_PORT, False))

    def test_closed(self) -> None:
        """Where nobody listens any more there is a port that gets nothing."""
        inherited = InheritedSockets(Adopting(), [CLOSED])  # type: ignore[arg-type]
        listening = inherited.serverEndpoint(ANY_PORT, ListenOptions()).listen(Factory())
        port: Any = self.successResultOf(listening)  # type: ignore[arg-type]
        port.startListening()
        self.assertEqual(port.getHost(), ANY_PORT)
        self.assertIsNone(self.successResultOf(port.stopListening()))
