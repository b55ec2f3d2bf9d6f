"""The endpoints of Twisted's transports: the tests of ours, and what only these do."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.interfaces import IReactorTCP
from zope.interface import implementer

from tests.sockets import test_endpoints as ours
from tests.sockets.loopback import (
    PAYLOAD,
    Accepting,
    HalfRecorder,
    LoopbackTestCase,
    overTransports,
)
from twisted_envoy.sockets.choosing import socketsFor
from twisted_envoy.sockets.interfaces import ListenOptions
from twisted_envoy.sockets.transports.endpoints import TransportSockets

EndpointTests = overTransports(ours.EndpointTests, __name__)
ManyConnectionsTests = overTransports(ours.ManyConnectionsTests, __name__)


class AdoptingTests(LoopbackTestCase):
    """Sockets that listen already, which other processes have too."""

    transports = True

    async def adopt(self, sock: socket.socket, address: IPv4Address | UNIXAddress) -> None:
        """Connect over a copy of it, then stop: the socket itself still takes connections."""
        assert isinstance(self.sockets, TransportSockets)
        copy = sock.dup()
        copy.setblocking(False)
        accepting, client = Accepting(), HalfRecorder()
        port = await self.sockets.adoptingEndpoint(address, ListenOptions(), copy).listen(accepting)
        accepted = accepting.next()
        where = port.getHost()
        await self.connect(where, client)
        server = await accepted
        client.transport.write(b"hello")
        await server.untilSize(5)
        await client.gone()
        await server.gone()
        stopped = port.stopListening()
        if stopped is not None:
            await stopped

        other = HalfRecorder()
        connecting = self.connect(where, other)
        sock.settimeout(10)
        await connecting
        sock.accept()[0].close()
        await other.gone()

    async def test_tcp(self) -> None:
        """Of an IP address."""
        with socket.create_server(("127.0.0.1", 0)) as sock:
            await self.adopt(sock, IPv4Address("TCP", *sock.getsockname()))

    async def test_unix(self) -> None:
        """Of a path, which stays."""
        path = self.mktemp()
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(path)
            sock.listen()
            await self.adopt(sock, UNIXAddress(path))

        self.assertTrue(os.path.exists(path))


@implementer(IReactorTCP)
class OnlyTCP:
    """The reactor of the tests, as far as one goes that watches no descriptors and adopts none."""

    def __init__(self) -> None:
        from twisted.internet import reactor

        real: Any = reactor
        self.listenTCP = real.listenTCP
        self.connectTCP = real.connectTCP
        self.callLater = real.callLater


class OtherReactorTests(LoopbackTestCase):
    """Chosen because the reactor can do no more, as on Windows."""

    def setUp(self) -> None:
        super().setUp()
        self.sockets.close()
        self.sockets = socketsFor(OnlyTCP(), self.turn)
        self.transports = True

    async def test_exchange(self) -> None:
        """8 MiB each way, each followed by its end; then a reset."""
        self.assertIsInstance(self.sockets, TransportSockets)
        server, client = await self.pair()
        for one in (server, client):
            one.transport.write(PAYLOAD)
            one.transport.loseWriteConnection()
        await server.untilEvent("end")
        await client.untilEvent("end")
        self.assertTrue(server.data == PAYLOAD and client.data == PAYLOAD)
        self.assertEqual(client.transport.getPeer(), server.transport.getHost())

        server, client = await self.pair()
        server.transport.write(b"last words")
        server.transport.resetConnection()
        await client.untilEvent("lost")
        self.assertEqual(client.data, b"last words")
        self.assertTrue(client.reason.check(ConnectionLost))
        self.assertTrue(server.reason.check(ConnectionAborted))
