"""The buffer filter; answers are real Envoy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection

from tests.extensions.filters.http.support import FilterCase, named, typed
from twisted_envoy.testing import Peer

TYPE = "envoy.extensions.filters.http.buffer.v3.Buffer"
ROUTE = "envoy.extensions.filters.http.buffer.v3.BufferPerRoute"
HEAD = b"POST %s HTTP/1.1\r\nhost: h\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"


class H2Client:
    """As much of an HTTP/2 client as posts one body."""

    def __init__(self, peer: Peer, settle: Callable[[], None]) -> None:
        self._peer = peer
        self._settle = settle
        self._h2 = H2Connection(H2Configuration(client_side=True))

    def post(self, chunks: list[bytes]) -> None:
        """One DATA frame a chunk, each in a write of its own."""
        self._h2.initiate_connection()
        names = ((":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "h"))
        self._h2.send_headers(1, names)
        for number, chunk in enumerate(chunks):
            self._h2.send_data(1, chunk, end_stream=number == len(chunks) - 1)
            self._peer.write(self._h2.data_to_send())
            self._settle()

    @property
    def received(self) -> bytes:
        """All frames that came, as they are."""
        return self._peer.received


class BufferTests(FilterCase):
    def begin(self, **options: Any) -> None:
        self.start(named("buf", TYPE, max_request_bytes=10), **options)

    def test_waitsForTheEnd(self) -> None:
        """Nothing goes on before all is there; the length is told then."""
        self.begin()

        client = self.send(HEAD % b"/" + CHUNKED + b"3\r\nabc\r\n")
        self.assertEqual(self.origin.connections, [])
        self.send(b"2\r\nde\r\n0\r\n\r\n", client)

        self.assertIn(b"content-length: 5\r\n", self.asked())
        self.assertTrue(self.asked().endswith(b"\r\n\r\nabcde"))
        self.assertTrue(client.received.endswith(b"ok"))

    def test_lengthThatWasTold(self) -> None:
        """Stays; so large as the limit is not too large."""
        self.begin()
        client = self.send(HEAD % b"/" + b"content-length: 10\r\n\r\n0123456789")
        self.assertEqual(self.asked().count(b"content-length"), 1)
        self.assertTrue(client.received.endswith(b"ok"))

    def test_tooLarge(self) -> None:
        """413 as soon as that is known; counted; the connection ends."""
        self.begin()

        client = self.send(HEAD % b"/" + b"content-length: 20\r\n\r\n01234567890")

        self.assertTrue(client.received.startswith(b"HTTP/1.1 413 Payload Too Large\r\n"))
        self.assertTrue(client.received.endswith(b"\r\n\r\nPayload Too Large"))
        self.assertIn(b"connection: close\r\n", client.received)
        self.assertEqual(self.log(), ["413 request_payload_too_large -"])
        self.assertEqual(self.envoy.stat("http.web.downstream_rq_too_large"), 1)
        self.assertEqual(self.origin.connections, [])

    def test_inOnePiece(self) -> None:
        """As in Envoy a body that comes at once with its end (HTTP/2) may be larger."""
        for chunks, answered in (([b"01234567890"], False), ([b"0123456789", b"0"], True)):
            self.begin()
            peer = H2Client(self.envoy.connect("web"), self.envoy.settle)
            peer.post(chunks)
            self.assertEqual(bool(self.origin.connections), not answered)
            self.assertEqual(b"Payload Too Large" in peer.received, answered)

    def test_withoutABody(self) -> None:
        """Goes on at once."""
        self.begin()
        self.assertTrue(self.get().endswith(b"ok"))
        self.assertNotIn(b"content-length", self.asked())

    def test_trailers(self) -> None:
        """They end a request, too."""
        self.begin(http_protocol_options={"enable_trailers": True})
        self.send(HEAD % b"/" + CHUNKED + b"3\r\nabc\r\n0\r\nt: 1\r\n\r\n")
        self.assertIn(b"abc", self.asked())

    def test_switchedOffByARoute(self) -> None:
        """Then chunks pass as they come, however many."""
        self.begin(route={"buf": typed(ROUTE, disabled=True)})
        self.send(HEAD % b"/r" + CHUNKED + b"b\r\n01234567890\r\n")
        self.assertIn(b"01234567890", self.asked())

    def test_limitOfARoute(self) -> None:
        """Instead of the filter's."""
        self.begin(route={"buf": typed(ROUTE, buffer={"max_request_bytes": 2})})
        client = self.send(HEAD % b"/r" + b"content-length: 3\r\n\r\nabc")
        self.assertIn(b" 413 ", client.received)
        self.assertEqual(self.origin.connections, [])

    def test_tunnelsPass(self) -> None:
        """They have no end to wait for."""
        self.begin(upgrade_configs=[{"upgrade_type": "websocket"}])
        self.send(b"GET / HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
        self.assertIn(b"upgrade: websocket\r\n", self.asked())
