"""Tunnels: what the upstream sees, what the client gets, what is counted."""

from __future__ import annotations

from tests.bootstraps import (
    bootstrap,
    cluster,
    listener,
    logTo,
    proxied,
    setFilterState,
    tcpProxy,
)
from tests.extensions.filters.network.tcp_proxy.support import ORIGIN, ProxyTestCase

ASKED = b"CONNECT host.com:443 HTTP/1.1\r\nhost: host.com:443\r\n\r\n"
OPEN = b"HTTP/1.1 200 OK\r\n\r\n"
TUNNEL = {"hostname": "host.com:443"}


class TunnelTestCase(ProxyTestCase):
    """A client, and an upstream that was asked for a tunnel."""

    def ask(self, text=None, **fields):
        """Run, connect; sets `client` and `upstream`."""
        self.start(text, **(fields if text else {"tunneling_config": TUNNEL, **fields}))
        self.client, self.upstream = self.pair()

    def answer(self, data):
        """The upstream says this."""
        self.upstream.write(data)
        self.envoy.settle()

    def says(self, data):
        """The client says this."""
        self.client.write(data)
        self.envoy.settle()

    def cluster(self, name):
        return self.stat(f"cluster.origin.upstream_{name}")

    def assertFailed(self, reason, protocolError=0):
        """One attempt failed, as Envoy logs and counts it."""
        self.assertTrue(self.client.ended)
        self.assertEqual(self.client.received, b"")
        self.assertTrue(self.upstream.ended or self.upstream.lost)
        for peer in (self.client, self.upstream):
            peer.loseConnection()
        self.envoy.settle()
        line = f"TcpConnectionEnd flags=UF,URX rx=0 tx=0 up={ORIGIN} fail={reason}"
        self.assertEqual(self.envoy.lines("log"), [line])
        self.assertEqual(self.cluster("cx_protocol_error"), protocolError)
        self.assertEqual(self.cluster("cx_connect_attempts_exceeded"), 1)
        self.assertEqual(self.cluster("cx_connect_fail"), 0)
        self.assertEqual(self.cluster("rq_pending_failure_eject"), 0)
        self.assertEqual(self.cluster("cx_http1_total"), 1)
        self.assertEqual(self.cluster("cx_destroy_with_active_rq"), 1)
        self.assertQuiet()


class OpenTests(TunnelTestCase):
    """The upstream agrees."""

    def test_held(self):
        """The client's bytes wait for the response; what is behind its head is the client's."""
        self.ask()
        self.says(b"hello")
        self.assertEqual(self.upstream.received, ASKED)

        self.answer(b"HTTP/1.1 100 Continue\r\n\r\n" + OPEN + b"EARLY")

        self.assertEqual(self.upstream.received, ASKED + b"hello")
        self.assertEqual(self.client.received, b"EARLY")
        self.answer(b" more")
        self.says(b" you")
        self.assertEqual(self.upstream.received, ASKED + b"hello you")
        self.assertEqual(self.client.received, b"EARLY more")
        self.assertEqual(self.cluster("cx_tx_bytes_total"), len(ASKED) + 9)
        self.assertEqual(self.cluster("cx_rx_bytes_total"), 25 + len(OPEN) + 10)
        self.assertEqual(self.stat("tcp.tcp.downstream_cx_tx_bytes_total"), 10)
        self.assertEqual(self.cluster("rq_total"), 1)
        self.assertEqual(self.cluster("cx_http1_total"), 1)

    def test_everySplit(self):
        """However the response is cut."""
        for at in range(1, len(OPEN)):
            self.ask()
            self.answer(OPEN[:at])
            self.answer(OPEN[at:] + b"X")
            self.answer(b"Y")
            self.assertEqual(self.client.received, b"XY", at)

    def test_earlyData(self):
        """Bytes that were read before are sent first."""
        self.ask(max_early_data_bytes=100)
        self.says(b"one ")
        self.assertEqual(self.upstream.received, ASKED)
        self.answer(OPEN)
        self.says(b"two")
        self.assertEqual(self.upstream.received, ASKED + b"one two")

    def test_clientEnds(self):
        """The client's end is the tunnel's: all it said arrives, a late answer does not."""
        self.ask()
        self.answer(OPEN + b"early")
        self.client.write(b"hello")
        self.client.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual(self.upstream.received, ASKED + b"hello")
        self.assertTrue(self.upstream.ended)
        self.assertEqual(self.client.received, b"early")
        self.assertTrue(self.client.ended)
        self.assertFalse(self.client.wasReset)
        self.client.loseConnection()
        self.upstream.loseConnection()
        self.envoy.settle()
        self.assertEqual(self.cluster("cx_destroy_local"), 1)
        self.assertQuiet()

    def test_clientEndsBefore(self):
        """An end that came before the response counts once the tunnel is open."""
        self.ask(max_early_data_bytes=100)
        self.client.write(b"hello")
        self.client.loseWriteConnection()
        self.envoy.settle()
        self.assertFalse(self.upstream.ended)
        self.answer(OPEN)
        self.assertEqual(self.upstream.received, ASKED + b"hello")
        self.assertTrue(self.upstream.ended)

    def test_upstreamEnds(self):
        """The upstream's end is the tunnel's too; what it said before arrives."""
        self.ask()
        self.upstream.write(OPEN + b"BYE")
        self.upstream.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual(self.client.received, b"BYE")
        self.assertTrue(self.client.ended)
        self.assertTrue(self.upstream.ended)
        self.client.loseConnection()
        self.envoy.settle()
        self.assertEqual(self.cluster("cx_destroy_local_with_active_rq"), 1)
        self.assertEqual(
            self.envoy.lines("log"), [f"TcpConnectionEnd flags=- rx=0 tx=3 up={ORIGIN} fail=-"]
        )
        self.assertQuiet()

    def test_clientEndsBeforeAHop(self):
        """Over HTTP/1.1 the client's end is the end of both, in order through a hop as well."""
        inner = tcpProxy(prefix="inner", tunneling_config=TUNNEL)
        self.ask(
            bootstrap(
                [
                    listener("ingress", "127.0.0.1:9000", tcpProxy("hop")),
                    listener("inner", "internal:", inner),
                ],
                [cluster("hop", "internal:inner"), cluster("origin", ORIGIN)],
            )
        )
        self.answer(OPEN)
        self.says(b"x")
        self.client.loseWriteConnection()
        self.envoy.settle()
        self.assertTrue(self.client.ended)
        self.assertFalse(self.client.wasReset)


class FailureTests(TunnelTestCase):
    """It does not."""

    def test_refused(self):
        """Any other status, which is logged."""
        for status in (101, 302, 403, 407, 600):
            self.ask()
            self.answer(
                b"HTTP/1.1 %d No\r\ncontent-length: 3\r\n\r\nabc" % status
                if status > 199
                else b"HTTP/1.1 101 Switch\r\n\r\n"
            )
            self.assertFailed(f"tunnel_response:{status}")
            self.assertEqual(self.cluster("cx_destroy_local"), 1)

    def test_garbage(self):
        """What is no HTTP, or too much."""
        for noise in (
            b"hello",
            b"HTTP/1.0 000 No\r\n\r\n",
            b"HTTP/1.1 200 OK\r\na: " + b"x" * 90_000,
        ):
            self.ask()
            self.answer(noise)
            self.assertFailed("-", protocolError=1)

    def test_ends(self):
        """The end instead of a response; within one it is a mistake."""
        for said in (b"", b"HTTP/1.1 403 No\r\na:"):
            self.ask()
            self.upstream.write(said)
            self.upstream.loseWriteConnection()
            self.envoy.settle()
            self.assertFailed("-", protocolError=int(bool(said)))
            self.assertEqual(self.cluster("cx_destroy_local"), 1)

    def test_reset(self):
        """A reset instead of a response."""
        self.ask()
        self.upstream.abortConnection()
        self.envoy.settle()
        self.assertFailed("-")
        self.assertEqual(self.cluster("cx_destroy_remote"), 1)

    def test_retried(self):
        """The next attempt asks again on a new connection, and may succeed."""
        self.ask(max_connect_attempts=2)
        self.answer(b"HTTP/1.1 503 No\r\n\r\n")
        again = self.origin.connections[-1]
        self.assertIsNot(again, self.upstream)
        self.assertEqual(again.received, ASKED)
        self.upstream = again
        self.answer(OPEN + b"X")
        self.assertEqual(self.client.received, b"X")
        self.assertEqual(self.cluster("cx_http1_total"), 2)
        self.assertEqual(self.cluster("rq_total"), 2)
        self.assertEqual(self.cluster("cx_connect_attempts_exceeded"), 0)

    def test_bytesOfAttempts(self):
        """The log has the bytes of all attempts, whatever their answers."""
        text = proxied(
            tunneling_config=TUNNEL,
            max_connect_attempts=2,
            access_log=logTo("log", "%UPSTREAM_WIRE_BYTES_SENT% %UPSTREAM_WIRE_BYTES_RECEIVED%"),
        )
        self.ask(text)
        refusal = b"HTTP/1.1 503 No\r\n\r\n"
        for connection in range(2):
            self.upstream = self.origin.connections[connection]
            self.answer(refusal)

        self.assertTrue(self.client.ended)
        self.client.loseConnection()
        self.envoy.settle()
        sent, received = 2 * len(ASKED), 2 * len(refusal)
        self.assertEqual(self.envoy.lines("log"), [f"{sent} {received}"])

    def test_notConnected(self):
        """A refused connection is that of any proxy."""
        self.start(listen=False, tunneling_config=TUNNEL)
        client = self.envoy.connect("ingress")
        self.envoy.settle()
        self.assertTrue(client.ended)
        client.loseConnection()
        self.envoy.settle()
        self.assertEqual(self.cluster("cx_connect_fail"), 1)
        self.assertEqual(self.cluster("cx_http1_total"), 1)
        self.assertIn("flags=UF,URX", self.envoy.lines("log")[0])
        self.assertQuiet()

    def test_unsendable(self):
        """A host name that would be no host name is not sent."""
        self.ask(tunneling_config={"hostname": "a b"})
        self.assertFailed("-")
        self.assertEqual(self.upstream.received, b"")

    def test_noCluster(self):
        """A cluster that is not there is no matter of the start."""
        self.start(
            bootstrap(
                [listener("ingress", "127.0.0.1:9000", tcpProxy("x", tunneling_config=TUNNEL))]
            ),
            listen=False,
        )
        self.envoy.connect("ingress")
        self.assertEqual(self.stat("tcp.tcp.downstream_cx_no_route"), 1)

    def test_clientLeaves(self):
        """A client that is lost meanwhile takes the attempt with it, whatever is answered."""
        self.ask()
        self.client.abortConnection()
        self.envoy.settle()
        self.assertTrue(self.upstream.ended)
        self.answer(OPEN + b"X")
        self.upstream.loseConnection()
        self.envoy.settle()
        self.assertQuiet()

    def test_clientLeavesFirst(self):
        """The same before the connection is there."""
        self.start(tunneling_config=TUNNEL)
        self.envoy.silence("127.0.0.1:10000")
        client = self.envoy.connect("ingress")
        client.abortConnection()
        self.envoy.settle()
        self.assertEqual(self.cluster("rq_cancelled"), 1)
        self.envoy.advance(6)  # the connect goes on for somebody else until it is too slow
        self.assertQuiet()


class ChoiceTests(TunnelTestCase):
    """Where a tunnel is opened, and where not."""

    def test_disabled(self):
        """The filter state may say that a connection goes as it is."""
        for value, through in (("true", False), ("false", True)):
            state = setFilterState("envoy.tcp_proxy.disable_tunneling", value)
            stored = state["typed_config"]["on_new_connection"][0]
            stored["factory_key"] = "envoy.tcp_proxy.disable_tunneling"
            proxy = tcpProxy(tunneling_config=TUNNEL)
            self.ask(
                bootstrap(
                    [listener("ingress", "127.0.0.1:9000", state, proxy)],
                    [cluster("origin", ORIGIN)],
                )
            )
            self.says(b"hello")
            self.assertEqual(self.upstream.received, ASKED if through else b"hello")

    def test_hop(self):
        """Through an internal listener; a refusal comes back as a lost connection."""
        for answer, expected in ((OPEN + b"X", b"X"), (b"HTTP/1.1 403 No\r\n\r\n", b"")):
            self.ask(
                bootstrap(
                    [
                        listener(
                            "ingress", "127.0.0.1:9000", tcpProxy("hop", tunneling_config=TUNNEL)
                        ),
                        listener("inner", "internal:", tcpProxy(prefix="inner")),
                    ],
                    [cluster("hop", "internal:inner"), cluster("origin", ORIGIN)],
                )
            )
            self.assertEqual(self.upstream.received, ASKED)
            self.answer(answer)
            self.assertEqual(self.client.received, expected)
            self.assertEqual(self.client.ended, not expected)
