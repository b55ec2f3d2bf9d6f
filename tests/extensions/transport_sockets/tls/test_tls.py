"""TLS in whole bootstraps, in memory: at the edge, between clusters and listeners, in hops."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, directResponse, listener, logTo, tcpProxy, typed
from tests.extensions.common.tls.pki import Authority
from twisted_envoy.testing import MemoryEnvoy

AUTHORITY = Authority()
SERVER = AUTHORITY.issue("server.test")
OTHER = AUTHORITY.issue("other.test")
CA = {"trusted_ca": {"inline_string": AUTHORITY.pem}}
LOG = (
    "%DOWNSTREAM_TLS_VERSION% %REQUESTED_SERVER_NAME% %DOWNSTREAM_TRANSPORT_FAILURE_REASON% "
    "%RESPONSE_FLAGS% %BYTES_RECEIVED% %DOWNSTREAM_LOCAL_CLOSE_REASON%"
)


def inside(issued=SERVER, **fields):
    """A downstream transport socket."""
    common = {"tls_certificates": [issued.config]}
    return typed(
        "tls",
        "transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context=common,
        **fields,
    )


def outside(name="server.test", **fields):
    """An upstream transport socket that verifies."""
    return typed(
        "tls",
        "transport_sockets.tls.v3.UpstreamTlsContext",
        sni=name,
        common_tls_context={"validation_context": CA, **fields},
    )


def internal(socket):
    """The same in an internal hop."""
    return typed(
        "hop",
        "transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
        transport_socket=socket,
    )


def secured(name, address, *filters, **fields):
    """A listener inside TLS."""
    made = listener(name, address, *filters, **fields)
    for chain in made["filter_chains"]:
        chain["transport_socket"] = inside()
    return made


class HopTests(SynchronousTestCase):
    """A plain client, TLS in the middle, a plain origin."""

    hop = "internal:"
    where = "internal:secure"

    def setUp(self):
        socket = outside()
        if self.hop == "internal:":
            socket = internal(socket)
        self.envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener("ingress", "127.0.0.1:9000", tcpProxy("hop", "out")),
                    secured("secure", self.hop, tcpProxy("origin", "in")),
                ],
                [
                    cluster("hop", self.where, transport_socket=socket),
                    cluster("origin", "127.0.0.1:10000"),
                ],
            )
        )
        self.origin = self.envoy.listen("127.0.0.1:10000")
        self.client = self.envoy.connect("ingress")
        self.envoy.settle()

    def tearDown(self):
        self.envoy.stop()

    def test_halfClose(self):
        """Both directions end on their own."""
        self.client.write(b"question")
        self.client.loseWriteConnection()
        self.envoy.settle()
        server = self.origin.connections[0]
        self.assertEqual((server.received, server.ended), (b"question", True))

        server.write(b"answer" * 100000)
        server.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual((self.client.received, self.client.ended), (b"answer" * 100000, True))
        self.assertEqual(self.envoy.stat("cluster.hop.ssl.handshake"), 1)

    def test_abort(self):
        """A reset goes all the way."""
        self.client.write(b"x")
        self.envoy.settle()
        self.client.abortConnection()
        self.envoy.settle()

        self.assertTrue(self.origin.connections[0].wasReset)

    def test_muchData(self):
        """Both ways at once, with an end that reads nothing for a while."""
        self.client.write(b"x")
        self.envoy.settle()
        server = self.origin.connections[0]
        server.pauseProducing()
        for _ in range(64):
            self.client.write(b"u" * 65536)
            server.write(b"d" * 65536)
        self.envoy.settle()
        server.resumeProducing()
        self.envoy.settle()

        self.assertEqual(len(server.received), 1 + 64 * 65536)
        self.assertEqual(len(self.client.received), 64 * 65536)

    def test_serverEnds(self):
        """At the end of the server every connection ends in good order."""
        self.client.write(b"x")
        self.envoy.settle()
        self.envoy.stop()

        self.assertTrue(self.client.ended)


class EdgeToEdgeTests(HopTests):
    """The same over sockets."""

    hop = where = "127.0.0.1:9443"


class BadInputTests(SynchronousTestCase):
    """Clients that do not do as they should."""

    def setUp(self):
        edge = secured(
            "edge", "127.0.0.1:9443", directResponse("hello"), access_log=logTo("/log", LOG)
        )
        edge["filter_chains"][0]["transport_socket_connect_timeout"] = "2s"
        self.envoy = MemoryEnvoy(
            bootstrap(
                [edge, listener("good", "127.0.0.1:9000", tcpProxy("edge"))],
                [cluster("edge", "127.0.0.1:9443", transport_socket=outside())],
            )
        )

    def tearDown(self):
        self.assertEqual(self.good(), b"hello")  # nobody else was harmed
        self.envoy.stop()
        self.assertEqual(self.flushLoggedErrors(), [])

    def good(self):
        client = self.envoy.connect("good")
        self.envoy.settle()
        return client.received

    def test_neverFinished(self):
        """A handshake that is begun and never finished is given up in time."""
        clients = [self.envoy.connect("edge") for _ in range(50)]
        clients[0].write(b"\x16\x03\x01\x02\x00\x01")
        self.envoy.settle()
        self.assertFalse(clients[0].ended)

        self.envoy.advance(2)

        self.assertTrue(all(client.ended for client in clients))
        name = "listener.127.0.0.1_9443.downstream_cx_transport_socket_connect_timeout"
        self.assertEqual(self.envoy.stat(name), 50)
        for client in clients:
            client.loseConnection()
        self.envoy.settle()
        self.assertEqual(self.envoy.lines("/log")[0], "TLSv1.2 - - - 0 transport_socket_timeout")

    def test_plaintext(self):
        """HTTP where TLS is expected."""
        client = self.envoy.connect("edge")
        client.write(b"GET / HTTP/1.1\r\n\r\n")
        self.envoy.settle()
        client.loseConnection()
        self.envoy.settle()

        self.assertEqual(self.envoy.stat("listener.127.0.0.1_9443.ssl.connection_error"), 1)
        self.assertIn(":HTTP_REQUEST:TLS_error_end", self.envoy.lines("/log")[0])

    def test_truncated(self):
        """An end in the middle of a hello."""
        client = self.envoy.connect("edge")
        client.write(b"\x16\x03\x01\x02\x00\x01\x00")
        client.loseConnection()
        self.envoy.settle()

        self.assertEqual(len(self.envoy.lines("/log")), 1)

    def test_oversized(self):
        """Records and hellos beyond any limit."""
        for data in (
            b"\x16\x03\x01\xff\xff" + b"x" * 70000,
            b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + b"\0" * 16380,
        ):
            client = self.envoy.connect("edge")
            client.write(data)
            self.envoy.settle()
            self.assertTrue(client.ended or client.wasReset)
            client.loseConnection()
            self.envoy.settle()


class MatchTests(SynchronousTestCase):
    """Chains by server name, each with its own certificate."""

    def test_serverNames(self):
        """The inspector reads the name, the chain answers with its own certificate."""
        inspector = typed("i", "filters.listener.tls_inspector.v3.TlsInspector")
        chains = [
            {
                "filter_chain_match": {"server_names": [name]},
                "transport_socket": inside(issued),
                "filters": [directResponse(f"I am {name}")],
            }
            for name, issued in (("server.test", SERVER), ("other.test", OTHER))
        ]
        names = [{"san_type": "DNS", "matcher": {"exact": "other.test"}}]
        checks = {"validation_context": {**CA, "match_typed_subject_alt_names": names}}
        envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener(
                        "edge", "127.0.0.1:9443", listener_filters=[inspector], filter_chains=chains
                    ),
                    listener("a", "127.0.0.1:9000", tcpProxy("a")),
                    listener("b", "127.0.0.1:9001", tcpProxy("b")),
                ],
                [
                    cluster("a", "127.0.0.1:9443", transport_socket=outside()),
                    cluster(
                        "b", "127.0.0.1:9443", transport_socket=outside("other.test", **checks)
                    ),
                ],
            )
        )
        for name, text in (("a", b"I am server.test"), ("b", b"I am other.test")):
            client = envoy.connect(name)
            envoy.settle()
            self.assertEqual(client.received, text)
        envoy.stop()
