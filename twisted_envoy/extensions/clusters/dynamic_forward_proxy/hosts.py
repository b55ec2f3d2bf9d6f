"""
The hosts of a dynamic forward proxy cluster: those of the cache that have an address.

Envoy: source/extensions/clusters/dynamic_forward_proxy/cluster.cc
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from zope.interface import implementer

from twisted_envoy.extensions.common.dynamic_forward_proxy.cache import CacheFull, DNSCache
from twisted_envoy.extensions.common.dynamic_forward_proxy.names import wantedHost
from twisted_envoy.interfaces.upstream import (
    ICluster,
    IDiscovery,
    IHost,
    ILoadBalancer,
    LoadBalancerContext,
)
from twisted_envoy.upstream.host import HostSettings


@implementer(IDiscovery, ILoadBalancer)
class CachedHosts:
    """
    Both what finds the hosts of one cluster and what chooses between them.

    Args:
        cache: has the names; a filter in front may wait until it has one.
    """

    def __init__(self, cache: DNSCache) -> None:
        self.cache = cache
        self._cluster: Any = None
        self._port = 80
        self._hosts: dict[str, IHost] = {}

    # IDiscovery.

    def start(self, cluster: ICluster, ready: Callable[[], None]) -> None:
        self._cluster = cluster
        self._port = 443 if getattr(self._cluster.transportSocket, "isTLS", False) else 80
        self.cache.changed.append(self._changed)
        self.cache.start()
        self._changed()
        ready()

    def stop(self) -> None:
        self.cache.stop()

    def _changed(self) -> None:
        self._cluster.replaceHosts(
            [
                HostSettings(host.address, str(host.key), serverName=host.key.name)
                for host in self.cache.hosts
                if host.address is not None
            ]
        )

    # ILoadBalancer.

    def hostsChanged(self, hosts: Sequence[IHost]) -> None:
        self._hosts = {host.hostname: host for host in hosts}

    def choose(self, context: LoadBalancerContext) -> IHost | None:
        key = wantedHost(context, self._port)
        if key is None:
            return None
        try:
            self.cache.ask(key)
        except CacheFull:
            return None
        return self._hosts.get(str(key))
