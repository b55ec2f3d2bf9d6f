"""Where connections and requests to an original destination cluster go."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.bootstraps import bootstrap, listener, setFilterState, tcpProxy, typed
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.clusters.original_dst.destinations import (
    Destinations,
    DestinationSettings,
)
from twisted_envoy.extensions.common.filter_state.objects import makeAddress
from twisted_envoy.interfaces.upstream import IDiscovery, ILoadBalancer, LoadBalancerContext
from twisted_envoy.internal import InternalAddress
from twisted_envoy.state.addresses import addressText
from twisted_envoy.state.filter_state import StringObject
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.testing import MemoryEnvoy

STATE = "envoy.network.transport_socket.original_dst_address"


class Gauge:
    value = 0


class Stats:
    def __init__(self) -> None:
        self.cx_active = Gauge()
        self.original_dst_host_invalid = Gauge()


class FakeHost:
    """A host that has connections, or none."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.stats = Stats()
        self.httpPools: dict[object, object] = {}


class FakeCluster:
    """Keeps what it is told."""

    name = "c"

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.stats = Stats()

    def addHost(self, settings: Any) -> FakeHost:
        self.hosts.append(addressText(settings.address))
        return FakeHost(settings)

    def replaceHosts(self, settings: Any) -> None:
        self.hosts = [addressText(one.address) for one in settings]


class DestinationTests(SynchronousTestCase):
    """Without a server."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.cluster: Any = FakeCluster()
        local = IPv4Address("TCP", "127.0.0.1", 80)
        self.connection = StreamInfo(0.0, local, IPv4Address("TCP", "127.0.0.1", 5))
        self.request = RequestInfo(self.connection, 0.0)

    def make(self, **settings: Any) -> Destinations:
        self.made = Destinations(DestinationSettings(**settings), 5.0, self.clock)
        for interface in (IDiscovery, ILoadBalancer):
            verifyObject(interface, self.made)
        ready: list[int] = []
        self.made.start(self.cluster, lambda: ready.append(1))
        self.assertEqual(ready, [1])
        return self.made

    def chosen(self, info: StreamInfo | None, *headers: tuple[bytes, bytes]) -> str:
        """Where it goes; "" for nowhere."""
        context = LoadBalancerContext(None, None, info, HeaderMap(headers))
        host: Any = self.made.choose(context)
        return "" if host is None else addressText(host.settings.address)

    def restore(self, address: Any) -> None:
        self.connection.localAddress = address

    def test_restored(self) -> None:
        """Only a local address that was restored counts, and only one of IP."""
        self.make()
        self.assertEqual(self.chosen(self.connection), "")
        self.assertEqual(self.chosen(None), "")
        self.restore(InternalAddress("other"))
        self.assertEqual(self.chosen(self.connection), "")
        self.restore(IPv4Address("TCP", "10.0.0.1", 80))
        self.assertEqual(self.chosen(self.connection), "10.0.0.1:80")
        self.assertEqual(self.chosen(self.request), "10.0.0.1:80")

    def test_order(self) -> None:
        """Filter state, metadata of the request, of the connection, header, local address."""
        self.make(header=b"x-to", metadataPath=("ns", "a", "b"))
        header = (b"x-to", b"10.0.0.2:80")
        self.restore(IPv4Address("TCP", "10.0.0.1", 80))
        self.assertEqual(self.chosen(self.request), "10.0.0.1:80")
        self.assertEqual(self.chosen(self.request, header, (b"x-to", b"10.9.9.9:9")), "10.0.0.2:80")
        self.connection.dynamicMetadata["ns"] = {"a": {"b": "10.0.0.3:80"}}
        self.assertEqual(self.chosen(self.request, header), "10.0.0.3:80")
        self.assertEqual(self.chosen(self.connection, header), "10.0.0.3:80")
        self.request.dynamicMetadata["ns"] = {"a": {"b": ["10.0.0.4:80", "x"]}}
        self.assertEqual(self.chosen(self.request, header), "10.0.0.4:80")
        self.connection.filterState.set(STATE, makeAddress("[2001:db8::0:1]:80"))
        self.assertEqual(self.chosen(self.request, header), "[2001:db8::1]:80")
        self.connection.filterState.set(STATE, StringObject("10.0.0.9:80"))
        self.assertEqual(self.chosen(self.request, header), "10.0.0.4:80")
        self.assertEqual(self.cluster.stats.original_dst_host_invalid.value, 0)

    def test_notAsked(self) -> None:
        """Headers and metadata say nothing unless the config asks for them."""
        self.make()
        self.connection.dynamicMetadata["ns"] = {"a": "10.0.0.3:80"}
        self.assertEqual(self.chosen(self.request, (b"x-to", b"10.0.0.2:80")), "")

    def test_invalid(self) -> None:
        """What cannot be read is counted, and the next source is asked."""
        self.make(header=b"x-to", metadataPath=("ns", "a"))
        for metadata in ({}, {"a": []}, {"a": 5}, {"a": {"b": "10.0.0.3:80"}}):
            self.request.dynamicMetadata["ns"] = metadata
            self.assertEqual(self.chosen(self.request, (b"x-to", b"10.0.0.2:80")), "10.0.0.2:80")
        invalid = self.cluster.stats.original_dst_host_invalid
        self.assertEqual(invalid.value, 0)
        self.request.dynamicMetadata["ns"] = {"a": "nowhere"}
        self.assertEqual(self.chosen(self.request, (b"x-to", b"1.2.3.4")), "")
        self.assertEqual(invalid.value, 2)

    def test_port(self) -> None:
        """The port may be overridden; the destinations of one address are then one host."""
        self.make(port=15008)
        for port in (80, 81):
            self.restore(IPv4Address("TCP", "10.0.0.1", port))
            self.assertEqual(self.chosen(self.connection), "10.0.0.1:15008")
        self.assertEqual(self.cluster.hosts, ["10.0.0.1:15008"])

    def test_cleaned(self) -> None:
        """A host stays while it is asked for or has connections, and one round longer."""
        made = self.make()
        hosts: dict[str, Any] = {}
        for name in ("10.0.0.1", "10.0.0.2", "10.0.0.3"):
            self.restore(IPv4Address("TCP", name, 80))
            hosts[name] = made.choose(LoadBalancerContext(None, None, self.connection))
        hosts["10.0.0.1"].stats.cx_active.value = 1
        hosts["10.0.0.2"].httpPools["x"] = 1
        self.clock.advance(5)
        self.assertEqual(len(self.cluster.hosts), 3)
        self.clock.advance(5)
        self.assertEqual(self.cluster.hosts, ["10.0.0.1:80", "10.0.0.2:80"])
        hosts["10.0.0.1"].stats.cx_active.value = 0
        self.restore(IPv4Address("TCP", "10.0.0.2", 80))
        self.assertEqual(self.chosen(self.connection), "10.0.0.2:80")
        self.clock.advance(5)
        self.assertEqual(self.cluster.hosts, ["10.0.0.2:80"])

        made.stop()
        made.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])


KEY = {"key": "ns", "path": [{"key": "to"}]}


def original(**config: Any) -> dict[str, Any]:
    """A cluster of that type named c."""
    kind = {"type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED"}
    return {"name": "c", **kind, "original_dst_lb_config": config, "cleanup_interval": "2s"}


class ServerTests(SynchronousTestCase):
    """A running server."""

    def test_tcp(self) -> None:
        """tcp_proxy connects where filter state says; without it there is no host."""
        state = setFilterState(STATE, "10.0.0.1:80", factory_key=STATE)
        text = bootstrap(
            [
                listener("with", "127.0.0.1:9000", state, tcpProxy("c")),
                listener("without", "127.0.0.1:9001", tcpProxy("c")),
            ],
            [original(upstream_port_override=81)],
        )
        envoy = MemoryEnvoy(text)
        origin = envoy.listen("10.0.0.1:81")
        client = envoy.connect("127.0.0.1:9000")
        client.write(b"ping")
        envoy.settle()
        self.assertEqual(origin.connections[0].received, b"ping")
        self.assertEqual(envoy.stat("cluster.c.membership_total"), 1)
        client.loseConnection()
        origin.connections[0].loseConnection()
        envoy.advance(5)
        self.assertEqual(envoy.stat("cluster.c.membership_total"), 0)
        self.assertEqual(envoy.stat("cluster.c.membership_change"), 2)

        nowhere = envoy.connect("127.0.0.1:9001")
        envoy.settle()
        self.assertTrue(nowhere.ended)
        self.assertEqual(envoy.stat("cluster.c.upstream_cx_none_healthy"), 1)
        self.assertEqual(envoy.stat("cluster.c.lb_healthy_panic"), 0)

    def test_http(self) -> None:
        """The router goes where a header or the request's metadata says."""
        metadata = [{"metadata_namespace": "ns", "value": {"to": "10.0.0.2:80"}}]
        filters = [
            typed(
                "m",
                "filters.http.set_metadata.v3.Config",
                metadata=metadata,
            ),
            typed("r", "filters.http.router.v3.Router"),
        ]
        host: dict[str, Any] = {"name": "v", "domains": ["*"]}
        routes = [{"match": {"prefix": "/"}, "route": {"cluster": "c"}}]
        for config, used, to in (
            ({"use_http_header": True}, filters[1:], "10.0.0.1:80"),
            ({"use_http_header": True, "metadata_key": KEY}, filters, "10.0.0.2:80"),
        ):
            manager = typed(
                "h",
                "filters.network.http_connection_manager.v3.HttpConnectionManager",
                stat_prefix="h",
                http_filters=used,
                route_config={"virtual_hosts": [{**host, "routes": routes}]},
            )
            text = bootstrap([listener("l", "127.0.0.1:9000", manager)], [original(**config)])
            envoy = MemoryEnvoy(text)
            origin = envoy.listen(to)
            client = envoy.connect("127.0.0.1:9000")
            client.write(
                b"GET / HTTP/1.1\r\nhost: a\r\nx-envoy-original-dst-host: 10.0.0.1:80\r\n\r\n"
            )
            envoy.settle()
            self.assertIn(b"GET / HTTP/1.1", origin.connections[0].received)
            host_ = envoy.server.clusters.get("c").hosts[0]
            self.assertEqual((addressText(host_.address), host_.hostname), (to, f"c{to}"))
