"""The socket interface as a whole: under every reactor, and with very many connections."""

from __future__ import annotations

import gc
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from twisted.internet.address import HostnameAddress
from twisted.internet.defer import gatherResults
from twisted.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from twisted.internet.utils import getProcessOutputAndValue
from zope.interface.verify import verifyObject

import tests
from tests.sockets.loopback import ANY_PORT, Accepting, HalfRecorder, LoopbackTestCase
from twisted_envoy.sockets.events import NOBODY
from twisted_envoy.sockets.interfaces import ConnectOptions, ISocketInterface, ListenOptions
from twisted_envoy.sockets.stream import StreamSocket
from twisted_envoy.sockets.transports.outgoing import Outgoing
from twisted_envoy.sockets.transports.stream import TransportStream
from twisted_envoy.sockets.write_buffer import WriteBuffer

CONNECTIONS = 2_000
AT_ONCE = 50


class EndpointTests(LoopbackTestCase):
    async def test_interfaces(self) -> None:
        """It makes what Twisted calls endpoints."""
        verifyObject(ISocketInterface, self.sockets)
        server = self.sockets.serverEndpoint(ANY_PORT, ListenOptions())
        client = self.sockets.clientEndpoint(ANY_PORT, ConnectOptions())

        self.assertTrue(verifyObject(IStreamServerEndpoint, server))
        self.assertTrue(verifyObject(IStreamClientEndpoint, client))

    async def test_listeningIsDoneAtOnce(self) -> None:
        """The Deferred has fired, so that a bind error is known before a daemon forks."""
        endpoint = self.sockets.serverEndpoint(ANY_PORT, ListenOptions())

        listening = endpoint.listen(Accepting())

        self.assertTrue(listening.called)
        port = await listening
        await port.stopListening()  # type: ignore[misc]

    async def test_otherAddresses(self) -> None:
        """An address that no socket has is an error of listen."""
        endpoint = self.sockets.serverEndpoint(HostnameAddress(b"x", 1), ListenOptions())

        await self.assertFailure(endpoint.listen(Accepting()), TypeError)

    async def test_nobodyHears(self) -> None:
        """What stands for the protocol of a lost connection takes every event."""
        NOBODY.makeConnection(None)
        NOBODY.dataReceived(b"x")
        NOBODY.readConnectionLost()
        NOBODY.writeConnectionLost()
        NOBODY.connectionLost(None)  # type: ignore[arg-type]


class ManyConnectionsTests(LoopbackTestCase):
    """Connections opened and dropped leave nothing behind."""

    async def count(self) -> tuple[int, int]:
        await self.nextPoll()  # the event that ended the last one is over
        gc.collect()
        kinds = (StreamSocket, WriteBuffer, TransportStream, Outgoing)
        objects = sum(type(item) in kinds for item in gc.get_objects())
        return objects, len(os.listdir("/proc/self/fd"))

    async def test_nothingIsLeft(self) -> None:
        """No object and no descriptor, whoever drops them and how."""
        accepting = Accepting()
        port = await self.listen(accepting)
        before = await self.count()

        for round_ in range(CONNECTIONS // AT_ONCE):
            await self.openAndDrop(port, accepting, round_)
        while self.sockets._context.lingering:
            await self.nextPoll()

        await self.nothingSince(before)

    async def nothingSince(self, before: tuple[int, ...]) -> None:
        """There is no more than before; what other tests left may go meanwhile."""
        for now, then in zip(await self.count(), before, strict=True):
            self.assertLessEqual(now, then)

    async def openAndDrop(self, port: Any, accepting: Accepting, round_: int) -> None:
        peers = []
        for _ in range(AT_ONCE):
            peer = socket.socket()
            peer.connect((port.getHost().host, port.getHost().port))
            peers.append(peer)
        while len(accepting.accepted) < AT_ONCE:
            await self.nextPoll()
        servers, accepting.accepted = accepting.accepted, []
        for number, (server, peer) in enumerate(zip(servers, peers, strict=True)):
            way = (number + round_) % 4
            if way == 0:
                server.transport.write(b"x")
                server.transport.loseConnection()
            elif way == 1:
                server.transport.abortConnection()
            elif way == 2:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                server.on["end"] = lambda server: server.transport.loseConnection()
            peer.close()
        await gatherResults([server.untilEvent("lost") for server in servers])

    async def test_connecting(self) -> None:
        """The same for connections that we make."""
        accepting = Accepting()
        port = await self.listen(accepting)
        before = await self.count()

        for _ in range(10):
            clients = [HalfRecorder() for _ in range(AT_ONCE)]
            await gatherResults([self.connect(port.getHost(), client) for client in clients])
            while len(accepting.accepted) < AT_ONCE:
                await self.nextPoll()
            servers, accepting.accepted = accepting.accepted, []
            await gatherResults([recorder.gone() for recorder in clients + servers])
        del clients, servers

        await self.nothingSince(before)


class ReactorTests(LoopbackTestCase):
    """Everything once more, in a process of its own, under other reactors."""

    timeout = 90

    async def run_under(self, kind: str) -> None:
        root = str(Path(tests.__file__).parent.parent)
        environment = dict(os.environ, PYTHONPATH=root)
        arguments = ["-m", "tests.sockets.exchange", kind]

        out, err, status = await getProcessOutputAndValue(
            sys.executable, arguments, environment, path="."
        )

        self.assertEqual((out, err, status), (b"fine\n", b"", 0), out.decode() + err.decode())

    async def test_epoll(self) -> None:
        """Linux' own."""
        await self.run_under("epoll")

    async def test_poll(self) -> None:
        """poll()."""
        await self.run_under("poll")

    async def test_select(self) -> None:
        """select()."""
        await self.run_under("select")

    async def test_asyncio(self) -> None:
        """asyncio's event loop."""
        await self.run_under("asyncio")
