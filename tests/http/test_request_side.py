"""The request's half of a stream, as clients see it; more is in test_stream and test_smuggling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.http.manager import ORIGIN, PROXIED
from tests.http.test_server_connection import GET, ConnectionCase
from tests.parity import h2_exchanges as h2

UPGRADE = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"


class UpgradeTests(ConnectionCase):
    """What may become a tunnel."""

    def test_enabledByManager(self) -> None:
        """An upgrade that the connection manager enables goes upstream."""
        envoy = self.start([PROXIED], upgrade_configs=[{"upgrade_type": "websocket"}])
        origin = envoy.listen(ORIGIN)
        self.client(UPGRADE)

        self.assertIn(b"upgrade: websocket\r\n", origin.connections[0].received)
        self.assertEqual(envoy.stat("http.web.downstream_cx_upgrades_active"), 1)

    def test_routesWord(self) -> None:
        """A route may enable what the manager does not, and disable what it does."""
        for manager, route, enabled in ((False, True, True), (True, False, False)):
            own = {"upgrade_configs": [{"upgrade_type": "websocket", "enabled": route}]}
            envoy = self.start(
                [{**PROXIED, "route": {"cluster": "origin", **own}}],
                upgrade_configs=[{"upgrade_type": "websocket", "enabled": manager}],
            )
            envoy.listen(ORIGIN)
            client = self.client(UPGRADE)
            self.assertEqual(client.received.startswith(b"HTTP/1.1 403 "), not enabled)

    def test_upgradeOfConnect(self) -> None:
        """What a CONNECT asks to upgrade to decides whether it may; it stays a CONNECT."""
        asked = b"CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\nconnection: upgrade\r\nupgrade: %s\r\n\r\n"
        connects = {"upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}]}
        route = {"match": {"connect_matcher": {}}, "route": {"cluster": "origin", **connects}}
        envoy = self.start([route], upgrade_configs=[{"upgrade_type": "websocket"}])
        envoy.listen(ORIGIN)

        self.assertTrue(self.client(asked % b"other").received.startswith(b"HTTP/1.1 403 "))
        client = self.client(asked % b"websocket")
        self.assertTrue(client.received.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertNotIn(b"connection:", client.received)
        self.assertFalse(client.ended)

    def test_anySuccessOfConnect(self) -> None:
        """A CONNECT that is passed on is open at any 2xx, though only 200 does not say close."""
        route = {"match": {"connect_matcher": {}}, "route": {"cluster": "origin"}}
        envoy = self.start([route], upgrade_configs=[{"upgrade_type": "CONNECT"}])
        origin = envoy.listen(ORIGIN)
        client = self.client(b"CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n")
        origin.connections[0].write(b"HTTP/1.1 204 No Content\r\n\r\nraw")
        envoy.settle()

        self.assertIn(b"\r\nconnection: close\r\n", client.received)
        self.assertTrue(client.received.endswith(b"\r\n\r\nraw"))
        self.assertFalse(client.ended)

    def test_noRouteFirst(self) -> None:
        """Where there is no route, that is what is said."""
        self.start([{"match": {"path": "/no"}, "direct_response": {"status": 200}}])

        self.assertTrue(self.client(UPGRADE).received.startswith(b"HTTP/1.1 404 "))


class UpgradedStreamTests(ConnectionCase):
    """A WebSocket over HTTP/2, to an origin that speaks HTTP/1.1."""

    def test_lateBytes(self) -> None:
        """What the origin says behind the client's end is delivered, then its end; no reset."""
        envoy = self.start(
            [PROXIED],
            upgrade_configs=[{"upgrade_type": "websocket"}],
            http2_protocol_options={"allow_connect": True},
        )
        origin = envoy.listen(ORIGIN)
        asked = h2.asked("/", (":protocol", "websocket"), method="CONNECT")
        asked.insert(1, asked.pop())
        client = self.client(h2.opening() + h2.head(1, asked))
        (upstream,) = origin.connections
        self.assertIn(b"upgrade: websocket\r\nconnection: upgrade\r\n", upstream.received)
        upstream.write(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n"
            b"connection: upgrade\r\n\r\nhello"
        )
        envoy.settle()
        client.write(h2.data(1, b"ping") + h2.data(1, b"", "END_STREAM"))
        envoy.settle()
        self.assertTrue(upstream.received.endswith(b"ping"))
        self.assertTrue(upstream.ended)
        upstream.write(b"<end>")
        upstream.loseConnection()
        envoy.settle()

        told = h2.events((client.received, "open"))
        self.assertNotIn("RST", repr(told).upper())
        self.assertIn(b"hello", client.received)
        self.assertIn(b"<end>", client.received)
        self.assertEqual(self.log(), ["GET 101 - via_upstream DownstreamEnd"])
        self.assertEqual(envoy.stat("cluster.origin.upstream_rq_active"), 0)


class BufferTests(ConnectionCase):
    """How much may wait."""

    def test_listenersLimit(self) -> None:
        """per_connection_buffer_limit_bytes is a request's limit, too."""
        envoy = self.start([PROXIED])
        envoy.listen(ORIGIN)
        listener: Any = envoy.server.listeners.get("web")
        listener.settings = replace(listener.settings, bufferLimit=4321)
        self.client(GET)
        (chain,) = listener.connections
        (stream,) = chain._links[-1].streams

        self.assertEqual(stream.bufferLimit, 4321)
