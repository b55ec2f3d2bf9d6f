"""Which connections are carried."""

from __future__ import annotations

import json

from tests.bootstraps import INTERNAL, bootstrap, cluster, listener, logTo, proxied, tcpProxy
from tests.extensions.filters.network.tcp_proxy.support import ProxyTestCase
from twisted_envoy.extensions.filters.network.tcp_proxy.carried import Carried
from twisted_envoy.extensions.filters.network.tcp_proxy.carried_hop import CarriedOverHop

RBAC = {
    "name": "rbac",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC",
        "stat_prefix": "x",
    },
}


def hops(entry=None, inner=None, hop=None) -> str:
    """Two proxies with a hop between them."""
    return bootstrap(
        [
            listener("ingress", "127.0.0.1:9000", tcpProxy("hop", "in", **(entry or {}))),
            listener("hop", "internal:", tcpProxy(**(inner or {}))),
        ],
        [
            cluster("origin", "127.0.0.1:10000"),
            cluster("hop", "internal:hop", **(hop or {})),
        ],
    )


def bootstrapWith(text, **fields):
    """The same with other fields."""
    return json.dumps({**json.loads(text), **fields}, indent=1)


class CarrierTests(ProxyTestCase):
    """Of listeners in memory."""

    def kindOf(self, text):
        """What the listener `ingress` makes of a connection."""
        self.start(text)
        self.envoy.connect("ingress")
        (one,) = self.envoy.server.listeners.get("ingress").connections
        return type(one)

    def assertOrdinary(self, text):
        self.assertFalse(issubclass(self.kindOf(text), Carried))

    def test_plain(self):
        """A TCP proxy alone, which does nothing but pass bytes."""
        self.assertIs(self.kindOf(proxied()), Carried)
        self.assertIs(self.kindOf(proxied(idle_timeout="0s", max_connect_attempts=3)), Carried)
        self.assertIs(self.kindOf(proxied({"connect_timeout": "1s"})), Carried)

    def test_hop(self):
        """Over a hop between two of them."""
        self.assertIs(self.kindOf(hops()), CarriedOverHop)

    def test_proxies(self):
        """Anything that the proxy does makes its connections ordinary."""
        for fields in (
            {"access_log": logTo("log", "x")},
            {"max_downstream_connection_duration": "5s"},
            {"hash_policy": [{"source_ip": {}}]},
            {"upstream_connect_mode": "ON_DOWNSTREAM_DATA", "max_early_data_bytes": 1},
            {"max_early_data_bytes": 100},
            {"check_drain_close": True},
        ):
            self.assertOrdinary(proxied(**fields))
            self.assertOrdinary(hops(fields))
            self.assertOrdinary(hops(None, fields))

    def test_clusters(self):
        """So does a cluster that is looked after, or has more than one host."""
        check = {"timeout": "1s", "interval": "9s", "unhealthy_threshold": 1}
        check |= {"healthy_threshold": 1, "tcp_health_check": {}}
        self.assertOrdinary(proxied({"outlier_detection": {}}))
        self.assertOrdinary(hops(hop={"outlier_detection": {}}))
        self.assertOrdinary(hops(hop={"close_connections_on_host_health_failure": True}))
        self.assertOrdinary(hops(hop={"health_checks": [check]}))

    def test_listeners(self):
        """So does a listener with another filter, a log, or something that looks first."""
        inspector = "type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3"
        looks = {
            "name": "looks",
            "typed_config": {"@type": inspector + ".HttpInspector"},
        }
        for fields in ({"access_log": logTo("log", "x")}, {"listener_filters": [looks]}):
            one = listener("ingress", "127.0.0.1:9000", tcpProxy(), **fields)
            self.start(bootstrap([one], [cluster("origin", "127.0.0.1:10000")]))
            self.assertIsNone(self.envoy.server.listeners.get("ingress").carrier)
        one = listener("ingress", "127.0.0.1:9000", RBAC, tcpProxy())
        self.assertOrdinary(bootstrap([one], [cluster("origin", "127.0.0.1:10000")]))

    def test_nowhere(self):
        """Where there is no listener behind the hop, it is for the ordinary way to say so."""
        text = bootstrap(
            [listener("ingress", "127.0.0.1:9000", tcpProxy("hop", "in"))],
            [cluster("hop", "internal:hop")],
        )
        self.start(text)
        self.envoy.connect("ingress")
        self.assertEqual(self.stat("cluster.hop.upstream_cx_connect_fail"), 1)

    def test_limits(self):
        """What reaches a limit goes the ordinary way, which counts it."""
        limits = {"circuit_breakers": {"thresholds": [{"max_connections": 1}]}}
        self.start(proxied(limits))
        self.pair()
        client = self.envoy.connect("ingress")
        self.assertTrue(client.ended)
        self.assertEqual(self.stat("cluster.origin.upstream_cx_overflow"), 1)
        self.assertEqual(self.stat("cluster.origin.upstream_cx_total"), 1)

    def test_limitOfBoth(self):
        """A hop counts besides the connection in front of it, and is never one too many."""
        layer = {"overload.global_downstream_max_connections": 3}
        runtime = {"layers": [{"name": "a", "static_layer": layer}]}
        text = hops()
        self.start(bootstrapWith(text, layered_runtime=runtime))
        self.pair()
        client, _ = self.pair()
        self.assertFalse(client.ended or client.wasReset)
        client = self.envoy.connect("ingress")
        self.assertEqual(self.stat("listener.127.0.0.1_9000.downstream_global_cx_overflow"), 1)
        self.assertEqual(self.stat("listener.envoy_internal_hop.downstream_cx_total"), 2)
        self.assertTrue(client.ended or client.wasReset)

    def test_smallHop(self):
        """A hop that may be full after one read says so with its flow control."""
        small = {**INTERNAL, "typed_config": {**INTERNAL["typed_config"], "buffer_size_kb": 255}}
        self.assertOrdinary(bootstrapWith(hops(), bootstrap_extensions=[small]))
        small["typed_config"]["buffer_size_kb"] = 256
        text = bootstrapWith(hops(), bootstrap_extensions=[small])
        self.assertIs(self.kindOf(text), CarriedOverHop)
