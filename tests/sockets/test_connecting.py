"""Connecting: confirmed a poll later, refused, impossible, cancelled."""

from __future__ import annotations

import errno
import socket
from typing import Any

from twisted.internet import error, main, reactor
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IWriteDescriptor
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from tests.sockets.loopback import Accepting, HalfRecorder, LoopbackTestCase, oursOnly
from twisted_envoy.sockets.connecting import ConnectingSocket
from twisted_envoy.sockets.interfaces import ConnectOptions


def closedPort() -> IPv4Address:
    """An address on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return IPv4Address("TCP", *sock.getsockname())


class ConnectTests(LoopbackTestCase):
    async def failing(self, address: Any, options: ConnectOptions | None = None) -> Any:
        try:
            await self.connect(address, HalfRecorder(), options)
        except error.ConnectError as problem:
            return problem
        raise AssertionError("it connected")

    async def test_confirmedByTheNextPoll(self) -> None:
        """The protocol is connected later, never from inside connect."""
        port = await self.listen(Accepting())
        client = HalfRecorder()

        connecting = self.connect(port.getHost(), client)
        inside = list(client.events)
        result = await connecting

        self.assertEqual(inside, [])
        self.assertIs(result, client)
        self.assertEqual(client.events, ["made"])
        await client.gone()
        for server in self.accepted(port):
            await server.gone()

    async def test_refused(self) -> None:
        """Nobody listens: ConnectionRefusedError, later, with the number."""
        address = closedPort()

        connecting = self.connect(address, HalfRecorder())
        inside = connecting.called
        problem = await self.failing(address)

        self.assertFalse(inside)
        self.assertIsInstance(problem, error.ConnectionRefusedError)
        self.assertEqual(problem.osError, errno.ECONNREFUSED)
        await self.assertFailure(connecting, error.ConnectionRefusedError)

    async def test_withOthers(self) -> None:
        """While several sockets are told of news, connecting waits until all were told."""
        port = await self.listen(Accepting())
        outbox = self.sockets._context.outbox
        if self.sockets._context.edges is None:
            return
        outbox.isOpen = True
        client, given = HalfRecorder(), HalfRecorder()
        connecting = self.connect(port.getHost(), client)
        refused = self.connect(IPv4Address("TCP", "255.255.255.255", 1), HalfRecorder())
        givenUp = self.connect(port.getHost(), given)
        givenUp.addErrback(lambda failure: failure.trap(error.ConnectingCancelledError))
        givenUp.cancel()
        outbox.isOpen = False
        waited = len(outbox.waiting)
        outbox.empty()

        problem = await self.assertFailure(refused, error.ConnectError)
        self.assertEqual((waited, problem.atOnce), (3, True))
        self.assertIs(await connecting, client)
        self.assertEqual((client.events, given.events), (["made"], []))
        await client.gone()
        for server in port._factory.accepted:
            await server.gone()

    async def test_missingUnixSocket(self) -> None:
        """That is known at once."""
        connecting = self.connect(UNIXAddress(self.mktemp()), HalfRecorder())
        self.assertTrue(connecting.called)

        problem = await self.assertFailure(connecting, error.ConnectError)

        self.assertEqual(problem.osError, errno.ENOENT)

    async def test_unreachable(self) -> None:
        """So is an address that no packet gets to, or a port that nothing can be sent from."""
        nowhere = IPv4Address("TCP", "255.255.255.255", 9)

        problem = await self.failing(nowhere)

        self.assertIn(problem.osError, (errno.ENETUNREACH, errno.EACCES))

    async def test_sourceAddress(self) -> None:
        """The connection comes from there; one that is not ours is an error."""
        accepting = Accepting()
        port = await self.listen(accepting)
        accepted = accepting.next()
        client = HalfRecorder()

        await self.connect(port.getHost(), client, ConnectOptions(("127.0.0.2", 0)))
        server = await accepted
        problem = await self.failing(port.getHost(), ConnectOptions(("192.0.2.1", 0)))
        other = await self.failing(port.getHost(), ConnectOptions(("::1", 0)))

        self.assertEqual(server.transport.getPeer().host, "127.0.0.2")
        self.assertIsInstance(problem, error.ConnectBindError)
        self.assertEqual(problem.osError, errno.EADDRNOTAVAIL)
        self.assertIsInstance(other, error.ConnectBindError)
        self.assertEqual(other.osError, errno.EAFNOSUPPORT)
        await client.gone()
        await server.gone()

    async def test_socketOptions(self) -> None:
        """Set before connecting."""
        keepAlive = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        port = await self.listen(Accepting())
        client = HalfRecorder()

        await self.connect(port.getHost(), client, ConnectOptions(options=(keepAlive,)))

        self.assertEqual(client.transport.getHandle().getsockopt(*keepAlive[:2]), 1)
        await client.gone()
        for server in self.accepted(port):
            await server.gone()

    async def test_cancelled(self) -> None:
        """Nothing is left of the attempt."""
        port = await self.listen(Accepting())
        client = HalfRecorder()

        connecting = self.connect(port.getHost(), client)
        connecting.cancel()
        connecting.cancel()
        await self.assertFailure(connecting, error.ConnectingCancelledError)
        await self.nextPoll()

        self.assertEqual(client.events, [])
        for server in self.accepted(port):
            await server.gone()

    async def test_cancelledInside(self) -> None:
        """From inside buildProtocol or makeConnection it ends the connection that came too late."""
        port = await self.listen(Accepting())

        for where in ("build", "build and fail", "made"):
            await self.cancelInside(port, where)

        while len(self.accepted(port)) < 3:
            await self.nextPoll()
        for server in self.accepted(port):
            await server.gone()

    async def cancelInside(self, port: Any, where: str) -> None:
        client = HalfRecorder()
        client.on["made"] = lambda _: connecting.cancel()

        class Cancelling(Factory):
            noisy = False

            def buildProtocol(self, addr: Any) -> Any:
                if where != "made":
                    connecting.cancel()
                if where == "build and fail":
                    raise ValueError
                return client

        endpoint = self.sockets.clientEndpoint(port.getHost(), ConnectOptions())
        connecting = endpoint.connect(Cancelling())
        await self.assertFailure(connecting, CancelledError, error.ConnectingCancelledError)
        if where == "made":
            await client.untilEvent("lost")
        self.assertEqual(client.events, ["made", "lost"] if where == "made" else [])

    async def test_factoryFails(self) -> None:
        """No protocol, or an error of the factory, is an error of the connect."""
        port = await self.listen(Accepting())
        for answer, kind in ((None, error.NoProtocol), (ValueError(), ValueError)):

            class Building(Factory):
                noisy = False

                def buildProtocol(self, addr: Any, answer=answer) -> Any:  # type: ignore[no-untyped-def]
                    if isinstance(answer, Exception):
                        raise answer
                    return answer

            endpoint = self.sockets.clientEndpoint(port.getHost(), ConnectOptions())
            await self.assertFailure(endpoint.connect(Building()), kind)
        while len(self.accepted(port)) < 2:
            await self.nextPoll()
        for server in self.accepted(port):
            await server.gone()

    async def test_makeConnectionFails(self) -> None:
        """So is an error of the protocol; the connection is lost with it."""
        port = await self.listen(Accepting())
        client = HalfRecorder()

        def fail(recorder: Any) -> None:
            raise ValueError

        client.on["made"] = fail

        await self.assertFailure(self.connect(port.getHost(), client), ValueError)

        self.assertEqual(client.events, ["made", "lost"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        while not self.accepted(port):
            await self.nextPoll()
        for server in self.accepted(port):
            await server.gone()

    async def test_userRaises(self) -> None:
        """Whoever is told and raises has no connection; the next attempt has one."""

        class Raising:
            told: list[str] = []

            def buildProtocol(self, address: object) -> Any:
                return recorder

            def connected(self, protocol: object) -> None:
                self.told.append("connected")
                raise ZeroDivisionError("of a user")

            def connectFailed(self, reason: Failure) -> None:
                self.told.append("failed")
                raise ZeroDivisionError("of a user")

        port = await self.listen(Accepting())
        recorder = HalfRecorder()
        for address in (port.getHost(), closedPort()):
            self.sockets.clientEndpoint(address, ConnectOptions()).begin(Raising())
        other = HalfRecorder()
        await self.connect(port.getHost(), other)
        await recorder.untilEvent("lost")

        self.assertEqual(sorted(Raising.told), ["connected", "failed"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        await other.gone()
        for server in self.accepted(port):
            await server.gone()

    @oursOnly
    async def test_newsOfAnotherSocketWithTheNumber(self) -> None:
        """Events of a socket that had our descriptor before do not end an attempt."""
        accepting = Accepting()
        port = await self.listen(accepting)
        attempt = ConnectingSocket(
            port.getHost(), Factory.forProtocol(HalfRecorder), self.sockets._context
        )
        connecting = attempt.start(ConnectOptions())

        attempt.doRead()
        reactor.removeWriter(attempt)  # type: ignore[attr-defined]
        attempt.connectionLost(Failure(error.ConnectionDone()))
        protocol = await connecting

        self.assertFalse(protocol.transport.disconnected)
        protocol.transport.abortConnection()
        await protocol.untilEvent("lost")
        await accepting.accepted[0].untilEvent("lost")

    @oursOnly
    async def test_reactorStops(self) -> None:
        """An attempt that the reactor gives up fails, once."""
        accepting = Accepting()
        port = await self.listen(accepting)
        attempt = ConnectingSocket(
            port.getHost(), Factory.forProtocol(HalfRecorder), self.sockets._context
        )
        connecting = attempt.start(ConnectOptions())
        verifyObject(IWriteDescriptor, attempt)

        attempt.connectionLost(Failure(main.CONNECTION_LOST))
        attempt.connectionLost(Failure(main.CONNECTION_LOST))
        attempt.doWrite()
        await self.assertFailure(connecting, error.ConnectError)

        self.assertEqual((attempt.fileno(), attempt.logPrefix()), (-1, "connecting"))
        while not accepting.accepted:
            await self.nextPoll()
        await accepting.accepted[0].gone()
