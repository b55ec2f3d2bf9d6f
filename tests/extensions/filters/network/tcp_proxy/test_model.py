"""Random lives of connections: every gauge comes back to 0 and every total adds up."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bootstraps import bootstrap, cluster, listener, logTo, tcpProxy
from tests.extensions.filters.network.tcp_proxy.support import LOG, ORIGIN, ProxyTestCase
from twisted_envoy.testing import Origin

WHO = st.integers(0, 2)
EVENTS = st.one_of(
    st.tuples(st.sampled_from(["connect", "refuse", "accept", "silence"])),
    st.tuples(
        st.sampled_from(["write", "end", "close", "abort", "pause", "resume"]),
        st.booleans(),
        WHO,
    ),
    st.tuples(st.just("advance"), st.sampled_from([0.4, 3.0, 11.0])),
    st.tuples(st.just("settle")),
)


class LivesTests(ProxyTestCase):
    """A model: what must hold after any sequence of events."""

    def act(self, event, clients):
        kind = event[0]
        envoy = self.envoy
        if kind == "connect":
            connecting = envoy.endpoint("ingress").connect(self.clientFactory)
            connecting.addErrback(lambda failure: None)
        elif kind == "refuse" and self.listening:
            self.listening = False
            envoy.sockets.find(envoy.server.clusters.get("origin").hosts[0].address).stopListening()
        elif kind == "accept" and not self.listening:
            self.listening = True
            envoy.listen(ORIGIN, self.origin)
        elif kind == "silence":
            if ORIGIN in envoy.sockets._silent:
                envoy.sockets._silent.clear()
            else:
                envoy.silence(ORIGIN)
        elif kind == "advance":
            envoy.advance(event[1])
        elif kind == "settle":
            envoy.settle()
        elif len(event) == 3:
            _, client, number = event
            peers = clients if client else self.origin.connections
            if number < len(peers):
                self.say(kind, peers[-1 - number])

    def say(self, kind, peer):
        if kind == "write":
            peer.write(b"x" * 3000)
        elif kind == "end":
            peer.loseWriteConnection()
        elif kind == "close":
            peer.loseConnection()
        elif kind == "abort":
            peer.abortConnection()
        elif kind == "pause":
            peer.pauseProducing()
        else:
            peer.resumeProducing()

    def run_(self, events, hop, attempts):
        proxy = tcpProxy(
            idle_timeout="10s",
            max_connect_attempts=attempts,
            backoff_options={"base_interval": "0.5s"},
            access_log=logTo("log", LOG),
        )
        limits = {
            "circuit_breakers": {"thresholds": [{"max_connections": 2}]},
            "connect_timeout": "2s",
            "per_connection_buffer_limit_bytes": 4096,
        }
        listeners = [listener("ingress", "127.0.0.1:9000", proxy)]
        clusters = [cluster("origin", ORIGIN, **limits)]
        if hop:
            entry = tcpProxy("hop", "in", idle_timeout="10s")
            listeners = [
                listener("ingress", "127.0.0.1:9000", entry),
                listener("hop", "internal:", proxy),
            ]
            clusters.append(cluster("hop", "internal:hop", connect_timeout="2s"))
        self.start(bootstrap(listeners, clusters))
        self.listening = True
        self.clientFactory = Origin()
        clients = self.clientFactory.connections
        for event in events:
            self.act(event, clients)
        self.envoy.settle()
        for peer in [*clients, *self.origin.connections]:
            peer.loseConnection()
        self.envoy.advance(60)
        return clients

    @given(st.lists(EVENTS, max_size=25), st.booleans(), st.integers(1, 3))
    @settings(max_examples=60, deadline=None)
    def test_settled(self, events, hop, attempts):
        """
        Gauges are 0, each connection is logged once, and what was made was destroyed.
        """
        self.run_(events, hop, attempts)
        self.assertQuiet()
        self.assertEqual(self.envoy.server.listeners.openConnections, 0)
        for name in ("origin", "hop") if hop else ("origin",):
            prefix = f"cluster.{name}.upstream_"
            made = self.stat(prefix + "cx_total")
            self.assertEqual(self.stat(prefix + "cx_destroy"), made)
            ended = self.stat(prefix + "cx_destroy_local") + self.stat(prefix + "cx_destroy_remote")
            self.assertEqual(ended, made)
            settled = (
                self.stat(prefix + "rq_total")
                + self.stat(prefix + "cx_connect_fail")
                + self.stat(prefix + "rq_cancelled")
            )
            self.assertEqual(settled, made)
            self.assertEqual(self.stat(prefix + "rq_pending_total"), made)
            host = self.envoy.server.clusters.get(name).hosts[0]
            self.assertEqual((host.stats.cx_active.value, host.stats.rq_active.value), (0, 0))
            self.assertEqual(host.stats.cx_total.value, made)
        self.assertEqual(len(self.envoy.lines("log")), self.stat("tcp.tcp.downstream_cx_total"))
        live = self.envoy.clock.getDelayedCalls()
        self.assertEqual(len(live), 1, live)  # the merge of the histograms
