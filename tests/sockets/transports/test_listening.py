"""Listening by way of the reactor: the tests of ours, and reactors that adopt nothing."""

from __future__ import annotations

import os
import socket
import stat
from typing import Any

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.error import CannotListenError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.sockets import test_listening as ours
from tests.sockets.loopback import ANY_PORT, Accepting, LoopbackTestCase, overTransports
from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.sockets.events import SocketContext
from twisted_envoy.sockets.interfaces import ListenOptions
from twisted_envoy.sockets.transports.listening import TransportPort

BindTests = overTransports(ours.BindTests, __name__)
UnixTests = overTransports(ours.UnixTests, __name__)
AcceptTests = overTransports(ours.AcceptTests, __name__)
PlainProtocolTests = overTransports(ours.PlainProtocolTests, __name__)


class ModeTests(LoopbackTestCase):
    transports = True

    async def test_modeIsLeftAlone(self) -> None:
        """Without one in the config a path has the mode that the process gives its files."""
        path = self.mktemp()
        mask = os.umask(0o027)
        try:
            await self.listen(Accepting(), UNIXAddress(path))
        finally:
            os.umask(mask)

        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o750)


class PlainReactor(Clock):
    """Listens for TCP, and adopts nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []

    def listenTCP(self, port: int, factory: Any, backlog: int, interface: str) -> Any:
        self.asked.append((port, backlog, interface))
        return self

    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", "127.0.0.1", 7)


class PlainReactorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = PlainReactor()
        self.context = SocketContext(self.reactor, TurnQueue(self.reactor))  # type: ignore[arg-type]

    def test_listens(self) -> None:
        """It is asked to."""
        port = TransportPort(ANY_PORT, ListenOptions(backlog=9), Accepting(), self.context)

        port.startListening()

        self.assertEqual(self.reactor.asked, [(0, 9, "127.0.0.1")])
        self.assertEqual(port.getHost(), IPv4Address("TCP", "127.0.0.1", 7))

    def test_whatItCannot(self) -> None:
        """Options and Unix sockets are refused, not ignored."""
        options = ((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),)
        for address, wanted in (
            (ANY_PORT, ListenOptions(freebind=True)),
            (ANY_PORT, ListenOptions(transparent=True)),
            (ANY_PORT, ListenOptions(options=options)),
            (ANY_PORT, ListenOptions(boundOptions=options)),
            (ANY_PORT, ListenOptions(listeningOptions=options)),
            (UNIXAddress("/a"), ListenOptions()),
        ):
            port = TransportPort(address, wanted, Accepting(), self.context)
            self.assertRaises(CannotListenError, port.startListening)
        self.assertEqual(self.reactor.asked, [])
