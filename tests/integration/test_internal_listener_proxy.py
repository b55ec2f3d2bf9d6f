"""configs/internal_listener_proxy.yaml: bytes and ends, both ways."""

from __future__ import annotations

import signal
import socket
import struct

from tests.integration.programs import (
    Program,
    ProgramTestCase,
    configText,
    portOf,
    received,
    receivedToEnd,
)


class ProxyTestCase(ProgramTestCase):
    """
    One client, one origin, both plain sockets; two proxies and a hop between them.

    Attributes:
        options: of twistd's; None: the test starts the program itself.
    """

    options: tuple[str, ...] | None = ()

    def setUp(self) -> None:
        """Serve the file."""
        super().setUp()
        self.listening = self.origin()
        self.program: Program
        if self.options is not None:
            self.begin(*self.options)

    def begin(self, *options: str) -> None:
        """Serve the file with free ports."""
        ports = {9999: 0, 10000: portOf(self.listening)}
        self.program = self.serve(configText("internal_listener_proxy.yaml", ports), *options)

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """A client's connection, and the one that comes of it at the origin."""
        client = self.program.connect("ingress")
        self.addCleanup(client.close)
        return client, self.accept(self.listening)

    def resets(self, connection: socket.socket) -> None:
        """Close with a reset."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


class BytesTests(ProxyTestCase):
    """What is sent arrives."""

    def test_bothWays(self) -> None:
        """The client speaks, the origin answers."""
        client, origin = self.pair()
        client.sendall(b"hello")
        self.assertEqual(received(origin, 5), b"hello")
        origin.sendall(b"hello yourself")
        self.assertEqual(received(client, 14), b"hello yourself")

    def test_originSpeaksFirst(self) -> None:
        """No byte of the client's is needed."""
        client, origin = self.pair()
        origin.sendall(b"220 ready")
        self.assertEqual(received(client, 9), b"220 ready")

    def test_large(self) -> None:
        """Four MiB are the same on the other side."""
        client, origin = self.pair()
        data = bytes(range(256)) * 4096
        for _ in range(4):
            client.sendall(data)
            self.assertEqual(received(origin, len(data)), data)

    def test_stats(self) -> None:
        """Both proxies counted, by Envoy's names."""
        client, origin = self.pair()
        client.sendall(b"hello")
        received(origin, 5)
        stats = self.program.admin("stats").splitlines()
        for expected in (
            "tcp.ingress.downstream_cx_total: 1",
            "tcp.hop.downstream_cx_rx_bytes_total: 5",
            "cluster.to_hop.upstream_cx_active: 1",
            "cluster.origin.upstream_cx_tx_bytes_total: 5",
            "listener.envoy_internal_hop.downstream_cx_total: 1",
        ):
            self.assertIn(expected, stats)


class EndTests(ProxyTestCase):
    """Each way of ending arrives as what it was."""

    def test_clientHalfCloses(self) -> None:
        """The origin sees the end of stream and can still answer, after which all is closed."""
        client, origin = self.pair()
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(receivedToEnd(origin), b"question")
        origin.sendall(b"answer")
        origin.close()
        self.assertEqual(receivedToEnd(client), b"answer")

    def test_originHalfCloses(self) -> None:
        """The other way round."""
        client, origin = self.pair()
        origin.sendall(b"greeting")
        origin.shutdown(socket.SHUT_WR)
        self.assertEqual(receivedToEnd(client), b"greeting")
        client.sendall(b"thanks")
        client.close()
        self.assertEqual(receivedToEnd(origin), b"thanks")

    def test_originResets(self) -> None:
        """A reset comes out as a reset, behind the bytes before it."""
        client, origin = self.pair()
        origin.sendall(b"last words")
        self.assertEqual(received(client, 10), b"last words")
        self.resets(origin)
        self.assertRaises(ConnectionResetError, client.recv, 1)

    def test_originRefuses(self) -> None:
        """A client of an origin that is not there is closed."""
        self.listening.close()
        with self.program.connect("ingress") as client:
            self.assertEqual(receivedToEnd(client), b"")


class StopTests(ProxyTestCase):
    """The end of the program."""

    def test_openConnections(self) -> None:
        """SIGTERM with connections open, one of them idle: they end in good order, status 0."""
        client, origin = self.pair()
        idle, _ = self.pair()
        client.sendall(b"hello")
        received(origin, 5)
        self.assertEqual(self.program.end(), (0, ""))
        self.assertEqual((receivedToEnd(client), receivedToEnd(idle)), (b"", b""))
        self.assertEqual(receivedToEnd(origin), b"")
        log = self.program.log()
        self.assertIn("caught ENVOY_SIGTERM", log)
        self.assertTrue(log.endswith(" exiting\n"), log)
        self.assertNotIn("Traceback", log)

    def test_interrupt(self) -> None:
        """Ctrl-C does the same."""
        self.pair()
        self.assertEqual(self.program.end(signal.SIGINT), (0, ""))


class ReactorTests(ProxyTestCase):
    """The file under each reactor that twistd offers for sockets."""

    options = None

    def exchange(self, name: str) -> None:
        """A question and its answer, ends included; then SIGTERM."""
        self.begin("-r", name)
        client, origin = self.pair()
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(receivedToEnd(origin), b"question")
        origin.sendall(b"answer")
        origin.close()
        self.assertEqual(receivedToEnd(client), b"answer")
        self.assertEqual(self.program.end(), (0, ""))
        self.assertNotIn("Traceback", self.program.log())

    def test_asyncio(self) -> None:
        """twistd -r asyncio."""
        self.exchange("asyncio")

    def test_epoll(self) -> None:
        """twistd -r epoll."""
        self.exchange("epoll")

    def test_poll(self) -> None:
        """twistd -r poll."""
        self.exchange("poll")

    def test_select(self) -> None:
        """twistd -r select."""
        self.exchange("select")
