"""DNS clusters in a bootstrap; texts as observed on Envoy 1.40."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.errors import ConfigError
from twisted_envoy.state.addresses import addressText
from twisted_envoy.testing import MemoryEnvoy, MemoryResolver

TYPE = "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster"
PROXY = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


def endpoint(name: str = "a.test", port: int = 80, **more: Any) -> dict[str, Any]:
    """An LbEndpoint."""
    return {
        "endpoint": {"address": {"socket_address": {"address": name, "port_value": port}}, **more}
    }


def cluster(kind: str = "STRICT_DNS", *endpoints: Any, **more: Any) -> dict[str, Any]:
    """A Cluster named c."""
    made: dict[str, Any] = {"name": "c", **more}
    if kind:
        made["type"] = kind
    if endpoints:
        made["load_assignment"] = {
            "cluster_name": "c",
            "endpoints": [{"lb_endpoints": list(endpoints)}],
        }
    return made


def typed(*endpoints: Any, name: str = "x", **content: Any) -> dict[str, Any]:
    """A Cluster with a cluster_type of its own message."""
    return cluster(
        "",
        *endpoints,
        cluster_type={"name": name, "typed_config": {"@type": TYPE, **content}},
    )


def bootstrap(*clusters: Any) -> str:
    """A bootstrap with a TCP proxy to c."""
    proxy = {"@type": PROXY, "stat_prefix": "p", "cluster": "c"}
    listener = {
        "name": "l",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 9000}},
        "filter_chains": [{"filters": [{"name": "p", "typed_config": proxy}]}],
    }
    resources = {"clusters": list(clusters), "listeners": [listener]}
    return json.dumps({"static_resources": resources}, indent=1)


class DNSClusterTests(SynchronousTestCase):
    """A running server with DNS clusters."""

    def start(self, *clusters: Any, **names: list[str]) -> MemoryEnvoy:
        """Run; names are given without .test."""
        resolver = MemoryResolver({f"{name}.test": found for name, found in names.items()})
        envoy = MemoryEnvoy(bootstrap(*clusters), resolver=resolver)
        self.addCleanup(envoy.stop)
        return envoy

    def hosts(self, envoy: MemoryEnvoy) -> list[tuple[str, str]]:
        """(address, hostname) of each host of c."""
        found: Any = envoy.server.clusters.get("c")
        return [(addressText(host.address), host.hostname) for host in found.hosts]

    def test_strict(self) -> None:
        """Connections go to the addresses of the name in turn; ports are the endpoint's."""
        envoy = self.start(cluster("STRICT_DNS", endpoint()), a=["10.0.0.1", "10.0.0.2"])
        origins = [envoy.listen(f"10.0.0.{n}:80") for n in (1, 2)]
        for _ in range(2):
            envoy.connect("l").write(b"x")
        envoy.settle()
        self.assertEqual([len(origin.connections) for origin in origins], [1, 1])
        self.assertEqual(self.hosts(envoy), [("10.0.0.1:80", "a.test"), ("10.0.0.2:80", "a.test")])

    def test_hostsThatStay(self) -> None:
        """A Host whose address stays is the same object; connections to one that goes live on."""
        envoy = self.start(cluster("STRICT_DNS", endpoint()), a=["10.0.0.1", "10.0.0.2"])
        found: Any = envoy.server.clusters.get("c")
        before = found.hosts
        origin = envoy.listen("10.0.0.1:80")
        envoy.listen("10.0.0.2:80")
        clients = [envoy.connect("l"), envoy.connect("l")]
        envoy.resolver.addresses["a.test"] = ["10.0.0.2", "10.0.0.3"]
        envoy.advance(5)
        self.assertIs(found.hosts[0], before[1])
        self.assertEqual(envoy.stat("cluster.c.membership_total"), 2)
        self.assertEqual(envoy.stat("cluster.c.membership_change"), 2)
        for client in clients:
            client.write(b"still")
        envoy.settle()
        self.assertEqual(origin.connections[0].received, b"still")

    def test_onlyTheOrderChanges(self) -> None:
        """Another order of the same addresses is no change."""
        envoy = self.start(cluster("STRICT_DNS", endpoint()), a=["10.0.0.1", "10.0.0.2"])
        envoy.resolver.addresses["a.test"] = ["10.0.0.2", "10.0.0.1"]
        envoy.advance(5)
        self.assertEqual(envoy.stat("cluster.c.membership_change"), 1)
        self.assertEqual(envoy.stat("cluster.c.update_no_rebuild"), 1)

    def test_logical(self) -> None:
        """One host, whatever the number of addresses and its configured priority."""
        one = cluster("LOGICAL_DNS", endpoint(hostname="shown"))
        one["load_assignment"]["endpoints"][0]["priority"] = 2
        envoy = self.start(one, a=["10.0.0.1", "10.0.0.2"])
        self.assertEqual(self.hosts(envoy), [("10.0.0.1:80", "shown")])

    def test_typed(self) -> None:
        """`cluster_type` with its own message; the Cluster's DNS fields are not looked at."""
        one = typed(endpoint(), dns_lookup_family="V4_ONLY", dns_refresh_rate="1s")
        one.update(dns_refresh_rate="100s", respect_dns_ttl=True)
        envoy = self.start(one, a=["::1", "10.0.0.1"])
        self.assertEqual(self.hosts(envoy), [("10.0.0.1:80", "a.test")])
        envoy.advance(1)
        self.assertEqual(envoy.stat("cluster.c.update_attempt"), 2)

    def test_dns_jitter(self) -> None:
        """Lookups are further apart by something less than the jitter."""
        envoy = self.start(typed(endpoint(), dns_refresh_rate="10s", dns_jitter="5s"), a=["::1"])
        for _ in range(8):
            envoy.advance(10)
        self.assertLess(envoy.stat("cluster.c.update_attempt"), 9)
        self.assertGreater(envoy.stat("cluster.c.update_attempt"), 5)

    def test_typedLogical(self) -> None:
        """`all_addresses_in_single_endpoint` makes it logical; no family is AUTO."""
        envoy = self.start(
            typed(endpoint(), all_addresses_in_single_endpoint=True), a=["::1", "10.0.0.1"]
        )
        self.assertEqual(self.hosts(envoy), [("[::1]:80", "a.test")])

    def test_byName(self) -> None:
        """`cluster_type` that is only a name takes the Cluster's fields."""
        for name, count in (("strict", 2), ("logical", 1)):
            one = cluster(
                "",
                endpoint(),
                cluster_type={"name": f"envoy.cluster.{name}_dns"},
                dns_lookup_family="V4_ONLY",
            )
            envoy = self.start(one, a=["::1", "10.0.0.1", "10.0.0.2"])
            self.assertEqual(len(self.hosts(envoy)), count)

    def test_staticByName(self) -> None:
        """`envoy.cluster.static` is STATIC."""
        one = cluster("", endpoint("10.0.0.9"), cluster_type={"name": "envoy.cluster.static"})
        self.assertEqual(self.hosts(self.start(one)), [("10.0.0.9:80", "")])

    def test_literal(self) -> None:
        """An address needs nobody's answer."""
        envoy = self.start(cluster("STRICT_DNS", endpoint("10.0.0.9"), endpoint("::1")))
        self.assertEqual(self.hosts(envoy), [("10.0.0.9:80", "10.0.0.9"), ("[::1]:80", "::1")])

    def test_otherAddresses(self) -> None:
        """Internal addresses and pipes validate and never yield a host."""
        internal = {"envoy_internal_address": {"server_listener_name": "l"}}
        pipe = {"pipe": {"path": "/x"}}
        for one in (
            {"endpoint": {"address": internal}},
            {"endpoint": {"address": pipe}},
            {"endpoint": {}},
            {},
        ):
            envoy = self.start(cluster("STRICT_DNS", one))
            self.assertEqual(self.hosts(envoy), [])
            client = envoy.connect("l")
            self.assertTrue(client.ended)

    def test_startWaits(self) -> None:
        """Until the first answer connections wait; what they sent is there when it comes."""
        resolver = MemoryResolver({"a.test": ["10.0.0.1"]})
        resolver.silent.add("a.test")
        envoy = MemoryEnvoy(bootstrap(cluster("STRICT_DNS", endpoint())), resolver=resolver)
        self.addCleanup(envoy.stop)
        origin = envoy.listen("10.0.0.1:80")
        client, gone = envoy.connect("l"), envoy.connect("l")
        client.write(b"early")
        client.loseWriteConnection()
        gone.abortConnection()
        envoy.advance(60)
        self.assertEqual(envoy.server.state, "PRE_INITIALIZING")
        self.assertEqual(envoy.stat("listener.127.0.0.1_9000.downstream_cx_total"), 0)

        resolver.speak("a.test")
        envoy.settle()
        self.assertEqual(envoy.server.state, "LIVE")
        (peer,) = origin.connections
        self.assertEqual((peer.received, peer.ended), (b"early", True))
        peer.write(b"late")
        peer.loseConnection()
        envoy.settle()
        self.assertEqual(client.received, b"late")
        self.assertEqual(envoy.stat("listener.127.0.0.1_9000.downstream_pre_cx_active"), 0)

    def test_stopWhileItWaits(self) -> None:
        """A server that is stopped before it began closes what waits."""
        resolver = MemoryResolver()
        resolver.silent.add("a.test")
        envoy = MemoryEnvoy(bootstrap(cluster("STRICT_DNS", endpoint())), resolver=resolver)
        client = envoy.connect("l")
        envoy.stop()
        self.assertTrue(client.ended or client.lost)

    def test_wait_for_warm_on_init(self) -> None:
        """A cluster that need not be warm holds nobody up."""
        envoy = self.start(cluster("STRICT_DNS", endpoint("x.test"), wait_for_warm_on_init=False))
        self.assertEqual(envoy.server.state, "LIVE")


class DNSClusterErrorTests(SynchronousTestCase):
    """What is refused."""

    def refused(self, one: Any) -> str:
        """The problem that the bootstrap is refused for."""
        return self.assertRaises(ConfigError, MemoryEnvoy, bootstrap(one)).problem

    def test_logicalNeedsOneEndpoint(self) -> None:
        """None or several are too few or many."""
        text = (
            "LOGICAL_DNS clusters must have a single locality_lb_endpoint and a single lb_endpoint"
        )
        two = cluster("LOGICAL_DNS", endpoint(), endpoint())
        groups = cluster("LOGICAL_DNS", endpoint())
        groups["load_assignment"]["endpoints"] *= 2
        empty = cluster("LOGICAL_DNS")
        empty["load_assignment"] = {"cluster_name": "c"}
        named = cluster("", endpoint(), endpoint())
        named["cluster_type"] = {"name": "envoy.cluster.logical_dns"}
        own = typed(endpoint(), endpoint(), all_addresses_in_single_endpoint=True)
        for one in (two, groups, empty, named, own):
            self.assertEqual(self.refused(one), text)

    def test_logicalWithoutAssignment(self) -> None:
        """Another text, as in Envoy."""
        text = "LOGICAL_DNS clusters must have a single host"
        self.assertEqual(self.refused(cluster("LOGICAL_DNS")), text)

    def test_resolverName(self) -> None:
        """A custom resolver cannot be named."""
        for kind in ("STRICT_DNS", "LOGICAL_DNS"):
            one = cluster(kind, endpoint())
            (group,) = one["load_assignment"]["endpoints"]
            group["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]["resolver_name"] = "x"
            text = f"{kind} clusters must NOT have a custom resolver name set"
            self.assertEqual(self.refused(one), text)

    def test_backoffBounds(self) -> None:
        """The most is not less than the base."""
        rate = {"base_interval": "5s", "max_interval": "1s"}
        text = (
            "dns_failure_refresh_rate must have max_interval greater than or equal to the "
            "base_interval"
        )
        for one in (
            cluster("STRICT_DNS", endpoint(), dns_failure_refresh_rate=rate),
            typed(endpoint(), dns_failure_refresh_rate=rate),
        ):
            self.assertEqual(self.refused(one), text)

    def test_unknownType(self) -> None:
        """A cluster type that nobody registered, and one that only Envoy has."""
        text = "Didn't find a registered cluster factory implementation for name: 'bogus'"
        self.assertEqual(self.refused(cluster("", cluster_type={"name": "bogus"})), text)
        self.assertIn(
            "'envoy.clusters.aggregate' is not implemented",
            self.refused(cluster("", cluster_type={"name": "envoy.clusters.aggregate"})),
        )
        self.assertIn("cannot create an EDS cluster", self.refused(cluster("EDS")))

    def test_unsupported(self) -> None:
        """What the system's resolver cannot do is named."""
        for field, value in (("respect_dns_ttl", True), ("use_tcp_for_dns_lookups", True)):
            one = cluster("STRICT_DNS", endpoint(), **{field: value})
            self.assertIn(field, str(self.assertRaises(ConfigError, MemoryEnvoy, bootstrap(one))))
            one = cluster("STRICT_DNS", endpoint(), **{field: False})
            MemoryEnvoy(bootstrap(one)).stop()
