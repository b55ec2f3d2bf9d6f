"""Listening sockets: binding, accepting in batches, running out of descriptors."""

from __future__ import annotations

import os
import resource
import socket
import stat
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.internet.interfaces import IListeningPort, IReadDescriptor
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from tests.sockets.loopback import ANY_PORT, Accepting, HalfRecorder, LoopbackTestCase, oursOnly
from twisted_envoy.sockets import listening
from twisted_envoy.sockets.interfaces import ListenOptions


def dial(port: Any) -> socket.socket:
    """A blocking socket that is connected to a port of ours."""
    host = port.getHost()
    peer = socket.socket()
    peer.settimeout(10)
    peer.connect((host.host, host.port))
    return peer


class BindTests(LoopbackTestCase):
    async def test_isAPort(self) -> None:
        """It is what endpoints give and reactors watch."""
        port = await self.listen(Accepting())

        verifyObject(IListeningPort, port)
        if not self.transports:
            verifyObject(IReadDescriptor, port)
            self.assertEqual(port.logPrefix(), "listener")

    async def test_portChosenByTheKernel(self) -> None:
        """Port 0 becomes a real one; the accepted connection knows it too."""
        port = await self.listen(Accepting())

        self.assertEqual(port.getHost().host, "127.0.0.1")
        self.assertGreater(port.getHost().port, 0)

    @oursOnly
    async def test_addressThatNobodyAsksFor(self) -> None:
        """A factory that does not ask gets none; the transport knows it, when somebody asks."""
        given = []

        class Incurious(Accepting):
            asksPeer = False

            def buildProtocol(self, addr: Any) -> Any:
                given.append(addr)
                return super().buildProtocol(addr)

        factory = Incurious()
        port = await self.listen(factory)
        accepting = factory.next()

        with dial(port) as peer:
            server = await accepting
            host, number = peer.getsockname()

        self.assertEqual(given, [None])
        self.assertEqual(server.transport.getPeer(), IPv4Address("TCP", host, number))
        await server.gone()

    async def test_wildcard(self) -> None:
        """An accepted connection's host is the address that was dialled, not the wildcard."""
        accepting = Accepting()
        port = await self.listen(accepting, IPv4Address("TCP", "0.0.0.0", 0))
        accepted = accepting.next()
        with socket.create_connection(("127.0.0.1", port.getHost().port)):
            server = await accepted

        self.assertEqual(server.transport.getHost().host, "127.0.0.1")
        await server.gone()

    async def test_ipv6(self) -> None:
        """The same over IPv6, and both ends know their addresses."""
        accepting, client = Accepting(), HalfRecorder()
        port = await self.listen(accepting, IPv6Address("TCP", "::1", 0))
        accepted = accepting.next()

        await self.connect(port.getHost(), client)
        server = await accepted

        self.assertEqual(server.transport.getHost(), port.getHost())
        self.assertEqual(client.transport.getHost(), server.transport.getPeer())
        self.assertIsInstance(client.transport.getHost(), IPv6Address)
        await server.gone()
        await client.gone()

    async def test_ipv4Compat(self) -> None:
        """Only when it is asked for does an IPv6 wildcard take IPv4, under its IPv4 address."""
        anywhere = IPv6Address("TCP", "::", 0)
        accepting = Accepting()
        port = await self.listen(accepting, anywhere, ListenOptions(ipv4Compat=True))
        kept = socket.socket()  # nobody else listens there over IPv4
        self.addCleanup(kept.close)
        kept.bind(("127.0.0.1", 0))
        unshared = kept.getsockname()
        await self.listen(Accepting(), IPv6Address("TCP", "::", unshared[1]))
        accepted = accepting.next()

        with socket.create_connection(("127.0.0.1", port.getHost().port)) as peer:
            server = await accepted
            name = peer.getsockname()
        self.assertEqual(server.transport.getPeer(), IPv4Address("TCP", *name))
        self.assertIsInstance(server.transport.getHost(), IPv4Address)
        self.assertRaises(ConnectionRefusedError, socket.create_connection, unshared)
        await server.gone()

    async def test_portInUse(self) -> None:
        """A port that somebody else listens on is CannotListenError with address and port."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = IPv4Address("TCP", *taken.getsockname())
            problem = await self.failureResult(address)

        self.assertEqual((problem.interface, problem.port), ("127.0.0.1", address.port))
        self.assertIn("in use", str(problem))

    def handle(self, port: Any) -> socket.socket:
        sock: socket.socket = port._port.socket if self.transports else port._sock
        return sock

    async def failureResult(self, address: Any, options: ListenOptions | None = None) -> Any:
        try:
            await self.listen(Accepting(), address, options)
        except CannotListenError as problem:
            return problem
        raise AssertionError("it listens")

    async def test_reusePort(self) -> None:
        """Two that both say so share a port; without it the second cannot listen."""
        shared = await self.listen(Accepting())
        await self.listen(Accepting(), shared.getHost())
        alone = await self.listen(Accepting(), options=ListenOptions(reusePort=False))

        await self.failureResult(alone.getHost(), ListenOptions(reusePort=False))
        await self.failureResult(alone.getHost())

    async def test_addressOfNobody(self) -> None:
        """An address that is not ours needs freebind."""
        foreign = IPv4Address("TCP", "192.0.2.1", 0)

        await self.failureResult(foreign)
        port = await self.listen(Accepting(), foreign, ListenOptions(freebind=True))

        self.assertEqual(port.getHost().host, "192.0.2.1")

    async def test_transparent(self) -> None:
        """Set where the process may, and an error where it may not; never ignored."""
        for address, level, option in (
            (ANY_PORT, socket.IPPROTO_IP, 19),
            (IPv6Address("TCP", "::1", 0), socket.IPPROTO_IPV6, 75),
        ):
            try:
                port = await self.listen(Accepting(), address, ListenOptions(transparent=True))
            except CannotListenError as problem:
                self.assertIsInstance(problem.socketError, PermissionError)
            else:
                self.assertEqual(self.handle(port).getsockopt(level, option), 1)

    async def test_socketOptions(self) -> None:
        """Set before binding; one that the kernel refuses is an error."""
        good = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        bad = (socket.SOL_SOCKET, 9999, 1)

        port = await self.listen(Accepting(), options=ListenOptions(options=(good,)))
        await self.failureResult(ANY_PORT, ListenOptions(options=(bad,)))

        self.assertEqual(self.handle(port).getsockopt(*good[:2]), 1)

    async def test_stopped(self) -> None:
        """New connections are refused, old ones live; stopping twice is stopping."""
        accepting = Accepting()
        port = await self.listen(accepting)
        accepted = accepting.next()
        with dial(port) as peer:
            server = await accepted
            await port.stopListening()
            await port.stopListening()
            self.assertRaises(ConnectionRefusedError, dial, port)
            peer.sendall(b"alive")
            await server.untilSize(5)
            await server.gone()

        self.assertEqual(accepting.numPorts, 0)
        if not self.transports:
            self.assertEqual(port.fileno(), -1)

    @oursOnly
    async def test_reactorsLoss(self) -> None:
        """A reactor that stops closes it."""
        port = await self.listen(Accepting())

        port.connectionLost(Failure(ConnectionDone()))
        port.doRead()

        self.assertEqual(port.fileno(), -1)


class UnixTests(LoopbackTestCase):
    """Sockets in the file system, and abstract ones."""

    async def exchange(self, address: UNIXAddress, options: ListenOptions | None = None) -> Any:
        accepting, client = Accepting(), HalfRecorder()
        port = await self.listen(accepting, address, options)
        accepted = accepting.next()
        await self.connect(port.getHost(), client)
        server = await accepted
        client.transport.write(b"question")
        await server.untilSize(8)
        server.transport.write(b"answer")
        server.transport.loseConnection()
        await client.untilEvent("end")
        self.assertEqual((server.data, client.data), (b"question", b"answer"))
        self.assertEqual(server.transport.getHost(), address)
        self.assertEqual(client.transport.getPeer(), address)
        await client.gone()
        return port

    async def test_path(self) -> None:
        """Bytes go both ways; the path has the mode that was asked for and goes at the end."""
        path = self.mktemp()

        port = await self.exchange(UNIXAddress(path), ListenOptions(pipeMode=0o600))
        mode = stat.S_IMODE(os.stat(path).st_mode)
        await port.stopListening()

        self.assertEqual(mode, 0o600)
        self.assertFalse(os.path.exists(path))

    async def test_abstract(self) -> None:
        """A name that starts with NUL is no path; a mode means nothing."""
        name = f"\0twisted-envoy-{os.getpid()}"

        await self.exchange(UNIXAddress(name), ListenOptions(pipeMode=0o600))

    async def test_leftOver(self) -> None:
        """A socket that nobody listens on any more is replaced."""
        path = self.mktemp()
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(path)

        await self.exchange(UNIXAddress(path))

    async def test_inUse(self) -> None:
        """One that somebody listens on is not, even when its queue is full."""
        path = self.mktemp()
        with socket.socket(socket.AF_UNIX) as taken, socket.socket(socket.AF_UNIX) as waiting:
            taken.bind(path)
            taken.listen(0)
            waiting.connect(path)
            with self.assertRaises(CannotListenError):
                await self.listen(Accepting(), UNIXAddress(path))

        self.assertTrue(os.path.exists(path))

    async def test_otherFile(self) -> None:
        """A file that is no socket is left alone."""
        path = self.mktemp()
        with open(path, "w") as other:
            other.write("precious")

        with self.assertRaises(CannotListenError):
            await self.listen(Accepting(), UNIXAddress(path))

        with open(path) as other:
            self.assertEqual(other.read(), "precious")

    async def test_noSuchFolder(self) -> None:
        """One line says which path."""
        with self.assertRaises(CannotListenError) as raised:
            await self.listen(Accepting(), UNIXAddress("/nonexistent/socket"))

        self.assertIn(":/nonexistent/socket: ", str(raised.exception))

    async def test_badOption(self) -> None:
        """An option that the kernel refuses before bind is an error of its own; later it is not."""
        bad = ((socket.SOL_SOCKET, 9999, 1),)
        for options in (ListenOptions(options=bad), ListenOptions(boundOptions=bad)):
            with self.assertRaises(CannotListenError) as raised:
                await self.listen(Accepting(), options=options)
            self.assertIsInstance(raised.exception.socketError, listening.SocketOptionError)
        await self.listen(Accepting(), options=ListenOptions(listeningOptions=bad))

    async def test_abstractInUse(self) -> None:
        """Its NUL is shown as @."""
        address = UNIXAddress(f"\0twisted-envoy-twice-{os.getpid()}")
        await self.listen(Accepting(), address)

        with self.assertRaises(CannotListenError) as raised:
            await self.listen(Accepting(), address)

        self.assertIn("@twisted-envoy-twice-", str(raised.exception))

    async def test_pathGoneBefore(self) -> None:
        """Somebody else may have removed it."""
        path = self.mktemp()
        port = await self.listen(Accepting(), UNIXAddress(path))

        os.unlink(path)
        await port.stopListening()

        self.assertFalse(os.path.exists(path))


class AcceptTests(LoopbackTestCase):
    @oursOnly
    async def test_batches(self) -> None:
        """Many are accepted in one go, a bounded number before others get their turn."""
        accepting = Accepting()
        port = await self.listen(accepting)
        peers = [dial(port) for _ in range(70)]
        for peer in peers:
            self.addCleanup(peer.close)

        port.doRead()
        first = len(accepting.accepted)
        port.doRead()
        port.doRead()

        self.assertEqual((first, len(accepting.accepted)), (64, 70))
        for server in accepting.accepted:
            await server.gone()

    async def test_noDelay(self) -> None:
        """Small writes are not held back by the kernel, on either side."""
        server, client = await self.pair()

        for recorder in (server, client):
            sock = recorder.transport.getHandle()
            self.assertTrue(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    async def test_refusedByTheFactory(self) -> None:
        """No protocol is a closed connection."""

        class Refusing(Factory):
            noisy = False

            def buildProtocol(self, addr: Any) -> None:
                return None

        port = await self.listen(Refusing())
        with dial(port) as peer:
            await self.accepts(port)
            self.assertEqual(peer.recv(1), b"")

    async def test_errorOfTheFactory(self) -> None:
        """It closes that connection; the next is accepted."""
        accepting = Accepting()
        fails = [True]

        def prepare(recorder: Any) -> None:
            if fails.pop() if fails else False:
                raise ValueError

        accepting.prepare = prepare
        port = await self.listen(accepting)
        with dial(port) as first, dial(port):
            await self.accepts(port)
            self.assertEqual(first.recv(1), b"")

        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(len(accepting.accepted), 1)
        await accepting.accepted[0].gone()

    async def test_stoppedInTheMiddleOfABatch(self) -> None:
        """A factory may stop its port."""
        accepting = Accepting()
        port = await self.listen(accepting)
        accepting.prepare = lambda recorder: port.stopListening()
        with dial(port), dial(port):
            await self.accepts(port)

        self.assertEqual(len(accepting.accepted), 1)
        await accepting.accepted[0].gone()

    @oursOnly
    async def test_peerGoneBeforeAccept(self) -> None:
        """A connection that was aborted meanwhile is skipped, or accepted and lost."""
        accepting = Accepting()
        port = await self.listen(accepting)
        raising = [OSError(103, "aborted"), BlockingIOError()]

        class Gone:
            def _accept(self) -> Any:
                raise raising.pop(0)

        real, port._sock = port._sock, Gone()
        port.doRead()
        port._sock = real

        self.assertEqual((raising, accepting.accepted), ([], []))

    @oursOnly
    async def test_outOfDescriptors(self) -> None:
        """Accepting pauses for a while, the connection waits, and is accepted in the end."""
        self.patch(listening, "_BACK_OFF", 0.005)
        accepting = Accepting()
        port = await self.listen(accepting)
        accepted = accepting.next()
        with dial(port):
            highest = os.dup(0)
            os.close(highest)
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
            try:
                port.doRead()
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            before = len(accepting.accepted)
            server = await accepted

        self.assertEqual(before, 0)
        await server.gone()

    @oursOnly
    async def test_stoppedWhileItBacksOff(self) -> None:
        """No timer is left behind."""
        port = await self.listen(Accepting())
        port._backOff(OSError(24, "Too many open files"))

        await port.stopListening()

        self.assertIsNone(port._retry)


class PlainProtocolTests(LoopbackTestCase):
    async def test_stockProtocol(self) -> None:
        """Twisted's own protocols live on these sockets."""

        class Greeter(Protocol):
            transport: Any

            def connectionMade(self) -> None:
                self.transport.write(b"hi")
                self.transport.loseConnection()

        factory = Factory.forProtocol(Greeter)
        factory.noisy = False
        port = await self.listen(factory)
        client = HalfRecorder()

        await self.connect(port.getHost(), client)
        await client.untilEvent("end")

        self.assertEqual(client.data, b"hi")
        await client.gone()
