"""WebSockets through the proxy: the websockets package at both ends, HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RemoteSettingsChanged, ResponseReceived, StreamReset
from twisted.trial.unittest import SkipTest

from tests.integration.http_bootstraps import HTTP2, proxy
from tests.integration.http_programs import Beside, HTTPProgramTestCase
from tests.integration.programs import PATIENCE, Program, connected

try:
    from websockets.exceptions import ConnectionClosedError, InvalidStatus
    from websockets.frames import Opcode
    from websockets.protocol import CLIENT, OPEN, Protocol
    from websockets.sync.client import connect
    from websockets.sync.server import serve
except ImportError:
    serve = None  # type: ignore[assignment]

UPGRADES = {"upgrade_configs": [{"upgrade_type": "websocket"}]}
BIG = 3 * 1024 * 1024


def echo(connection: Any) -> None:
    """The server: every message comes back; `bye` closes with a reason, `drop` without one."""
    with contextlib.suppress(ConnectionClosedError):
        for message in connection:
            if message == "bye":
                connection.close(4001, "as you wish")
            elif message == "drop":
                connection.socket.shutdown(socket.SHUT_RDWR)
            else:
                connection.send(message)


class WebSocketTests(HTTPProgramTestCase):
    """One proxy before an echo."""

    def setUp(self) -> None:
        super().setUp()
        if serve is None:
            raise SkipTest("the package websockets is not installed")
        server = serve(echo, "127.0.0.1", 0, max_size=2 * BIG)
        serving = Beside(server.serve_forever)
        self.addCleanup(serving.join)
        self.addCleanup(server.shutdown)
        self.upstream = server.socket.getsockname()[1]

    def start(self, **manager: Any) -> Program:
        """A proxy that lets WebSockets through."""
        return self.serve(proxy(self.upstream, **{**UPGRADES, **manager}))

    def open(self, port: int) -> Any:
        """A client."""
        client = connect(f"ws://127.0.0.1:{port}/chat", max_size=2 * BIG, open_timeout=PATIENCE)
        self.addCleanup(client.close)
        return client

    def test_conversation(self) -> None:
        """Small and big messages, text and bytes, a ping, a close with code and reason."""
        program = self.start()
        client = self.open(program.port("web"))
        for message in ("hello", "", "\N{SNOWMAN}" * 1000, bytes(range(256)) * (BIG // 256)):
            client.send(message)
            self.assertEqual(client.recv(PATIENCE), message)
        self.assertTrue(client.ping().wait(PATIENCE))
        self.assertEqual(program.admin("stats").count("downstream_cx_upgrades_active: 1"), 1)
        client.close(4000, "enough")
        self.assertEqual((client.close_code, client.close_reason), (4000, "enough"))
        self.assertIn("http.web.downstream_cx_upgrades_total: 1\n", program.admin("stats"))
        self.assertIn("http.web.downstream_cx_upgrades_active: 0\n", program.admin("stats"))
        self.quiet(program)

    def test_serverCloses(self) -> None:
        """The server's close handshake and the server's end both arrive."""
        program = self.start()
        client = self.open(program.port("web"))
        client.send("bye")
        with self.assertRaises(ConnectionClosedError):
            client.recv(PATIENCE)
        self.assertEqual((client.close_code, client.close_reason), (4001, "as you wish"))
        client = self.open(program.port("web"))
        client.send("drop")
        with self.assertRaises(ConnectionClosedError):
            client.recv(PATIENCE)
        self.assertEqual(client.close_code, 1006)
        self.quiet(program)

    def test_many(self) -> None:
        """Twenty at once; each hears what it said."""
        program = self.start()
        port = program.port("web")
        clients = [self.open(port) for _ in range(20)]
        for number, client in enumerate(clients):
            client.send(f"{number} " * 10_000)
        for number, client in enumerate(clients):
            self.assertEqual(client.recv(PATIENCE), f"{number} " * 10_000)
        self.quiet(program)

    def test_notAllowed(self) -> None:
        """Without upgrade_configs: 403."""
        program = self.start(upgrade_configs=[])
        with self.assertRaises(InvalidStatus) as caught:
            self.open(program.port("web"))
        self.assertEqual(caught.exception.response.status_code, 403)
        self.quiet(program)

    def test_refused(self) -> None:
        """An upstream that wants no WebSocket: its answer is the client's."""
        origin = self.serve(proxy(1))
        port = origin.port("web")
        program = self.serve(proxy(port, **UPGRADES))
        with self.assertRaises(InvalidStatus) as caught:
            self.open(program.port("web"))
        self.assertEqual(caught.exception.response.status_code, 403)
        self.quiet(program, origin)

    def test_extendedConnect(self) -> None:
        """The client speaks HTTP/2: an extended CONNECT becomes the upstream's Upgrade."""
        program = self.start(http2_protocol_options={"allow_connect": True})
        self.overHTTP2(program)
        self.quiet(program)

    def test_throughHTTP2(self) -> None:
        """Two proxies with HTTP/2 between them: Upgrade, extended CONNECT, Upgrade."""
        last = self.start(http2_protocol_options={"allow_connect": True})
        cluster = protocolOf({"allow_connect": True})
        first = self.serve(proxy(last.port("web"), cluster=cluster, **UPGRADES))
        client = self.open(first.port("web"))
        message = b"x" * BIG
        client.send(message)
        self.assertEqual(client.recv(PATIENCE), message)
        client.close(4000, "enough")
        self.assertEqual((client.close_code, client.close_reason), (4000, "enough"))
        self.assertIn("http.web.downstream_rq_http2_total: 1\n", last.admin("stats"))
        self.quiet(first, last)

    def overHTTP2(self, program: Program) -> None:
        """A client of h2's, with the frames of websockets' in its DATA."""
        h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        frames = Protocol(CLIENT, state=OPEN, max_size=2 * BIG)
        with connected(program.port("web")) as client:
            h2.initiate_connection()
            client.sendall(h2.data_to_send())
            self.until(client, h2, frames, RemoteSettingsChanged)
            self.assertTrue(h2.remote_settings.enable_connect_protocol)
            names = (":method", ":protocol", ":scheme", ":path", ":authority")
            values = ("CONNECT", "websocket", "http", "/chat", "a.test")
            more = [("sec-websocket-version", "13"), ("sec-websocket-key", "x" * 22 + "==")]
            h2.send_headers(1, [*zip(names, values, strict=True), *more])
            client.sendall(h2.data_to_send())
            response = self.until(client, h2, frames, ResponseReceived)
            headers = dict(response.headers)
            self.assertEqual(headers[":status"], "200")
            self.assertNotIn("upgrade", headers)
            for message in (b"small", b"y" * 30_000):
                frames.send_binary(message)
                self.pushed(client, h2, frames)
                received = b""
                while len(received) < len(message):
                    self.until(client, h2, frames, DataReceived)
                    for frame in frames.events_received():
                        received += frame.data
                self.assertEqual(received, message)
            frames.send_close(4000, "enough")
            self.pushed(client, h2, frames)
            ended = self.until(client, h2, frames, StreamReset)  # as Envoy ends an upgrade
            self.assertEqual(ended.error_code, ErrorCodes.CONNECT_ERROR)
            closes = [one for one in frames.events_received() if one.opcode is Opcode.CLOSE]
            self.assertEqual(len(closes), 1)
            self.assertEqual((frames.close_rcvd.code, frames.close_rcvd.reason), (4000, "enough"))

    def pushed(self, client: socket.socket, h2: Any, frames: Any) -> None:
        """Send what the frames say as DATA."""
        for data in frames.data_to_send():
            for start in range(0, len(data), 16_000):
                h2.send_data(1, data[start : start + 16_000])
        client.sendall(h2.data_to_send())

    def until(self, client: socket.socket, h2: Any, frames: Any, kind: Any) -> Any:
        """Read until there is an event of a kind; data goes to the frames."""
        while True:
            data = client.recv(1 << 16)
            self.assertTrue(data, "the connection ended")
            found = None
            for event in h2.receive_data(data):
                if isinstance(event, DataReceived):
                    h2.acknowledge_received_data(event.flow_controlled_length, 1)
                    frames.receive_data(event.data)
                if isinstance(event, kind):
                    found = event
            client.sendall(h2.data_to_send())
            if found is not None:
                return found


def protocolOf(options: dict[str, Any]) -> dict[str, Any]:
    """A cluster that speaks HTTP/2 with these options."""
    ((name, config),) = HTTP2["typed_extension_protocol_options"].items()
    config = {**config, "explicit_http_config": {"http2_protocol_options": options}}
    return {"typed_extension_protocol_options": {name: config}}
