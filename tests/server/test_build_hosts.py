"""The endpoints of a cluster's config."""

from __future__ import annotations

from twisted.internet.address import IPv4Address

from tests.bootstraps import addressOf, bootstrap
from tests.server.refusing import RefusalTestCase
from twisted_envoy.internal import InternalAddress
from twisted_envoy.testing import MemoryEnvoy


def withEndpoints(*groups):
    """A bootstrap with cluster `c` of these groups of endpoints."""
    assignment = {"cluster_name": "whatever", "endpoints": list(groups)}
    return bootstrap([], [{"name": "c", "load_assignment": assignment}])


def group(*endpoints, **fields):
    """One group, of `lb_endpoints`."""
    return {"lb_endpoints": list(endpoints), **fields}


def endpoint(text, **fields):
    """One endpoint; fields of the endpoint itself in `endpoint`."""
    inner = fields.pop("endpoint", {})
    return {"endpoint": {"address": addressOf(text), **inner}, **fields}


class HostTests(RefusalTestCase):
    """What hosts become."""

    def hosts(self, *groups):
        return MemoryEnvoy(withEndpoints(*groups)).server.clusters.get("c").hosts

    def test_all(self):
        """Every field that says what a host is."""
        place = {"region": "r", "zone": "z", "sub_zone": "s"}
        metadata = {"filter_metadata": {"envoy.lb": {"a": True}}}
        one, two = self.hosts(
            group(
                endpoint(
                    "1.2.3.4:5",
                    load_balancing_weight=7,
                    metadata=metadata,
                    endpoint={"hostname": "name"},
                ),
                locality=place,
            ),
            group(endpoint("internal:x/y")),
        )
        self.assertEqual(one.address, IPv4Address("TCP", "1.2.3.4", 5))
        self.assertEqual((one.weight, one.hostname), (7, "name"))
        self.assertEqual(one.metadata, {"envoy.lb": {"a": True}})
        locality = one.locality
        self.assertEqual((locality.region, locality.zone, locality.sub_zone), ("r", "z", "s"))
        self.assertEqual(two.address, InternalAddress("x", "y"))
        self.assertEqual((two.weight, two.hostname, two.metadata), (1, "", {}))

    def test_health(self):
        """Its status, and where it is asked for more."""
        health = {"port_value": 8, "hostname": "h", "disable_active_health_check": True}
        (host,) = self.hosts(
            group(
                endpoint(
                    "1.2.3.4:5", health_status="HEALTHY", endpoint={"health_check_config": health}
                ),
                priority=0,
                load_balancing_weight=3,
            )
        )
        self.assertEqual(host.address.port, 5)
        target = host.settings.healthCheck
        self.assertEqual((target.port, target.hostname, target.disabled), (8, "h", True))
        self.assertEqual(target.addressFor(host.address).port, 8)
        self.assertEqual(host.settings.healthStatus, "HEALTHY")

    def test_policy(self):
        """A policy that speaks of unhealthy or stale endpoints changes nothing."""
        assignment = {
            "cluster_name": "c",
            "endpoints": [group(endpoint("1.2.3.4:5"))],
            "policy": {"overprovisioning_factor": 140, "endpoint_stale_after": "1s"},
        }
        envoy = MemoryEnvoy(bootstrap([], [{"name": "c", "load_assignment": assignment}]))
        self.assertEqual(len(envoy.server.clusters.get("c").hosts), 1)

    def test_healthAddress(self):
        """An address for health checks is looked at, though there are none."""
        bad = {"health_check_config": {"address": addressOf("here:1")}}
        text = withEndpoints(group(endpoint("1.2.3.4:5", endpoint=bad)))
        self.assertRefused(text, "malformed IP address: here")

    def test_none(self):
        """A cluster may have no endpoints at all."""
        self.assertEqual(self.hosts(), ())
        envoy = MemoryEnvoy(bootstrap([], [{"name": "c"}]))
        self.assertEqual(envoy.server.clusters.get("c").hosts, ())

    def test_refused(self):
        """What Envoy refuses, and what is not implemented, with its place."""
        bad = {"health_check_config": {"port_value": 1}}
        for made, problem in (
            (endpoint("localhost:5"), "malformed IP address: localhost. Consider setting resolver"),
            (
                endpoint("internal:x", endpoint=bad),
                "Invalid host configuration: non-zero port for non-IP address",
            ),
            ({"endpoint": {}}, "Address must be set"),
            ({"endpoint_name": "x"}, "Address must be set"),
        ):
            self.assertRefused(withEndpoints(group(made)), problem)

    def test_locality(self):
        """Its priority and weight are its hosts'."""
        first = group(endpoint("1.2.3.4:5"), priority=2, load_balancing_weight=7)
        hosts = self.hosts(first, group(endpoint("1.2.3.4:6")))
        self.assertEqual([(one.priority, one.localityWeight) for one in hosts], [(2, 7), (0, 0)])
