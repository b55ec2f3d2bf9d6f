"""
When a listener's connections can be carried, from socket to socket, by one object each.

A chain with its link, their record, attempts and pool connection are there for what may happen to
a connection. To most nothing does: it comes, finds a host, bytes pass, both sides end. Where a
listener gives all connections a TCP proxy and nothing else, and that does nothing but choose a host
and pass bytes, they are `Carried`; one to whom anything else happens becomes what it would have
been from the beginning (`ordinary`), before that happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.extensions.filters.network.tcp_proxy.carried import Carried
from twisted_envoy.extensions.filters.network.tcp_proxy.carried_hop import CarriedOverHop
from twisted_envoy.extensions.filters.network.tcp_proxy.leg import Leg
from twisted_envoy.extensions.filters.network.tcp_proxy.settings import Settings

if TYPE_CHECKING:
    from twisted_envoy.internal.registry import Registry
    from twisted_envoy.network.filter_chain import FilterChain
    from twisted_envoy.network.listener import Listener


_LARGEST_READ = 256 * 1024
"""Bytes that a socket may deliver at once, all of which would be in the hop for a moment."""


def isPlain(settings: Settings) -> bool:
    """Does the proxy choose a host and pass bytes, and nothing else?"""
    logging = settings.logging
    return not (
        len(settings.targets) > 1
        or settings.tunnel is not None
        or settings.drainClose is not None
        or settings.proxyTLVs is not None
        or settings.hashKey is not None
        or settings.connectOnData
        or settings.maxEarlyData is not None
        or settings.maxDuration
        or logging.logs
        or logging.onStart
        or logging.interval
    )


def _goesPlainly(cluster: Any) -> bool:
    """Does a connection take nothing but a plain socket, or a hop that nobody looks after?"""
    return (
        cluster.asksNothing
        and getattr(cluster.transportSocket, "isPlain", False)
        and cluster.healthChecker is None
        and not cluster.healthPolicy.closesOnFailure
    )


class Carrier:
    """
    Carries the connections of one listener.

    Args:
        listener: accepts them.
        chain: what each would get.
        settings: of the TCP proxy in it.
        registry: has the internal listeners.
    """

    __slots__ = ("_chain", "_leg", "_listener", "_registry", "_settings")

    def __init__(
        self, listener: Listener, chain: FilterChain, settings: Settings, registry: Registry
    ) -> None:
        self._registry = registry
        self._listener = listener
        self._chain = chain
        self._settings = settings
        self._leg: Leg | None = None

    def take(self) -> Any:
        """The protocol of a connection that was just accepted; None: see it as any other."""
        leg = self.leg()
        if leg is None:
            return None
        if not leg.isHop:
            return Carried(leg)
        address: Any = leg.host.address
        port = self._registry.find(address.name)
        carrier = None if port is None else getattr(port.factory, "carrier", None)
        second = None if carrier is None else carrier.leg()
        if second is None or second.isHop or not self._fits(port):
            return None
        return CarriedOverHop(leg, second)

    def _fits(self, port: Any) -> bool:
        """A hop would never be full for a moment."""
        size: int = port.bufferSize or self._registry.bufferSize
        return size >= _LARGEST_READ

    def leg(self) -> Leg | None:
        """Where a connection would go now; None where that takes more than a leg."""
        leg = self._leg
        if leg is None or leg.balancer.only is not leg.host:
            leg = self._leg = self._newLeg()
        if leg is None or not leg.isFree:
            return None
        return leg

    def _newLeg(self) -> Leg | None:
        """To the only host that there is now."""
        settings = self._settings
        cluster: Any = settings.clusters.get(settings.targets[0].cluster)
        host = None if cluster is None else cluster.onlyHost
        if host is None or not _goesPlainly(cluster):
            return None
        leg = Leg(self._listener, self._chain, settings, host, self._registry)
        return None if leg.begin is None else leg
