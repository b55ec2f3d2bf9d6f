"""Clusters of a config."""

from __future__ import annotations

import socket
from sys import maxsize

from tests.bootstraps import bootstrap, cluster, listener, tcpProxy
from tests.server.refusing import RefusalTestCase
from twisted_envoy.errors import UnsupportedExtension
from twisted_envoy.testing import MemoryEnvoy

SOCKETS = "type.googleapis.com/envoy.extensions.transport_sockets."


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

    def test_socketMatches(self):
        """A transport socket for each endpoint, by its metadata."""
        raw = {
            "name": "raw",
            "typed_config": {"@type": SOCKETS + "raw_buffer.v3.RawBuffer"},
        }
        one = {"name": "one", "match": {"a": "b"}, "transport_socket": raw}
        self.built(transport_socket_matches=[one])
        self.assertEqual(self.envoy.stat("cluster.c.default.total_match_count"), 1)
        self.assertEqual(self.envoy.stat("cluster.c.one.total_match_count"), 0)

        self.assertRefused(
            self.text(transport_socket_matches=[{"name": "one"}]),
            "Didn't find a registered implementation for '' with type URL: ''",
        )
        check = {
            **{"timeout": "1s", "interval": "1s", "unhealthy_threshold": 1},
            **{"healthy_threshold": 1, "tcp_health_check": {}},
            "transport_socket_match_criteria": {"a": "b"},
        }
        self.built(health_checks=[check])
        problem = self.refused(self.text(transport_socket_matches=[one], health_checks=[check]))
        self.assertIn("transport_socket_match_criteria", str(problem))

    def test_noBufferLimit(self):
        """0 is no limit."""
        self.assertEqual(self.built(per_connection_buffer_limit_bytes=0).bufferLimit, maxsize)

    def test_retryBudget(self):
        """A share of what is under way instead of max_retries; 20 % and 3 when not said."""
        for budget, most in (
            ({}, 3),
            ({"min_retry_concurrency": 1, "budget_percent": {"value": 50}}, 5),
        ):
            made = self.built(circuit_breakers={"thresholds": [{"retry_budget": budget}]})
            for _ in range(10):
                made.priorities["default"].requests.take()

            self.assertEqual(made.priorities["default"].retries.most, most)

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

    def test_internalHostWithoutExtension(self):
        """An internal endpoint needs no bootstrap extension; without a listener it fails later."""
        text = bootstrap(
            [listener("in", "127.0.0.1:1", tcpProxy("c"))],
            [cluster("c", "internal:nobody")],
            bootstrap_extensions=[],
        )
        envoy = MemoryEnvoy(text)
        self.assertTrue(envoy.connect("in").ended)
        self.assertEqual(envoy.stat("cluster.c.upstream_cx_connect_fail"), 1)

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

    def test_duplicate(self):
        """Two clusters of one name."""
        text = bootstrap([], [cluster("c", "1.2.3.4:5"), cluster("c", "1.2.3.4:5")])
        self.assertRefused(text, "cluster manager: duplicate cluster 'c'", '"name"')

    def test_bindAddress(self):
        """A source that is no IP address."""
        bind = {"source_address": {"address": "here", "port_value": 0}}
        self.assertRefused(self.text(upstream_bind_config=bind), "malformed IP address: here")

    def test_originalDestination(self):
        """What Envoy says of a type that is not implemented."""
        for fields, problem in (
            ({}, "LB policy ROUND_ROBIN is not valid for Cluster type ORIGINAL_DST"),
            (
                {"lb_policy": "CLUSTER_PROVIDED"},
                "ORIGINAL_DST clusters must have no load assignment configured",
            ),
        ):
            self.assertRefused(self.text(type="ORIGINAL_DST", **fields), problem)

    def test_discoveryOfAStaticCluster(self):
        """EDS is for EDS."""
        config = {"eds_config": {"ads": {}}}
        self.assertRefused(
            self.text(eds_cluster_config=config), "eds_cluster_config set in a non-EDS cluster"
        )

    def test_sources(self):
        """More than one source, and two of one IP version."""
        source = {"address": "127.0.0.9", "port_value": 0}
        for more, problem in (
            ([{"address": source}] * 2, "more than one extra/additional source addresses"),
            ([{"address": source}], "two same IP version source addresses"),
            (
                [{"address": {"address": "::1", "port_value": 0}}],
                "a second source address is not implemented",
            ),
        ):
            bind = {"source_address": source, "extra_source_addresses": more}
            self.assertRefused(self.text(upstream_bind_config=bind), problem)

    def test_perHostThresholds(self):
        """Only max_connections may be limited per host."""
        breakers = {"per_host_thresholds": [{"max_requests": 1}]}
        self.assertRefused(
            self.text(circuit_breakers=breakers), "Unsupported field in per_host_thresholds"
        )
