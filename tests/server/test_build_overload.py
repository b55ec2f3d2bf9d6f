"""The server's limit and managers."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import bootstrap, cluster, listener, tcpProxy, typed
from tests.server.refusing import RefusalTestCase
from twisted_envoy.testing import MemoryEnvoy

MONITOR = "envoy.resource_monitors.global_downstream_max_connections"
KIND = "resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
HTTP = "filters.network.http_connection_manager.v3.HttpConnectionManager"
ECHO = "filters.network.echo.v3.Echo"


def monitor(name: str = MONITOR) -> dict[str, Any]:
    """The monitor of connections."""
    return typed(name, KIND, max_active_downstream_connections=5)


class WholeServerTests(RefusalTestCase):
    """Fields of the bootstrap itself."""

    def test_monitors(self) -> None:
        """One, by its one name."""
        MemoryEnvoy(bootstrap([], overload_manager={"resource_monitors": [monitor()]}))
        for monitors, problem in (
            ([monitor(), monitor()], f"Duplicate resource monitor {MONITOR}"),
            ([monitor("other")], "Didn't find a registered implementation for 'other'"),
            ([{"name": "nope"}], "Didn't find a registered implementation for 'nope'"),
        ):
            self.assertRefused(
                bootstrap([], overload_manager={"resource_monitors": monitors}), problem
            )

    def test_managers(self) -> None:
        """Envoy's own listener manager is what there is."""
        own = {"@type": "type.googleapis.com/envoy.config.bootstrap.v3.ListenerManager"}
        MemoryEnvoy(bootstrap([], listener_manager={"name": "x", "typed_config": own}))
        self.assertRefused(
            bootstrap([], listener_manager=typed("x", ECHO)),
            "Didn't find a registered implementation for 'x' with type URL: "
            "'envoy.extensions.filters.network.echo.v3.Echo'",
        )

    def test_localCluster(self) -> None:
        """It must be there."""
        self.assertRefused(
            bootstrap([], cluster_manager={"local_cluster_name": "here"}),
            "local cluster 'here' must be defined",
        )

    def test_clusterManager(self) -> None:
        """One that says nothing is obeyed; what it says is reported."""
        MemoryEnvoy(bootstrap([], cluster_manager={}))
        self.assertRefused(
            bootstrap([], cluster_manager={"enable_deferred_cluster_creation": True}),
            "enable_deferred_cluster_creation",
        )

    def test_otherParts(self) -> None:
        """RE2 is what there is; sinks are not implemented."""
        engine = typed("x", "regex_engines.v3.GoogleRE2")
        MemoryEnvoy(bootstrap([], default_regex_engine=engine))
        self.assertRefused(
            bootstrap([], default_regex_engine=typed("x", ECHO)),
            "Didn't find a registered implementation for 'x'",
        )
        self.assertRefused(
            bootstrap([], stats_sinks=[{"name": "nope"}]),
            "Didn't find a registered implementation for 'nope' with type URL: ''",
        )
        statsd = {"@type": "type.googleapis.com/envoy.config.metrics.v3.StatsdSink"}
        for fields, problem in (
            ({}, 'field: "statsd_specifier", reason: is required'),
            ({"tcp_cluster_name": "c"}, "not implemented by twisted_envoy"),
        ):
            sink = {"name": "statsd", "typed_config": {**statsd, **fields}}
            self.assertRefused(bootstrap([], stats_sinks=[sink]), problem)

    def test_noThreads(self) -> None:
        """Who watches threads has nothing to do."""
        MemoryEnvoy(bootstrap([], watchdog={"miss_timeout": "1s"}, memory_allocator_manager={}))

    def test_envoysWordsComeFirst(self) -> None:
        """What is not implemented waits for what Envoy would refuse, wherever that stands."""
        rds = {"route_config_name": "r", "config_source": {"ads": {}}}
        http = typed("h", HTTP, stat_prefix="h", rds=rds)
        first = listener("one", "127.0.0.1:0", http)
        broken = listener("two", "127.0.0.1:0", tcpProxy(prefix=""))
        self.assertRefused(bootstrap([first, broken]), "TcpProxyValidationError.StatPrefix")
        self.assertRefused(bootstrap([first]), "not implemented by twisted_envoy")
        maglev = cluster("c", lb_policy="MAGLEV")
        bad = cluster("d", "nope:1")
        self.assertRefused(bootstrap([], [maglev, bad]), "malformed IP address: nope")
