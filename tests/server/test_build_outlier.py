"""Outlier detection of a bootstrap."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import bootstrap, cluster, listener, tcpProxy, typed
from tests.server.refusing import RefusalTestCase
from tests.upstream.health.memory import ILL, OK, TIMES, HTTPOrigin
from twisted_envoy.errors import UnsupportedField
from twisted_envoy.testing import MemoryEnvoy

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
ALL = {"max_ejection_percent": 100, "consecutive_5xx": 2}


def manager(**route: Any) -> dict[str, Any]:
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "c", **route}}]
    return typed(
        "http",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="h",
        route_config={"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": routes}]},
        http_filters=[typed("router", "filters.http.router.v3.Router")],
    )


class OutlierTests(RefusalTestCase):
    def text(self, *addresses: str, http: bool = True, **fields: Any) -> str:
        last = manager() if http else tcpProxy("c")
        outlier = {**ALL, **fields.pop("outlier", {})}
        made = cluster("c", *(addresses or ("10.0.0.1:80",)), outlier_detection=outlier, **fields)
        return bootstrap(
            [listener("l", "127.0.0.1:9000", last)],
            [made],
            cluster_manager={"outlier_detection": {"event_log_path": "/log"}},
        )

    def start(self, *addresses: str, **fields: Any) -> MemoryEnvoy:
        self.envoy = MemoryEnvoy(self.text(*addresses, **fields))
        return self.envoy

    def flags(self) -> list[str]:
        made: Any = self.envoy.server.clusters.get("c")
        return [host.healthFlags for host in made.hosts]

    def ask(self, times: int = 1) -> list[bytes]:
        found = []
        for _ in range(times):
            client = self.envoy.connect("l")
            client.write(GET)
            self.envoy.settle()
            found.append(client.received[9:12])
        return found

    def test_answers(self) -> None:
        """A host that answers badly is left out; the event log says so."""
        self.start("10.0.0.1:80", "10.0.0.2:80")
        self.envoy.listen("10.0.0.1:80", HTTPOrigin(ILL))
        self.envoy.listen("10.0.0.2:80", HTTPOrigin(OK))
        self.ask(4)
        self.assertEqual(self.flags(), ["/failed_outlier_check", "healthy"])
        self.assertEqual(self.ask(3), [b"200"] * 3)
        (record,) = self.envoy.logs.records("/log")
        self.assertEqual((record["action"], record["upstream_url"]), ("EJECT", "10.0.0.1:80"))
        self.assertEqual(self.envoy.stat("cluster.c.membership_healthy"), 1)
        self.envoy.advance(31)
        self.assertEqual(self.flags(), ["healthy", "healthy"])

    def test_requestFailures(self) -> None:
        """No connection, an answer that never comes, a reset: all of them count."""
        self.start()
        self.assertEqual(self.ask(2), [b"503", b"503"])
        self.assertEqual(self.flags(), ["/failed_outlier_check"])
        self.start()
        origin: HTTPOrigin = self.envoy.listen("10.0.0.1:80", HTTPOrigin(None))
        for _ in range(2):
            self.ask()
            origin.connections[-1].abortConnection()
            self.envoy.settle()
        self.assertEqual(self.flags(), ["/failed_outlier_check"])
        self.start()
        self.envoy.listen("10.0.0.1:80", HTTPOrigin(None))
        self.ask(2)
        self.envoy.advance(16)
        self.assertEqual(self.flags(), ["/failed_outlier_check"])

    def test_tcp(self) -> None:
        """Connections that cannot be made, or take too long; one that can be is a success."""
        for silent in (False, True):
            self.start(http=False, connect_timeout="1s")
            if silent:
                self.envoy.silence("10.0.0.1:80")
            for _ in range(2):
                self.envoy.connect("l")
                self.envoy.advance(1)
            self.assertEqual(self.flags(), ["/failed_outlier_check"])
        self.start(http=False)
        self.envoy.connect("l")
        self.envoy.settle()
        self.envoy.listen("10.0.0.1:80")
        self.envoy.connect("l")
        self.envoy.settle()
        cluster: Any = self.envoy.server.clusters.get("c")
        cluster.hosts[0].monitor.external.turn()
        self.assertEqual(cluster.hosts[0].monitor.external.last(), (50.0, 2))

    def test_split(self) -> None:
        """Connects count apart where the config wants that."""
        split = {
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 3,
        }
        self.start(outlier=split)
        self.ask(2)
        self.assertEqual(self.flags(), ["healthy"])
        self.ask(1)
        self.assertEqual(self.flags(), ["/failed_outlier_check"])
        stat = "cluster.c.outlier_detection.ejections_enforced_consecutive_local_origin_failure"
        self.assertEqual(self.envoy.stat(stat), 1)

    def test_withHealthChecks(self) -> None:
        """A check that succeeds takes the host back."""
        check = {**TIMES, "interval": "2s", "http_health_check": {"path": "/"}}
        self.start(health_checks=[check])
        origin: HTTPOrigin = self.envoy.listen("10.0.0.1:80", HTTPOrigin(OK))
        self.envoy.advance(25)
        self.assertEqual(self.flags(), ["healthy"])
        origin.answer = ILL
        self.ask(2)
        self.assertEqual(self.flags(), ["/failed_outlier_check"])
        origin.answer = OK
        self.envoy.advance(10)
        self.assertEqual(self.flags(), ["healthy"])

    def test_stop(self) -> None:
        """No timer is left."""
        self.start()
        self.envoy.stop()
        self.assertEqual(self.envoy.clock.getDelayedCalls(), [])

    def test_times(self) -> None:
        """A longer base makes a longer bound."""
        self.start(outlier={"base_ejection_time": "400s"})
        made: Any = self.envoy.server.clusters.get("c")
        self.assertEqual(made.outlier._settings.of("max_ejection_time_ms"), 400_000)

    def test_refused(self) -> None:
        """What Envoy refuses, and what is not obeyed."""
        times = {"base_ejection_time": "40s", "max_ejection_time": "30s"}
        self.assertRefused(
            self.text(outlier=times),
            "outlier detector's max_ejection_time cannot be smaller than base_ejection_time",
        )
        degraded = {"detect_degraded_hosts": True}
        self.assertIsInstance(self.refused(self.text(outlier=degraded)), UnsupportedField)
        self.start(outlier={"detect_degraded_hosts": False})
