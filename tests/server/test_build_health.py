"""What a cluster's config says of health."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import addressOf, bootstrap, listener, tcpProxy
from tests.server.refusing import RefusalTestCase
from twisted_envoy.errors import UnsupportedField
from twisted_envoy.testing import MemoryEnvoy


def cluster(*endpoints: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A cluster `c`; a number is the last digit of an address."""
    assignment = {"cluster_name": "c", "endpoints": [{"lb_endpoints": list(endpoints)}]}
    assignment.update(fields.pop("assignment", {}))
    return {"name": "c", "load_assignment": assignment, **fields}


def endpoint(number: int, status: str = "UNKNOWN") -> dict[str, Any]:
    made = {"endpoint": {"address": addressOf(f"10.0.0.{number}:1")}}
    return {**made, "health_status": status}


class PolicyTests(RefusalTestCase):
    """In a running server."""

    def started(self, *endpoints: dict[str, Any], **fields: Any) -> MemoryEnvoy:
        chain = [listener("l", "127.0.0.1:9000", tcpProxy("c"))]
        return MemoryEnvoy(bootstrap(chain, [cluster(*endpoints, **fields)]))

    def policy(self, **fields: Any) -> Any:
        envoy = self.started(endpoint(1), **fields)
        return envoy.server.clusters.get("c").healthPolicy  # type: ignore[union-attr]

    def reached(self, envoy: MemoryEnvoy, count: int = 6) -> list[int]:
        origins = [envoy.listen(f"10.0.0.{number}:1") for number in (1, 2, 3)]
        for _ in range(count):
            envoy.connect("l")
            envoy.settle()
        return [len(origin.connections) for origin in origins]

    def test_healthStatus(self) -> None:
        """Hosts that the config calls unhealthy get nothing; the gauges count them."""
        envoy = self.started(endpoint(1, "UNHEALTHY"), endpoint(2), endpoint(3, "HEALTHY"))
        self.assertEqual(self.reached(envoy), [0, 3, 3])
        self.assertEqual(
            envoy.stats("cluster.c.membership"),
            {
                "cluster.c.membership_change": 1,
                "cluster.c.membership_healthy": 2,
                "cluster.c.membership_total": 3,
            },
        )

    def test_degradedAndDraining(self) -> None:
        """Degraded hosts wait for need; draining ones are not counted."""
        envoy = self.started(endpoint(1, "DEGRADED"), endpoint(2), endpoint(3, "DRAINING"))
        self.assertEqual(self.reached(envoy, 100)[2], 0)
        self.assertEqual(envoy.stat("cluster.c.membership_degraded"), 1)
        self.assertEqual(envoy.stat("cluster.c.membership_excluded"), 1)

    def test_panic(self) -> None:
        """Health does not count when too few are healthy."""
        down = [endpoint(number, "UNHEALTHY") for number in (1, 2)]
        envoy = self.started(*down, endpoint(3))
        self.assertEqual(self.reached(envoy), [2, 2, 2])
        self.assertEqual(envoy.stat("cluster.c.lb_healthy_panic"), 6)
        common = {"healthy_panic_threshold": {"value": 33}}
        self.assertEqual(
            self.reached(self.started(*down, endpoint(3), common_lb_config=common)), [0, 0, 6]
        )

    def test_runtime(self) -> None:
        """The runtime has the last word about the threshold."""
        down = [endpoint(number, "UNHEALTHY") for number in (1, 2)]
        text = bootstrap(
            [listener("l", "127.0.0.1:9000", tcpProxy("c"))],
            [cluster(*down, endpoint(3))],
            layered_runtime={
                "layers": [{"name": "s", "static_layer": {"upstream.healthy_panic_threshold": 0}}]
            },
        )
        self.assertEqual(self.reached(MemoryEnvoy(text)), [0, 0, 6])

    def test_fields(self) -> None:
        """Each is read."""
        found = self.policy(
            assignment={
                "policy": {"overprovisioning_factor": 200, "weighted_priority_health": True}
            },
            common_lb_config={
                "healthy_panic_threshold": {"value": 12.6},
                "ignore_new_hosts_until_first_hc": True,
                "zone_aware_lb_config": {"fail_traffic_on_panic": True, "min_cluster_size": 3},
            },
            ignore_health_on_host_removal=True,
            close_connections_on_host_health_failure=True,
        )
        self.assertEqual(found.overprovisioningFactor, 200)
        self.assertTrue(found.weightedPriorityHealth)
        self.assertEqual(found.threshold(), 13)
        self.assertTrue(found.warmsNewHosts and found.failsOnPanic)
        self.assertTrue(found.ignoresHealthOnRemoval and found.closesOnFailure)
        self.assertEqual(self.policy().threshold(), 50)
        hashed = {"zone_aware_lb_config": {"fail_traffic_on_panic": True}}
        self.assertFalse(self.policy(lb_policy="MAGLEV", common_lb_config=hashed).failsOnPanic)

    def test_refused(self) -> None:
        """What is not obeyed."""
        drop = {"policy": {"drop_overloads": [{"category": "x"}]}}
        text = bootstrap([], [cluster(endpoint(1), assignment=drop)])
        self.assertIsInstance(self.refused(text), UnsupportedField)
