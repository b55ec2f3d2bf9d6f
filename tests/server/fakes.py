"""A server for the admin pages and the life cycle, made of a bootstrap without binding anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from twisted_envoy.config.bootstrap import loadBootstrap
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.server.admin.server_info import memorySizes
from twisted_envoy.server.lifecycle import DrainManager
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.server.runtime import Runtime
from twisted_envoy.stats.scope import Store
from twisted_envoy.upstream.circuit_breaker import Limits
from twisted_envoy.upstream.host import Locality
from twisted_envoy.upstream.stats import HostStats


def addressOf(view: Any) -> IAddress:
    """A Twisted address of a config.core.v3.Address."""
    kind = view.which("address")
    if kind == "pipe":
        return UNIXAddress(view.pipe.path_)
    if kind == "envoy_internal_address":
        internal = view.envoy_internal_address
        return InternalAddress(internal.server_listener_name, internal.endpoint_id)
    socket = view.socket_address
    make = IPv6Address if ":" in socket.address else IPv4Address
    return make("TCP", socket.address, socket.port_value)


class FakeListener:
    """A listener that was configured."""

    def __init__(self, view: Any) -> None:
        self.name = view.name
        self.config = view
        internal = view.which("listener_specifier") == "internal_listener"
        self.address = InternalAddress(view.name) if internal else addressOf(view.address)
        self.additionalAddresses = [addressOf(one.address) for one in view.additional_addresses]


class FakeListeners:
    """All listeners; `stopped` records each stopListening."""

    def __init__(self, views: tuple[Any, ...]) -> None:
        self._listeners = [FakeListener(view) for view in views]
        self.stopped: list[bool] = []

    def __iter__(self) -> Iterator[FakeListener]:
        return iter(self._listeners)

    def stopListening(self, inboundOnly: bool = False) -> None:
        self.stopped.append(inboundOnly)


class FakeHost:
    """A host that was configured."""

    health = 0
    monitor: Any = None
    healthFlags = "healthy"

    def __init__(self, view: Any, group: Any) -> None:
        self.address = addressOf(view.endpoint.address)
        self.hostname = view.endpoint.hostname
        self.weight = view.load_balancing_weight or 1
        self.priority = group.priority
        place = group.locality
        self.locality = Locality(place.region, place.zone, place.sub_zone) if place else Locality()
        self.metadata = view.metadata.filter_metadata if view.metadata else {}
        self.stats = HostStats()


class FakeCluster:
    """A cluster that was configured."""

    addedViaAPI = False
    outlier: Any = None

    def __init__(self, view: Any, store: Store) -> None:
        self.name = view.name
        self.observabilityName = view.alt_stat_name or view.name
        self.config = view
        load = view.load_assignment
        groups = load.endpoints if load else ()
        self.hosts = [FakeHost(one, group) for group in groups for one in group.lb_endpoints]
        scope = store.scope(f"cluster.{view.name}")
        self.priorities = {"default": Limits(scope), "high": Limits(scope)}
        if view.circuit_breakers:
            for threshold in view.circuit_breakers.thresholds:
                name = threshold.priority.lower()
                self.priorities[name] = Limits(
                    scope,
                    maxConnections=threshold.max_connections or 1024,
                    maxRetries=3 if threshold.max_retries is None else threshold.max_retries,
                )


class FakeClusters:
    """All clusters."""

    def __init__(self, views: tuple[Any, ...], store: Store) -> None:
        self._clusters = {view.name: FakeCluster(view, store) for view in views}

    def names(self) -> list[str]:
        return list(self._clusters)

    def get(self, name: str) -> FakeCluster | None:
        return self._clusters.get(name)


class FakeServer:
    """
    What the admin pages want of a server.

    Attributes:
        said: what was asked of it, in order.
    """

    def __init__(self, text: str, reactor: Any, options: ServerOptions | None = None) -> None:
        self.bootstrap, _ = loadBootstrap(yamlText=text)
        self.options = options or ServerOptions(configYAML=text)
        self.reactor = reactor
        self.store = Store()
        static = self.bootstrap.static_resources
        self.clusters = FakeClusters(static.clusters if static else (), self.store)
        self.listeners = FakeListeners(static.listeners if static else ())
        self.logControl = self.options.logControl()
        self.drain = DrainManager(reactor, self.options.drainTime)
        self.runtime = Runtime()
        self.certificates: list[Callable[[], dict[str, object]]] = []
        self.secrets: list[Any] = []
        self.startTime = reactor.seconds()
        self.state = "LIVE"
        self.said: list[str] = []
        self.shutdown: Callable[[], object] = lambda: self.said.append("shutdown")

    def healthCheckFail(self) -> None:
        self.state = "DRAINING"

    def healthCheckOk(self) -> None:
        self.state = "LIVE"

    def reopenLogs(self) -> None:
        self.said.append("reopenLogs")

    def memory(self) -> tuple[int, int]:
        return memorySizes()

    def seconds(self) -> float:
        return float(self.reactor.seconds())

    def soon(self, function: Callable[[], object]) -> None:
        self.reactor.callLater(0, function)
