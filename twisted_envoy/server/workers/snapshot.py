"""What a worker tells of itself: its stats that were written, and the figures of its hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.upstream.stats import HostStats

if TYPE_CHECKING:
    from twisted_envoy.server.server import Server
    from twisted_envoy.stats.scope import Store

HOST_STATS = tuple(name for name in HostStats.__slots__)


def snapshotOf(server: Server) -> dict[str, Any]:
    """Everything that the first process adds up, as JSON's values."""
    return {
        "state": server.state,
        "memory": list(server.memory()),
        "stats": statsOf(server.store),
        "clusters": {
            name: _cluster(cluster)
            for name in server.clusters.names()
            if (cluster := server.clusters.get(name)) is not None
        },
    }


def statsOf(store: Store) -> dict[str, Any]:
    """What was ever written; a histogram is its unit and the bins of its interval and its total."""
    return {
        "counters": {name: one.value for name, one in store.counters.items() if one.used},
        "gauges": {name: one.value for name, one in store.gauges.items() if one.used},
        "texts": {name: one.value for name, one in store.textReadouts.items() if one.used},
        "histograms": {
            name: [one.unit, list(one.interval.bins.items()), list(one.total.bins.items())]
            for name, one in store.histograms.items()
            if one.used
        },
    }


def _cluster(cluster: Any) -> dict[str, Any]:
    outlier = cluster.outlier
    return {
        "hosts": [_host(one) for one in cluster.hosts],
        "outlier": None if outlier is None else [list(outlier.external), list(outlier.local)],
    }


def _host(host: Any) -> dict[str, Any]:
    return {
        "address": addressWords(host.address),
        "hostname": host.hostname,
        "weight": host.weight,
        "priority": host.priority,
        "health": host.health,
        "healthFlags": host.healthFlags,
        "locality": [host.locality.region, host.locality.zone, host.locality.sub_zone],
        "canary": bool(host.metadata.get("envoy.lb", {}).get("canary")),
        "rates": None
        if host.monitor is None
        else [host.monitor.external.rate, host.monitor.local.rate],
        "stats": [getattr(host.stats, name).value for name in HOST_STATS],
    }


def addressWords(address: IAddress) -> list[Any]:
    """An address as JSON's values; `addressFrom` is the way back."""
    if isinstance(address, IPv4Address):
        return ["4", address.host, address.port]
    if isinstance(address, IPv6Address):
        return ["6", address.host, address.port]
    if isinstance(address, UNIXAddress):
        return ["unix", (address.name or b"").decode("latin-1"), 0]
    assert isinstance(address, InternalAddress)
    return ["internal", address.name, address.endpointID]


def addressFrom(words: list[Any]) -> IAddress:
    """The address of such words."""
    kind, name, number = words
    if kind == "unix":
        return UNIXAddress(name.encode("latin-1"))
    if kind == "internal":
        return InternalAddress(name, number)
    return (IPv6Address if kind == "6" else IPv4Address)("TCP", name, number)
