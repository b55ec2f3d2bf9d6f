"""The TCP proxy's connections: how they are made, how long they last, what is logged."""

from __future__ import annotations

from random import Random

from twisted.internet.protocol import Factory, Protocol

from tests.bootstraps import (
    bootstrap,
    cluster,
    echo,
    listener,
    logTo,
    proxied,
    setFilterState,
    tcpProxy,
    typed,
)
from tests.extensions.filters.network.tcp_proxy.support import LOG, ORIGIN, ProxyTestCase
from twisted_envoy.network.xxhash import xxHash64
from twisted_envoy.testing import MemoryEnvoy

CX = "cluster.origin.upstream_cx_"


class ConnectingTests(ProxyTestCase):
    """What comes before the upstream connection."""

    def test_notReadBefore(self):
        """Until the upstream is there, nothing of the client's is read, and nothing is lost."""
        self.start(listen=False)
        self.envoy.silence(ORIGIN)
        client = self.envoy.connect("ingress")
        client.write(b"early")
        self.envoy.settle()
        self.assertEqual(client.transport.bufferedBytes, 5)
        self.assertEqual(self.stat("tcp.tcp.downstream_cx_rx_bytes_total"), 0)

    def test_refused(self):
        """Nobody listens: closed, with flags and reason, and counted."""
        self.start(listen=False)
        client = self.envoy.connect("ingress")
        self.assertTrue(client.ended)
        self.assertEqual(
            self.envoy.lines("log"),
            [
                f"TcpConnectionEnd flags=UF,URX rx=0 tx=0 up={ORIGIN} "
                "fail=delayed_connect_error:_Connection_refused"
            ],
        )
        self.assertEqual(self.stat(CX + "connect_fail"), 1)
        self.assertEqual(self.stat(CX + "connect_attempts_exceeded"), 1)
        self.assertEqual(self.stat("cluster.origin.upstream_rq_pending_failure_eject"), 1)
        self.assertQuiet()

    def test_unknownCluster(self):
        """A cluster that does not exist is a matter of each connection."""
        self.start(
            bootstrap(
                [listener("ingress", "127.0.0.1:9000", tcpProxy("x", access_log=logTo("log", LOG)))]
            )
        )
        self.assertTrue(self.envoy.connect("ingress").ended)
        self.assertIn("flags=NC", self.envoy.lines("log")[0])
        self.assertEqual(self.stat("tcp.tcp.downstream_cx_no_route"), 1)

    def test_noHost(self):
        """A cluster without hosts."""
        self.start(
            bootstrap(
                [listener("ingress", "127.0.0.1:9000", tcpProxy(access_log=logTo("log", LOG)))],
                [cluster("origin")],
            )
        )
        self.assertTrue(self.envoy.connect("ingress").ended)
        self.assertIn("flags=UH", self.envoy.lines("log")[0])
        self.assertEqual(self.stat(CX + "none_healthy"), 1)

    def test_circuitBreaker(self):
        """With as many connections as are allowed, one more is refused until one has gone."""
        limit = {"circuit_breakers": {"thresholds": [{"max_connections": 1}]}}
        self.start(clusterFields=limit)
        first, server = self.pair()
        self.assertEqual(self.stat("cluster.origin.circuit_breakers.default.cx_open"), 1)
        second = self.envoy.connect("ingress")
        self.assertTrue(second.ended)
        self.assertEqual(len(self.origin.connections), 1)
        self.assertIn("flags=UO", self.envoy.lines("log")[0])
        self.assertEqual(self.stat(CX + "overflow"), 1)

        first.abortConnection()
        self.envoy.settle()
        self.assertFalse(self.envoy.connect("ingress").ended)

    def test_pendingOverflow(self):
        """No connection may be waited for: closed with URX alone, and no host was asked."""
        limit = {"circuit_breakers": {"thresholds": [{"max_pending_requests": 0}]}}
        self.start(clusterFields=limit)
        self.assertTrue(self.envoy.connect("ingress").ended)
        self.assertIn("flags=URX rx=0 tx=0 up=- fail=-", self.envoy.lines("log")[0])
        self.assertEqual(self.stat("cluster.origin.upstream_rq_pending_overflow"), 1)
        self.assertEqual(self.stat(CX + "total"), 0)
        self.assertQuiet()

    def test_missed(self):
        """A filter that closes before the proxy begins: it is logged, and nothing is connected."""
        limit = typed(
            "limit",
            "filters.network.connection_limit.v3.ConnectionLimit",
            stat_prefix="limit",
            max_connections=1,
        )
        proxy = tcpProxy(access_log=logTo("log", LOG))
        self.start(
            bootstrap(
                [listener("ingress", "127.0.0.1:9000", limit, proxy)], [cluster("origin", ORIGIN)]
            )
        )
        self.envoy.connect("ingress")
        self.assertTrue(self.envoy.connect("ingress").ended)
        self.envoy.advance(1)
        self.assertEqual(len(self.origin.connections), 1)
        self.assertEqual(len(self.envoy.lines("log")), 1)
        self.assertEqual(self.stat("tcp.tcp.downstream_cx_total"), 2)

    def test_timeout(self):
        """connect_timeout ends an attempt."""
        self.start(listen=False, clusterFields={"connect_timeout": "3s"})
        self.envoy.silence(ORIGIN)
        client = self.envoy.connect("ingress")
        self.envoy.advance(2.9)
        self.assertFalse(client.ended)
        self.envoy.advance(0.2)
        self.assertTrue(client.ended)
        self.assertIn("flags=UF,URX", self.envoy.lines("log")[0])
        self.assertEqual(self.stat(CX + "connect_timeout"), 1)
        self.assertEqual(self.stat(CX + "connect_fail"), 1)
        self.assertQuiet()

    def test_clientGivesUp(self):
        """A client that goes before the upstream is there cancels the attempt."""
        self.start(listen=False)
        self.envoy.silence(ORIGIN)
        client = self.envoy.connect("ingress")
        client.abortConnection()
        self.envoy.settle()
        self.assertEqual(self.stat("cluster.origin.upstream_rq_cancelled"), 1)
        self.assertEqual(self.stat(CX + "destroy_local"), 1)
        self.assertEqual(self.stat(CX + "connect_fail"), 0)
        self.assertQuiet()
        self.envoy.advance(10)
        self.assertEqual(self.stat(CX + "connect_timeout"), 0)

    def test_attempts(self):
        """max_connect_attempts: another try at once, and another, and then it has failed."""
        self.start(listen=False, max_connect_attempts=3)
        client = self.envoy.connect("ingress")
        self.assertTrue(client.ended)
        self.assertEqual(self.stat(CX + "total"), 3)
        self.assertEqual(self.stat(CX + "connect_fail"), 3)
        self.assertEqual(self.stat(CX + "connect_attempts_exceeded"), 1)
        self.assertQuiet()

    def test_attemptsThatFailAtOnce(self):
        """The same where each try fails inside connect: no recursion, however many."""
        self.start(
            bootstrap(
                [
                    listener(
                        "ingress",
                        "127.0.0.1:9000",
                        tcpProxy(max_connect_attempts=2000, access_log=logTo("log", LOG)),
                    )
                ],
                [cluster("origin", "internal:nobody")],
            )
        )
        self.assertTrue(self.envoy.connect("ingress").ended)
        self.assertEqual(self.stat(CX + "total"), 2000)
        self.assertIn(
            "fail=immediate_connect_error:_Invalid_argument|remote_address:envoy://nobody/",
            self.envoy.lines("log")[0],
        )
        self.assertQuiet()

    def test_retriedInTime(self):
        """A later attempt that works is an ordinary connection; bytes sent meanwhile arrive."""
        options = {"base_interval": "2s", "max_interval": "2s"}
        self.start(listen=False, max_connect_attempts=10, backoff_options=options)
        client = self.envoy.connect("ingress")
        client.write(b"patient")
        self.envoy.settle()
        self.assertEqual(self.stat(CX + "total"), 1)
        origin = self.envoy.listen(ORIGIN)
        self.envoy.advance(2)
        self.assertEqual(origin.connections[0].received, b"patient")
        self.assertEqual(self.stat(CX + "total"), 2)

    def test_backoff(self):
        """Attempts wait a random part of an interval that doubles up to its maximum."""

        class Most(Random):
            def random(self):
                return 0.999

        options = {"base_interval": "1s", "max_interval": "3s"}
        text = proxied(max_connect_attempts=5, backoff_options=options)
        self.envoy = MemoryEnvoy(text, random=Most())
        client = self.envoy.connect("ingress")
        seen = []
        for _ in range(12):
            seen.append(self.stat(CX + "total"))
            self.envoy.advance(1)
        self.assertEqual(seen, [1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5])
        self.assertTrue(client.ended)

    def test_clientGoesDuringBackoff(self):
        """No attempt is made for a client that has gone."""
        options = {"base_interval": "1s"}
        self.start(listen=False, max_connect_attempts=10, backoff_options=options)
        client = self.envoy.connect("ingress")
        client.abortConnection()
        self.envoy.advance(100)
        self.assertEqual(self.stat(CX + "total"), 1)

    def test_retryPicksAnotherHost(self):
        """An attempt after a failed one goes to the next host."""
        self.start(
            bootstrap(
                [listener("ingress", "127.0.0.1:9000", tcpProxy(max_connect_attempts=2))],
                [cluster("origin", "127.0.0.1:1", ORIGIN)],
            )
        )
        for _ in range(4):
            self.assertFalse(self.envoy.connect("ingress").ended)
        self.assertEqual(len(self.origin.connections), 4)


class EarlyDataTests(ProxyTestCase):
    """upstream_connect_mode and max_early_data_bytes, as observed of Envoy 1.40."""

    def waitFor(self, **fields):
        self.start(upstream_connect_mode="ON_DOWNSTREAM_DATA", **fields)

    def test_onData(self):
        """The upstream connection is made for the first bytes, and gets them."""
        self.waitFor(max_early_data_bytes=10)
        client = self.envoy.connect("ingress")
        self.assertEqual(self.origin.connections, [])
        client.write(b"now")
        self.envoy.settle()
        self.assertEqual(self.origin.connections[0].received, b"now")
        self.assertEqual(self.stat("tcp.tcp.early_data_received_count_total"), 1)
        self.assertEqual(self.stat("tcp.tcp.downstream_cx_rx_bytes_total"), 3)
        self.assertEqual(self.stat(CX + "tx_bytes_total"), 3)

    def test_more(self):
        """More than may be early is not lost; what does not fit waits with the client."""
        self.waitFor(max_early_data_bytes=10, listen=False)
        self.envoy.silence(ORIGIN)
        client = self.envoy.connect("ingress")
        client.write(b"x" * 100)
        self.envoy.settle()
        self.assertEqual(self.stat("tcp.tcp.downstream_cx_rx_bytes_buffered"), 100)
        client.write(b"y" * 100)
        self.envoy.settle()
        self.assertEqual(self.stat("tcp.tcp.downstream_cx_rx_bytes_total"), 100)
        self.assertEqual(client.transport.bufferedBytes, 100)

    def test_all(self):
        """Early bytes, later bytes and the end arrive in order."""
        self.waitFor(max_early_data_bytes=0)
        client = self.envoy.connect("ingress")
        client.write(b"one ")
        client.write(b"two ")
        client.loseWriteConnection()
        self.envoy.settle()
        server = self.origin.connections[0]
        self.assertEqual((server.received, server.ended), (b"one two ", True))
        self.assertEqual(self.stat("tcp.tcp.early_data_received_count_total"), 1)
        server.write(b"late")
        server.loseConnection()
        self.envoy.settle()
        self.assertEqual((client.received, client.ended), (b"late", True))
        self.assertQuiet()

    def test_lookedAt(self):
        """What a listener filter looked at has not come early."""
        inspector = typed("tls", "filters.listener.tls_inspector.v3.TlsInspector")
        self.envoy = MemoryEnvoy(
            bootstrap(
                [listener("ingress", "127.0.0.1:9000", tcpProxy(), listener_filters=[inspector])],
                [cluster("origin", ORIGIN)],
            )
        )
        origin = self.envoy.listen(ORIGIN)
        self.envoy.connect("ingress").write(b"GET / HTTP/1.1\r\n\r\n")
        self.envoy.settle()
        self.assertEqual(origin.connections[0].received, b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(self.stat("tcp.tcp.early_data_received_count_total"), 0)

    def test_endBeforeData(self):
        """An end of stream makes no connection; the idle timeout closes it, as in Envoy."""
        self.waitFor(max_early_data_bytes=10, idle_timeout="5s")
        client = self.envoy.connect("ingress")
        client.loseWriteConnection()
        self.envoy.advance(4.9)
        self.assertFalse(client.ended)
        self.envoy.advance(0.2)
        self.assertTrue(client.ended)
        self.assertEqual(self.origin.connections, [])
        self.assertEqual(self.stat("tcp.tcp.idle_timeout"), 1)
        self.assertEqual(self.stat("tcp.tcp.early_data_received_count_total"), 1)
        self.assertQuiet()

    def test_idleBeforeData(self):
        """So does it close a client that says nothing; one that says something is connected."""
        self.waitFor(max_early_data_bytes=10, idle_timeout="5s")
        silent, talking = self.envoy.connect("ingress"), self.envoy.connect("ingress")
        self.envoy.advance(4)
        talking.write(b"x")
        self.envoy.advance(2)
        self.assertEqual((silent.ended, talking.ended), (True, False))

    def test_resetBeforeData(self):
        """A client that resets leaves nothing."""
        self.waitFor(max_early_data_bytes=10)
        client = self.envoy.connect("ingress")
        client.abortConnection()
        self.envoy.settle()
        self.assertQuiet()
        self.assertEqual(len(self.envoy.lines("log")), 1)

    def test_onHandshake(self):
        """Without TLS there is no handshake to wait for: it connects at once."""
        self.start(upstream_connect_mode="ON_DOWNSTREAM_TLS_HANDSHAKE", max_early_data_bytes=10)
        self.envoy.connect("ingress")
        self.assertEqual(len(self.origin.connections), 1)

    def test_early(self):
        """With max_early_data_bytes alone it connects at once, and early bytes are read."""
        self.start(listen=False, max_early_data_bytes=10)
        self.envoy.silence(ORIGIN)
        client = self.envoy.connect("ingress")
        client.write(b"abc")
        self.envoy.settle()
        self.assertEqual(self.stat("tcp.tcp.downstream_cx_rx_bytes_buffered"), 3)
        self.assertEqual(self.stat(CX + "active"), 1)

    def test_askedByFilterState(self):
        """An earlier filter may ask for early reading."""
        for value, read in (("true", 3), ("false", 0)):
            state = setFilterState("envoy.tcp_proxy.receive_before_connect", value)
            state["typed_config"]["on_new_connection"][0]["factory_key"] = "envoy.bool"
            self.start(
                bootstrap(
                    [listener("ingress", "127.0.0.1:9000", state, tcpProxy())],
                    [cluster("origin", ORIGIN)],
                ),
                listen=False,
            )
            self.envoy.silence(ORIGIN)
            self.envoy.connect("ingress").write(b"abc")
            self.envoy.settle()
            self.assertEqual(self.stat("tcp.tcp.downstream_cx_rx_bytes_buffered"), read)


class TimeTests(ProxyTestCase):
    """How long a connection lasts."""

    def test_idle(self):
        """Idle in both directions ends both sides; any byte counts."""
        self.start(idle_timeout="10s")
        client, server = self.pair()
        self.envoy.advance(9)
        client.write(b"x")
        self.envoy.advance(9)
        server.write(b"y")
        self.envoy.advance(9)
        self.assertFalse(client.ended or server.ended)
        self.envoy.advance(1.1)
        self.assertTrue(client.ended and server.ended)
        self.assertEqual(self.stat("tcp.tcp.idle_timeout"), 1)
        self.assertIn("flags=- rx=1 tx=1", self.envoy.lines("log")[0])
        self.assertQuiet()

    def test_defaultIdle(self):
        """An hour when nothing is said, for ever when 0 is said."""
        self.start()
        client, _ = self.pair()
        self.envoy.advance(3599)
        self.assertFalse(client.ended)
        self.envoy.advance(2)
        self.assertTrue(client.ended)

        self.start(idle_timeout="0s")
        client, _ = self.pair()
        self.envoy.advance(7200)
        self.assertFalse(client.ended)

    def startIdle(self, text, factory="envoy.tcp_proxy.per_connection_idle_timeout_ms"):
        """With filter state about it."""
        key = "envoy.tcp_proxy.per_connection_idle_timeout_ms"
        state = setFilterState(key, text, factory_key=factory)
        self.start(
            bootstrap(
                [listener("ingress", "127.0.0.1:9000", state, tcpProxy(idle_timeout="3s"))],
                [cluster("origin", ORIGIN)],
            )
        )

    def test_idleAtOnce(self):
        """A timeout of 0 is over at once."""
        self.startIdle("0")
        client, _ = self.pair()
        self.envoy.advance(0.01)
        self.assertTrue(client.ended)

    def test_idleOfAnotherKind(self):
        """What is no number under that name says nothing."""
        self.startIdle("soon", "envoy.string")
        client, _ = self.pair()
        self.envoy.advance(2.9)
        self.assertFalse(client.ended)
        self.envoy.advance(0.2)
        self.assertTrue(client.ended)

    def test_idleOfOneConnection(self):
        """Filter state overrides the idle timeout of one connection, in milliseconds."""
        self.startIdle("1500")
        client, _ = self.pair()
        self.envoy.advance(1.4)
        self.assertFalse(client.ended)
        self.envoy.advance(0.2)
        self.assertTrue(client.ended)

    def test_idleWithSlowReader(self):
        """While somebody still takes bytes it is not idle; once nobody does, it ends."""
        self.start(idle_timeout="10s")
        client, server = self.pair()
        client.pauseProducing()
        server.write(b"x" * 5000)
        self.envoy.settle()
        self.assertEqual(self.stat("tcp.tcp.downstream_cx_tx_bytes_buffered"), 5000)
        self.envoy.advance(15)
        self.assertIsNone(client.lost)
        self.envoy.advance(10)
        self.assertTrue(client.wasReset and server.wasReset)
        self.assertEqual(self.stat("tcp.tcp.idle_timeout"), 1)
        self.assertQuiet()

    def test_duration(self):
        """max_downstream_connection_duration ends a busy connection, too, with flag DT."""
        self.start(max_downstream_connection_duration="5s")
        client, server = self.pair()
        for _ in range(4):
            self.envoy.advance(1)
            client.write(b"x")
        self.envoy.advance(0.9)
        self.assertFalse(client.ended)
        self.envoy.advance(0.2)
        self.assertTrue(client.ended and server.ended)
        self.assertEqual(self.stat("tcp.tcp.max_downstream_connection_duration"), 1)
        self.assertIn("flags=DT", self.envoy.lines("log")[0])
        self.assertQuiet()

    def test_durationWaitsForNobody(self):
        """A client that does not read is reset then: what it did not take is dropped."""
        self.start(max_downstream_connection_duration="5s")
        client, server = self.pair()
        client.pauseProducing()
        server.write(b"x" * 5000)
        self.envoy.advance(5.1)
        self.assertTrue(client.wasReset and server.wasReset)
        self.assertQuiet()

    def test_jitter(self):
        """Jitter adds a random share of up to so many percent."""

        class Half(Random):
            def random(self):
                return 0.5

        text = proxied(
            max_downstream_connection_duration="10s",
            max_downstream_connection_duration_jitter_percentage={"value": 50},
        )
        self.envoy = MemoryEnvoy(text, random=Half())
        self.envoy.listen(ORIGIN)
        client = self.envoy.connect("ingress")
        self.envoy.advance(12.4)
        self.assertFalse(client.ended)
        self.envoy.advance(0.2)
        self.assertTrue(client.ended)


class TargetTests(ProxyTestCase):
    """Where connections go."""

    def test_weights(self):
        """Clusters get connections by weight."""
        weighted = [{"name": "one", "weight": 1}, {"name": "three", "weight": 3}]
        self.start(
            bootstrap(
                [
                    listener(
                        "ingress",
                        "127.0.0.1:9000",
                        tcpProxy(None, weighted_clusters={"clusters": weighted}),
                    )
                ],
                [cluster("one", "127.0.0.1:1"), cluster("three", "127.0.0.1:3")],
            ),
            listen=False,
        )
        one, three = self.envoy.listen("127.0.0.1:1"), self.envoy.listen("127.0.0.1:3")
        for _ in range(400):
            self.envoy.connect("ingress")
        self.assertEqual(len(one.connections) + len(three.connections), 400)
        self.assertTrue(60 < len(one.connections) < 140, len(one.connections))

    def test_override(self):
        """Filter state `envoy.tcp_proxy.cluster` names another cluster."""
        state = setFilterState("envoy.tcp_proxy.cluster", "other")
        state["typed_config"]["on_new_connection"][0]["factory_key"] = "envoy.tcp_proxy.cluster"
        self.start(
            bootstrap(
                [listener("ingress", "127.0.0.1:9000", state, tcpProxy())],
                [cluster("origin", ORIGIN), cluster("other", "127.0.0.1:1")],
            )
        )
        other = self.envoy.listen("127.0.0.1:1")
        self.envoy.connect("ingress")
        self.assertEqual((len(self.origin.connections), len(other.connections)), (0, 1))

    def test_overrideOfAnotherKind(self):
        """A plain `envoy.string` under that name says nothing, as in Envoy."""
        state = setFilterState("envoy.tcp_proxy.cluster", "other")
        self.start(
            bootstrap(
                [listener("ingress", "127.0.0.1:9000", state, tcpProxy())],
                [cluster("origin", ORIGIN), cluster("other", "127.0.0.1:1")],
            )
        )
        self.envoy.connect("ingress")
        self.assertEqual(len(self.origin.connections), 1)

    def asked(self):
        """Records the contexts that the cluster's balancer is asked with."""
        contexts = []
        chosen = self.envoy.server.clusters.get("origin")
        balancer = chosen.balancer

        class Recording:
            def choose(self, context):
                contexts.append(context)
                return balancer.choose(context)

        chosen.balancer = Recording()
        return contexts

    def test_metadataMatch(self):
        """metadata_match reaches the load balancer; a weighted cluster's own goes over it."""
        shared = {"filter_metadata": {"envoy.lb": {"a": "1", "b": "1"}, "other": {"x": 1}}}
        own = {"filter_metadata": {"envoy.lb": {"b": "2"}}}
        self.start(metadata_match=shared)
        contexts = self.asked()
        self.envoy.connect("ingress")
        self.assertEqual(contexts[0].metadataMatch, {"a": "1", "b": "1"})

        weighted = [{"name": "origin", "weight": 1, "metadata_match": own}]
        proxy = tcpProxy(None, metadata_match=shared, weighted_clusters={"clusters": weighted})
        self.start(
            bootstrap([listener("ingress", "127.0.0.1:9000", proxy)], [cluster("origin", ORIGIN)])
        )
        contexts = self.asked()
        self.envoy.connect("ingress")
        self.assertEqual(contexts[0].metadataMatch, {"a": "1", "b": "2"})

    def test_noMatch(self):
        """Without one there is nothing to match, and no hash."""
        self.start()
        contexts = self.asked()
        self.envoy.connect("ingress")
        self.assertEqual((contexts[0].metadataMatch, contexts[0].hashKey), (None, None))

    def test_hashBySource(self):
        """One client address, one key."""
        self.start(hash_policy=[{"source_ip": {}}])
        contexts = self.asked()
        for source in ("10.0.0.1:1", "10.0.0.1:2", "10.0.0.2:1"):
            self.envoy.connect("ingress", source=source)
        first, same, other = [context.hashKey for context in contexts]
        self.assertEqual(first, same)
        self.assertEqual((first, other), (xxHash64(b"10.0.0.1"), xxHash64(b"10.0.0.2")))
        self.assertEqual(contexts[2].streamInfo.remoteAddress.host, "10.0.0.2")

    def test_hashByFilterState(self):
        """A hashable object's value is the key; without one there is none."""
        keys = []
        for factory in ("envoy.hashable_string", "envoy.string"):
            state = setFilterState("k", "v", factory_key=factory)
            proxy = tcpProxy(hash_policy=[{"filter_state": {"key": "k"}}])
            self.start(
                bootstrap(
                    [listener("ingress", "127.0.0.1:9000", state, proxy)],
                    [cluster("origin", ORIGIN)],
                )
            )
            contexts = self.asked()
            self.envoy.connect("ingress")
            self.envoy.connect("ingress")
            keys += [context.hashKey for context in contexts]
        self.assertEqual(keys[:2], [xxHash64(b"v")] * 2)
        self.assertEqual(keys[2:], [None, None])


class LogTests(ProxyTestCase):
    """When records are written."""

    def types(self):
        return [line.split()[0] for line in self.envoy.lines("log")]

    def test_atTheEndOnly(self):
        """By default one record, at the end."""
        self.start()
        client, server = self.pair()
        self.assertEqual(self.envoy.lines("log"), [])
        client.write(b"12345")
        self.envoy.settle()
        server.write(b"123")
        server.loseConnection()
        client.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual(
            self.envoy.lines("log"), [f"TcpConnectionEnd flags=- rx=5 tx=3 up={ORIGIN} fail=-"]
        )

    def test_all(self):
        """At the start, when connected, periodically and at the end."""
        self.start(
            access_log_options={
                "flush_access_log_on_start": True,
                "flush_access_log_on_connected": True,
                "access_log_flush_interval": "10s",
            }
        )
        client, _ = self.pair()
        self.envoy.advance(25)
        client.abortConnection()
        self.envoy.advance(60)
        self.assertEqual(
            self.types(),
            [
                "TcpConnectionStart",
                "TcpUpstreamConnected",
                "TcpPeriodic",
                "TcpPeriodic",
                "TcpConnectionEnd",
            ],
        )

    def test_deprecated(self):
        """The older fields beside access_log do the same."""
        self.start(flush_access_log_on_connected=True, access_log_flush_interval="10s")
        self.pair()
        self.envoy.advance(11)
        self.assertEqual(self.types(), ["TcpUpstreamConnected", "TcpPeriodic"])

    def test_startOfOneThatFails(self):
        """A connection that comes to nothing starts and ends, and was never connected."""
        options = {"flush_access_log_on_start": True, "flush_access_log_on_connected": True}
        self.start(listen=False, access_log_options=options)
        self.envoy.connect("ingress")
        self.assertEqual(self.types(), ["TcpConnectionStart", "TcpConnectionEnd"])


class ListenerLogTests(ProxyTestCase):
    """The log of a listener, when the proxy has none."""

    def test_upstreamBytes(self):
        """It has the upstream's bytes too."""
        line = "%UPSTREAM_WIRE_BYTES_SENT% %UPSTREAM_WIRE_BYTES_RECEIVED%"
        self.start(
            bootstrap(
                [listener("ingress", "127.0.0.1:9000", tcpProxy(), access_log=logTo("log", line))],
                [cluster("origin", ORIGIN)],
            )
        )
        client, upstream = self.pair()
        client.write(b"hi")
        self.envoy.settle()
        upstream.write(b"hello")
        self.envoy.settle()
        client.loseConnection()
        upstream.loseConnection()
        self.envoy.settle()
        self.assertEqual(self.envoy.lines("log"), ["2 5"])


class FaultTests(ProxyTestCase):
    """A callback that raises ends its own connection and no other."""

    def breakLogs(self, recordType):
        """Let access logs raise at this type of record, once."""
        (chain,) = self.envoy.server.listeners.get("ingress").connections
        logging = chain._links[-1].settings.logging
        broken = []

        class Breaking:
            def log(self, context):
                if context.accessLogType == recordType and not broken:
                    broken.append(context)
                    raise ZeroDivisionError

        object.__setattr__(logging, "logs", (Breaking(),))

    def test_logs(self):
        """A log that raises at any record."""
        options = {"flush_access_log_on_start": True, "flush_access_log_on_connected": True}
        for record in ("TcpConnectionStart", "TcpUpstreamConnected", "TcpConnectionEnd"):
            self.start(access_log_options=options)
            other, otherServer = self.pair()
            self.breakLogs(record)
            broken = self.envoy.connect("ingress")
            broken.abortConnection()
            self.envoy.settle()
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1, record)
            self.assertEqual(self.stat("tcp.tcp.downstream_cx_total"), 2)
            self.assertEqual(self.stat(CX + "active"), 1, record)
            self.assertEqual(self.stat("cluster.origin.upstream_rq_active"), 1)
            self.assertEqual(self.stat("listener.127.0.0.1_9000.downstream_cx_active"), 1)
            other.write(b"still there")
            self.envoy.settle()
            self.assertEqual(otherServer.received, b"still there")
            other.abortConnection()
            self.envoy.settle()
            self.assertQuiet()

    def test_upstreamProtocol(self):
        """An upstream that raises in its own protocol is a reset to us."""

        class Raising(Protocol):
            def dataReceived(self, data):
                raise ZeroDivisionError

        self.start(listen=False)
        self.envoy.listen(ORIGIN, Factory.forProtocol(Raising))
        client = self.envoy.connect("ingress")
        client.write(b"x")
        self.envoy.settle()
        self.assertTrue(client.wasReset)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertQuiet()

    def test_connectRaises(self):
        """A pool that fails in a way it must not is logged, and that connection is reset."""
        self.start()
        host = self.envoy.server.clusters.get("origin").hosts[0]
        host._plainPool = None

        class Odd:
            def open(self, user):
                raise ZeroDivisionError

        host._plainPool = Odd()
        self.assertTrue(self.envoy.connect("ingress").wasReset)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        host._plainPool = None
        self.assertFalse(self.envoy.connect("ingress").ended)


class HopTests(ProxyTestCase):
    """Proxies behind internal listeners."""

    def test_loop(self):
        """A listener that leads to itself ends at the hop guard, with flags and a reason."""
        self.start(
            bootstrap(
                [
                    listener(
                        "ingress", "127.0.0.1:9000", tcpProxy("again", access_log=logTo("log", LOG))
                    ),
                    listener("again", "internal:", tcpProxy("again", "again")),
                ],
                [cluster("again", "internal:again")],
            )
        )
        client = self.envoy.connect("ingress")
        self.assertTrue(client.wasReset)
        (line,) = self.envoy.lines("log")
        self.assertIn("flags=UR", line)
        self.assertEqual(self.stat("cluster.again.upstream_cx_total"), 33)
        self.assertQuiet()

    def test_sharedState(self):
        """What is shared goes along to the next listener, by reference."""
        state = setFilterState("k", "value", "TRANSITIVE")
        inner = {
            "name": "envoy.transport_sockets.internal_upstream",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets."
                "internal_upstream.v3.InternalUpstreamTransport",
                "transport_socket": {
                    "name": "raw",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.transport_sockets."
                        "raw_buffer.v3.RawBuffer"
                    },
                },
            },
        }
        text = "%FILTER_STATE(k:PLAIN)% %UPSTREAM_FILTER_STATE(k:PLAIN)%"
        self.start(
            bootstrap(
                [
                    listener(
                        "ingress",
                        "127.0.0.1:9000",
                        state,
                        tcpProxy("hop", access_log=logTo("log", text)),
                    ),
                    listener(
                        "hop", "internal:", tcpProxy("last", "hop", access_log=logTo("hop", text))
                    ),
                    listener("last", "internal:", echo()),
                ],
                [
                    cluster("hop", "internal:hop", transport_socket=inner),
                    cluster("last", "internal:last", transport_socket=inner),
                ],
            )
        )
        client = self.envoy.connect("ingress")
        client.loseWriteConnection()
        self.envoy.settle()
        self.assertTrue(client.ended)
        self.assertEqual(self.envoy.lines("log"), ["value value"])
        self.assertEqual(self.envoy.lines("hop"), ["value value"])
