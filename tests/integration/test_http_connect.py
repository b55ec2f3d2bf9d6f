"""Much data through the CONNECT chain of the documented configs: intact, in bounded memory."""

from __future__ import annotations

import hashlib
import json
import socket

from tests.integration.http_programs import (
    ENCAPSULATE,
    TERMINATE,
    Beside,
    HTTPProgramTestCase,
    memory,
)
from tests.integration.programs import (
    Program,
    configText,
    connected,
    freePorts,
    portOf,
    receivedToEnd,
)

SIZE = 64 * 1024 * 1024
MEMORY = 200 * 1024 * 1024
CHUNK = 256 * 1024
BLOCK = hashlib.shake_256(b"any bytes").digest(1 << 20)

_TYPE = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


def tcpProxy(cluster: str) -> str:
    """The filters of a listener that proxies bytes."""
    config = {"@type": _TYPE, "stat_prefix": cluster, "cluster": cluster}
    return json.dumps([{"name": "envoy.filters.network.tcp_proxy", "typed_config": config}])


def replaced(text: str, listener: str, filters: str) -> str:
    """A bootstrap of configs/ with other filters for one of its listeners."""
    start = text.index(f"  - name: {listener}\n")
    begin = text.index("    - filters:\n", start)
    end = min(
        place for mark in ("\n  - name:", "\n  clusters:") if (place := text.find(mark, begin)) > 0
    )
    return f"{text[:begin]}    - filters: {filters}\n{text[end:]}"


class ChainTests(HTTPProgramTestCase):
    """
    Client -> listener -> internal listener -> HTTP/2 CONNECT -> internal listener -> origin.

    Attributes:
        size: bytes, each way.
    """

    size = SIZE
    patience = 120

    def chain(self, raw: bool) -> tuple[list[Program], int, socket.socket]:
        """
        The documented configs with an origin behind them instead of the greeting.

        Args:
            raw: the first and the last hop proxy bytes instead of HTTP.
        Returns:
            The programs, the port of the first one, the origin.
        """
        origin = self.origin()
        front, back, admin = freePorts(3)
        one = configText(ENCAPSULATE, {10000: front, 10001: back})
        other = configText(TERMINATE, {10001: back, 9902: admin})
        if raw:
            one = replaced(one, "http", tcpProxy("to_encap"))
            other = replaced(other, "decap", tcpProxy("origin"))
        else:
            start = other.index("                direct_response:")
            end = other.index("          http_filters:", start)
            route = "                route: {cluster: origin, timeout: 0s}\n"
            other = other[:start] + route + other[end:]
            old = "route: {cluster: to_encap}"
            self.assertIn(old, one)
            one = one.replace(old, "route: {cluster: to_encap, timeout: 0s}")
        other += f"""
  - name: origin
    load_assignment:
      cluster_name: origin
      endpoints:
      - lb_endpoints:
        - endpoint:
            address: {{socket_address: {{address: 127.0.0.1, port_value: {portOf(origin)}}}}}
"""
        programs = [self.serves(self.file(text, f"{len(text)}.yaml")) for text in (other, one)]
        return programs, front, origin

    def sent(self, connection: socket.socket, head: bytes = b"", end: bool = True) -> str:
        """Send so many bytes; their hash."""
        if head:
            connection.sendall(head)
        found = hashlib.sha256()
        for number in range(self.size // len(BLOCK)):
            block = number.to_bytes(8, "big") + BLOCK[8:]
            found.update(block)
            connection.sendall(block)
        if end:
            connection.shutdown(socket.SHUT_WR)
        return found.hexdigest()

    def heard(self, connection: socket.socket, rest: bytes = b"") -> str:
        """The hash of so many bytes."""
        found = hashlib.sha256(rest)
        left = self.size - len(rest)
        while left and (data := connection.recv(min(CHUNK, left))):
            found.update(data)
            left -= len(data)
        self.assertEqual(left, 0)
        return found.hexdigest()

    def head(self, connection: socket.socket) -> tuple[bytes, bytes]:
        """A message's head, and what came with it of its body."""
        found = b""
        while b"\r\n\r\n" not in found:
            data = connection.recv(CHUNK)
            self.assertTrue(data, found)
            found += data
        head, _, rest = found.partition(b"\r\n\r\n")
        return head, rest

    def bounded(self, programs: list[Program]) -> None:
        """No program has needed much memory; no log complains."""
        most = [memory(one) for one in programs]
        self.report(most)
        for one in most:
            self.assertLess(one, MEMORY)
        self.quiet(*programs)

    def report(self, most: list[int]) -> None:
        """For those who want to know."""

    def client(self, port: int) -> socket.socket:
        """A connection that is patient."""
        client = connected(port)
        client.settimeout(self.patience)
        self.addCleanup(client.close)
        return client

    def test_bothWays(self) -> None:
        """Bytes both ways at once; the client's half-close passes, the origin's end ends all."""
        programs, port, origin = self.chain(raw=True)
        client = self.client(port)
        upstream = self.accept(origin)
        upstream.settimeout(self.patience)
        sends = [
            Beside(lambda: self.sent(client)),
            Beside(lambda: self.sent(upstream, end=False)),
        ]
        hears = [Beside(lambda one=one: self.heard(one)) for one in (upstream, client)]
        self.same(sends, hears)
        self.assertEqual(upstream.recv(1), b"")
        upstream.sendall(b"late")
        upstream.shutdown(socket.SHUT_WR)
        self.assertEqual(receivedToEnd(client), b"late")
        self.bounded(programs)

    def same(self, sends: list[Beside], hears: list[Beside]) -> None:
        """What was sent was heard."""
        for one in (*sends, *hears):
            one.join(self.patience)
        self.assertEqual([one.result for one in hears], [one.result for one in sends])

    def test_slowReaders(self) -> None:
        """While nobody reads, little is sent and little is held; then all arrives."""
        programs, port, origin = self.chain(raw=True)
        client = self.client(port)
        upstream = self.accept(origin)
        upstream.settimeout(self.patience)
        for writer in (client, upstream):
            self.stuck(writer)
        self.bounded(programs)

    def stuck(self, writer: socket.socket) -> None:
        """Write until nothing more is taken for a while; that comes soon enough."""
        writer.settimeout(1)
        taken = 0
        with self.assertRaises(TimeoutError):
            while taken < self.size:
                taken += writer.send(BLOCK)
        self.assertLess(taken, self.size)

    def test_upload(self) -> None:
        """A request's body, with a length; the documented configs' HTTP all the way."""
        programs, port, origin = self.chain(raw=False)
        client = self.client(port)
        head = f"POST /up HTTP/1.1\r\nhost: a\r\ncontent-length: {self.size}\r\n\r\n".encode()
        sends = Beside(lambda: self.sent(client, head, end=False))
        upstream = self.accept(origin)
        upstream.settimeout(self.patience)
        got, rest = self.head(upstream)
        self.assertTrue(got.startswith(b"POST /up HTTP/1.1\r\n"), got)
        hears = Beside(lambda: self.heard(upstream, rest))
        self.same([sends], [hears])
        upstream.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        self.assertTrue(self.head(client)[0].startswith(b"HTTP/1.1 200 OK\r\n"))
        self.bounded(programs)

    def test_download(self) -> None:
        """A response's body, up to the end of the connection, to a client that reads late."""
        programs, port, origin = self.chain(raw=False)
        client = self.client(port)
        client.sendall(b"GET /down HTTP/1.1\r\nhost: a\r\n\r\n")
        upstream = self.accept(origin)
        upstream.settimeout(self.patience)
        self.head(upstream)
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {self.size}\r\n\r\n".encode()
        sends = Beside(lambda: self.sent(upstream, head))
        got, rest = self.head(client)
        self.assertIn(b"content-length: %d" % self.size, got)
        hears = Beside(lambda: self.heard(client, rest))
        self.same([sends], [hears])
        self.bounded(programs)
