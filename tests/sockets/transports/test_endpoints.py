"""The endpoints of Twisted's transports: the tests of ours, and what only these do."""

from __future__ import annotations

import os
import socket

from twisted.internet.address import UNIXAddress

from tests.sockets import test_endpoints as ours
from tests.sockets.loopback import Accepting, HalfRecorder, LoopbackTestCase, overTransports
from twisted_envoy.sockets.interfaces import ListenOptions
from twisted_envoy.sockets.transports.endpoints import TransportSockets

EndpointTests = overTransports(ours.EndpointTests, __name__)
ManyConnectionsTests = overTransports(ours.ManyConnectionsTests, __name__)


class AdoptingTests(LoopbackTestCase):
    """Sockets that listen already, which other processes have too."""

    transports = True

    async def adopt(self, sock: socket.socket, address: UNIXAddress) -> None:
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
            from twisted.internet.address import IPv4Address

            await self.adopt(sock, IPv4Address("TCP", *sock.getsockname()))  # type: ignore[arg-type]

    async def test_unix(self) -> None:
        """Of a path, which stays."""
        path = self.mktemp()
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(path)
            sock.listen()
            await self.adopt(sock, UNIXAddress(path))

        self.assertTrue(os.path.exists(path))
