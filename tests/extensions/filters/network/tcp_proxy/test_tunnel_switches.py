"""What the runtime changes about tunnels, beyond Envoy."""

from __future__ import annotations

from tests.bootstraps import bootstrap, cluster, listener, logTo, tcpProxy, typed
from tests.extensions.filters.network.tcp_proxy.support import LOG, ORIGIN
from tests.extensions.filters.network.tcp_proxy.test_tunnel import (
    ASKED,
    OPEN,
    TUNNEL,
    TunnelTestCase,
)
from twisted_envoy.internal import InternalClientEndpoint
from twisted_envoy.state.passthrough import Passthrough
from twisted_envoy.testing.peer import Peer


class SwitchTestCase(TunnelTestCase):
    """A tunnel with a runtime."""

    def askWith(self, values, **fields):
        proxy = tcpProxy(tunneling_config=TUNNEL, access_log=logTo("log", LOG), **fields)
        layers = {"layers": [{"name": "static", "static_layer": values}]}
        self.ask(
            bootstrap(
                [listener("ingress", "127.0.0.1:9000", proxy)],
                [cluster("origin", ORIGIN)],
                layered_runtime=layers,
            )
        )


class HalfCloseTests(SwitchTestCase):
    """twisted_envoy.http1_tunnel_half_close."""

    def test_lateAnswer(self):
        """What the origin says behind the client's end arrives, then its end."""
        self.askWith({"twisted_envoy.http1_tunnel_half_close": True})
        self.answer(OPEN)
        self.client.write(b"question")
        self.client.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual((self.upstream.received, self.upstream.ended), (ASKED + b"question", True))
        self.assertFalse(self.client.ended)
        self.answer(b"late ")
        self.upstream.write(b"answer")
        self.upstream.loseConnection()
        self.envoy.settle()
        self.assertEqual((self.client.received, self.client.ended), (b"late answer", True))
        self.client.loseConnection()
        self.envoy.settle()
        self.assertQuiet()

    def test_upstreamFirst(self):
        """The origin's end is still the end of both."""
        self.askWith({"twisted_envoy.http1_tunnel_half_close": True})
        self.upstream.write(OPEN + b"bye")
        self.upstream.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual((self.client.received, self.client.ended), (b"bye", True))
        self.assertTrue(self.upstream.ended)


class TimeoutTests(SwitchTestCase):
    """twisted_envoy.tunnel.connect_response_timeout_ms."""

    def test_tooSlow(self):
        """It fails as a connect does that is too slow, with a reason of its own."""
        self.askWith({"twisted_envoy.tunnel.connect_response_timeout_ms": 2500})
        self.envoy.advance(2.4)
        self.assertFalse(self.client.ended)
        self.envoy.advance(0.2)
        self.assertFailed("tunnel_response_timeout")

    def test_retried(self):
        """The next attempt has its own time."""
        self.askWith(
            {"twisted_envoy.tunnel.connect_response_timeout_ms": 1000}, max_connect_attempts=2
        )
        self.envoy.advance(1.1)
        self.assertEqual(len(self.origin.connections), 2)
        self.upstream = self.origin.connections[-1]
        self.answer(OPEN + b"X")
        self.envoy.advance(5)
        self.assertEqual(self.client.received, b"X")

    def test_off(self):
        """Without it nobody minds."""
        self.askWith({})
        self.envoy.advance(100)
        self.assertFalse(self.client.ended)


class OuterTests(SwitchTestCase):
    """twisted_envoy.tunnel.propagate_connect_failure."""

    def inner(self, values, outer):
        """`outer` -> internal listener -> TCP proxy that tunnels."""
        self.start(
            bootstrap(
                [outer, listener("inner", "internal:", tcpProxy(tunneling_config=TUNNEL))],
                [cluster("hop", "internal:inner"), cluster("origin", ORIGIN)],
                layered_runtime={"layers": [{"name": "static", "static_layer": values}]},
            )
        )

    def manager(self):
        route = {"match": {"prefix": "/"}, "route": {"cluster": "hop"}}
        manager = typed(
            "hcm",
            "filters.network.http_connection_manager.v3.HttpConnectionManager",
            stat_prefix="outer",
            route_config={"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [route]}]},
            http_filters=[typed("router", "filters.http.router.v3.Router")],
        )
        return listener("ingress", "127.0.0.1:9000", manager)

    def statusWith(self, values, answer, wait=0.0):
        self.inner(values, self.manager())
        client = self.envoy.connect("ingress")
        client.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        self.envoy.settle()
        self.upstream = self.origin.connections[-1]
        self.answer(answer)
        self.envoy.advance(wait)
        return client.received[:12]

    def test_status(self):
        """The outer client is told the proxy's own status, and 504 when there was none in time."""
        on = {"twisted_envoy.tunnel.propagate_connect_failure": True}
        slow = {**on, "twisted_envoy.tunnel.connect_response_timeout_ms": 1000}
        refusal = b"HTTP/1.1 %d No\r\n\r\n"
        self.assertEqual(self.statusWith({}, refusal % 403), b"HTTP/1.1 503")
        self.assertEqual(self.statusWith(on, refusal % 403), b"HTTP/1.1 403")
        self.assertEqual(self.statusWith(on, refusal % 502), b"HTTP/1.1 502")
        self.assertEqual(self.statusWith(slow, b"", 2), b"HTTP/1.1 504")

    def test_passthrough(self):
        """Both ends of the hop see why."""
        for value, told in ((True, 403), (False, None)):
            self.inner(
                {"twisted_envoy.tunnel.propagate_connect_failure": value},
                listener("ingress", "127.0.0.1:9000", tcpProxy("hop", prefix="outer")),
            )
            passed = Passthrough({})
            endpoint = InternalClientEndpoint(self.envoy.clock, "inner", passthrough=passed)
            client = Peer()
            endpoint.connect(_Single(client))
            self.envoy.settle()
            self.assertIs(client.transport.passthrough, passed)
            self.upstream = self.origin.connections[-1]
            self.answer(b"HTTP/1.1 403 No\r\n\r\n")
            self.assertIsNotNone(client.lost)
            response = passed.tunnelResponse
            self.assertEqual(None if response is None else response.status, told)


class _Single:
    """Gives out one protocol."""

    def __init__(self, protocol):
        self.protocol = protocol

    def doStart(self):
        """Nothing to prepare."""

    def doStop(self):
        """Nothing to put away."""

    def buildProtocol(self, addr):
        return self.protocol
