"""Clusters of a config."""

from __future__ import annotations

import socket
from sys import maxsize

from tests.bootstraps import bootstrap, cluster, listener, tcpProxy
from tests.server.refusing import RefusalTestCase
from twisted_envoy.errors import UnsupportedExtension, UnsupportedField
from twisted_envoy.testing import MemoryEnvoy

POLICIES = "type.googleapis.com/envoy.extensions.load_balancing_policies."
SOCKETS = "type.googleapis.com/envoy.extensions.transport_sockets."


def policy(*names):
    """A typed load_balancing_policy of these, in order."""
    configs = [
        {"typed_extension_config": {"name": name, "typed_config": {"@type": POLICIES + name}}}
        for name in names
    ]
    return {"policies": configs}


class ClusterTestCase(RefusalTestCase):
    def text(self, *addresses, **fields):
        return bootstrap([], [cluster("c", *(addresses or ("1.2.3.4:5",)), **fields)])

    def built(self, *addresses, **fields):
        self.envoy = MemoryEnvoy(self.text(*addresses, **fields))
        return self.envoy.server.clusters.get("c")


class SettingTests(ClusterTestCase):
    """What a cluster becomes."""

    def test_defaults(self):
        """Envoy's."""
        made = self.built()
        self.assertEqual(made.connectTimeouts.delay, 5.0)
        self.assertEqual(made.bufferLimit, 1024 * 1024)
        self.assertEqual(made.observabilityName, "c")
        self.assertEqual(made.metadata, {})
        self.assertEqual(made.priorities["default"].connections.most, 1024)
        self.assertEqual(self.envoy.stat("cluster.c.default.total_match_count"), 1)

    def test_given(self):
        """What is said."""
        made = self.built(
            connect_timeout="0.25s",
            per_connection_buffer_limit_bytes=100,
            metadata={"filter_metadata": {"a": {"b": 1}}},
            alt_stat_name="other",
        )
        self.assertEqual(made.connectTimeouts.delay, 0.25)
        self.assertEqual((made.bufferLimit, made.metadata), (100, {"a": {"b": 1}}))
        self.assertEqual(made.observabilityName, "other")
        self.assertEqual(self.envoy.stat("cluster.other.membership_total"), 1)

    def test_noBufferLimit(self):
        """0 is no limit."""
        self.assertEqual(self.built(per_connection_buffer_limit_bytes=0).bufferLimit, maxsize)

    def test_thresholds(self):
        """Circuit breakers by priority; the first of a priority counts."""
        thresholds = [
            {"max_connections": 1, "max_retries": 2, "track_remaining": True},
            {"max_connections": 9},
            {
                "priority": "HIGH",
                "max_pending_requests": 5,
                "max_requests": 6,
                "max_connection_pools": 7,
            },
        ]
        made = self.built(circuit_breakers={"thresholds": thresholds})
        default, high = made.priorities["default"], made.priorities["high"]
        self.assertEqual((default.connections.most, default.retries.most), (1, 2))
        self.assertEqual((high.pendingRequests.most, high.requests.most), (5, 6))
        self.assertEqual(high.connectionPools.most, 7)
        self.assertEqual(self.envoy.stat("cluster.c.circuit_breakers.default.remaining_cx"), 1)

    def test_connectOptions(self):
        """Where connections come from, and what their sockets are told."""
        made = self.built(
            upstream_bind_config={
                "source_address": {"address": "127.0.0.9", "port_value": 0},
                "freebind": True,
                "socket_options": [{"level": 1, "name": 2, "int_value": 3}],
            },
            upstream_connection_options={"tcp_keepalive": {"keepalive_time": 9}},
        )
        options = made.connectOptions
        self.assertEqual(options.sourceAddress, ("127.0.0.9", 0))
        self.assertEqual(
            options.options,
            (
                (socket.IPPROTO_IP, 15, 1),
                (1, 2, 3),
                (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
                (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 9),
            ),
        )

    def test_bindConfigOfAnInternalHost(self):
        """An internal connection has no source to bind; it works all the same."""
        bind = {"source_address": {"address": "127.0.0.9", "port_value": 0}}
        text = bootstrap(
            [listener("in", "127.0.0.1:1", tcpProxy("c"))],
            [cluster("c", "internal:app", upstream_bind_config=bind)],
        )
        envoy = MemoryEnvoy(text)
        app = envoy.listen("envoy://app/")
        envoy.connect("in")
        self.assertEqual(len(app.connections), 1)

    def test_ignored(self):
        """What Envoy ignores for a static cluster is accepted."""
        self.built(
            dns_lookup_family="V4_ONLY",
            respect_dns_ttl=True,
            dns_refresh_rate="1s",
            cleanup_interval="1s",
            ignore_health_on_host_removal=True,
        )

    def test_transportSocket(self):
        """A transport socket may be named."""
        raw = {"name": "raw", "typed_config": {"@type": SOCKETS + "raw_buffer.v3.RawBuffer"}}
        self.assertEqual(len(self.built(transport_socket=raw).hosts), 1)


class BalancerTests(ClusterTestCase):
    """Which balancer a cluster gets."""

    def test_byEnum(self):
        """lb_policy."""
        for name in ("ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"):
            balancer = self.built("1.2.3.4:5", lb_policy=name)._balancer
            self.assertIn(name.lower(), type(balancer).__module__)

    def test_byList(self):
        """load_balancing_policy: the first that is implemented."""
        for names, found in (
            (("random.v3.Random", "round_robin.v3.RoundRobin"), "random"),
            (("maglev.v3.Maglev", "round_robin.v3.RoundRobin"), "round_robin"),
        ):
            balancer = self.built(load_balancing_policy=policy(*names))._balancer
            self.assertIn(found, type(balancer).__module__)

    def test_unimplemented(self):
        """What is not implemented says so."""
        text = self.text(lb_policy="MAGLEV")
        self.assertIsInstance(self.refused(text), UnsupportedField)
        self.assertRefused(text, "lb_policy MAGLEV is not implemented", '"lb_policy"')
        text = self.text(load_balancing_policy=policy("maglev.v3.Maglev"))
        self.assertIsInstance(self.refused(text), UnsupportedExtension)
        self.assertRefused(
            self.text(load_balancing_policy={"policies": []}),
            "didn't find a registered load balancer factory",
        )


class TypeTests(ClusterTestCase):
    """Types of clusters."""

    def test_unimplemented(self):
        """Types that Envoy has and we have not."""
        eds = {"type": "EDS", "eds_cluster_config": {"eds_config": {"ads": {}}}}
        text = bootstrap([], [{"name": "c", **eds}])
        self.assertRefused(text, "cluster type EDS is not implemented", '"type"')
        text = bootstrap([], [{"name": "c", "cluster_type": {"name": "envoy.clusters.aggregate"}}])
        self.assertIsInstance(self.refused(text), UnsupportedExtension)

    def test_unknown(self):
        """A type that nobody knows, in Envoy's words."""
        text = bootstrap([], [{"name": "c", "cluster_type": {"name": "mine"}}])
        problem = "Didn't find a registered cluster factory implementation for name: 'mine'"
        self.assertRefused(text, problem, '"name"')

    def test_staticByName(self):
        """envoy.cluster.static is the type STATIC."""
        made = cluster("c", "1.2.3.4:5", cluster_type={"name": "envoy.cluster.static"})
        envoy = MemoryEnvoy(bootstrap([], [made]))
        self.assertEqual(len(envoy.server.clusters.get("c").hosts), 1)

    def test_protocolOptions(self):
        """Protocol options under a name that nobody registered."""
        text = self.text(
            typed_extension_protocol_options={
                "mine": {"@type": SOCKETS + "raw_buffer.v3.RawBuffer"}
            }
        )
        self.assertRefused(text, "Didn't find a registered network or http filter")

    def test_duplicate(self):
        """Two clusters of one name."""
        text = bootstrap([], [cluster("c", "1.2.3.4:5"), cluster("c", "1.2.3.4:5")])
        self.assertRefused(text, "cluster manager: duplicate cluster 'c'", '"name"')

    def test_bindAddress(self):
        """A source that is no IP address."""
        bind = {"source_address": {"address": "here", "port_value": 0}}
        self.assertRefused(self.text(upstream_bind_config=bind), "malformed IP address: here")
