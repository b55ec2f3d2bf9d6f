"""
The hosts of an original destination cluster: one for each address that was asked for.

Where a connection or request goes, the first of these that says an address:

    filter state `envoy.network.transport_socket.original_dst_address`
    dynamic metadata, of the request, then of the connection    metadata_key
    a header of the request                                     use_http_header
    the connection's local address, if it was restored

A host that was not asked for between two rounds of cleaning, and has no connection, is dropped.

Envoy: source/extensions/clusters/original_dst/original_dst_cluster.cc
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IDelayedCall
from zope.interface import implementer

from twisted_envoy.extensions.common.filter_state.objects import AddressObject, makeAddress
from twisted_envoy.interfaces.upstream import (
    ICluster,
    IDiscovery,
    IHost,
    ILoadBalancer,
    LoadBalancerContext,
)
from twisted_envoy.state.addresses import addressText
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.upstream.host import Host, HostSettings
from twisted_envoy.values import dataclass

_STATE = "envoy.network.transport_socket.original_dst_address"

_IPAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class DestinationSettings:
    """
    What the config says.

    Attributes:
        header: that may say where to; None when none may.
        metadataPath: namespace and keys of the metadata that may; empty when none may.
        port: instead of the destination's own; None keeps that.
    """

    header: bytes | None = None
    metadataPath: tuple[str, ...] = ()
    port: int | None = None


@implementer(IDiscovery, ILoadBalancer)
class Destinations:
    """
    Both what finds the hosts of one cluster and what chooses between them.

    Args:
        settings: the config's.
        interval: seconds between two rounds of cleaning.
        reactor: IReactorTime.
    """

    def __init__(self, settings: DestinationSettings, interval: float, reactor: Any) -> None:
        self._settings = settings
        self._interval = interval
        self._reactor = reactor
        self._hosts: dict[_IPAddress, Host] = {}
        self._used: set[_IPAddress] = set()
        self._timer: IDelayedCall | None = None
        self._cluster: Any = None

    # IDiscovery.

    def start(self, cluster: ICluster, ready: Callable[[], None]) -> None:
        self._cluster = cluster
        self._timer = self._reactor.callLater(self._interval, self._clean)
        ready()

    def stop(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _clean(self) -> None:
        used, self._used = self._used, set()
        kept = {
            address: host
            for address, host in self._hosts.items()
            if address in used or host.stats.cx_active.value or host.httpPools
        }
        if len(kept) < len(self._hosts):
            self._hosts = kept
            self._cluster.replaceHosts([host.settings for host in kept.values()])
        self._timer = self._reactor.callLater(self._interval, self._clean)

    # ILoadBalancer.

    def hostsChanged(self, hosts: Sequence[IHost]) -> None:
        """It made them itself."""

    def choose(self, context: LoadBalancerContext) -> IHost | None:
        address = self._destination(context)
        if address is None:
            return None
        if self._settings.port is not None:
            address = type(address)("TCP", address.host, self._settings.port)
        self._used.add(address)
        host = self._hosts.get(address)
        if host is None:
            name = f"{self._cluster.name}{addressText(address)}"
            host = self._hosts[address] = self._cluster.addHost(HostSettings(address, name))
        return host

    def _destination(self, context: LoadBalancerContext) -> _IPAddress | None:
        info = context.streamInfo
        if info is None:
            return None
        state = info.filterState.get(_STATE)
        if isinstance(state, AddressObject):
            return state.address
        settings = self._settings
        connection: StreamInfo = getattr(info, "connection", info)
        found = None
        if settings.metadataPath:
            found = self._read(_fromMetadata(settings.metadataPath, info, connection))
        if found is None and settings.header is not None and context.headers is not None:
            values = context.headers.every(settings.header)
            found = self._read(values[0].decode("latin-1") if values else None)
        if found is None and connection.localAddressRestored:
            local = connection.localAddress
            found = local if isinstance(local, (IPv4Address, IPv6Address)) else None
        return found

    def _read(self, text: str | None) -> _IPAddress | None:
        """An address; one that cannot be read is counted."""
        if text is None:
            return None
        found = makeAddress(text)
        if found is None:
            self._cluster.stats.original_dst_host_invalid.value += 1
            return None
        return found.address


def _fromMetadata(path: tuple[str, ...], *infos: StreamInfo) -> str | None:
    """The first text at that path; of a list its first item."""
    for info in infos:
        value: object = info.dynamicMetadata
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, str):
            return value
    return None
