"""The factory of the DNS cluster type."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twisted.internet.address import HostnameAddress
from zope.interface import implementer

from twisted_envoy.extensions.common.dns_resolver import readResolver
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.interfaces.upstream import IClusterType, IHostResolver
from twisted_envoy.upstream.discovery import FAMILIES, DNSDiscovery, DNSSettings
from twisted_envoy.upstream.host import HostSettings

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_REFRESH_RATE = 5.0


@implementer(IExtensionFactory)
class DNSClusterFactory:
    """Builds DNSClusters."""

    typeURL = "envoy.extensions.clusters.dns.v3.DnsCluster"
    category = "clusters"

    def build(self, config: View, context: Any) -> DNSCluster:
        """
        Read a DnsCluster.

        Raises:
            ConfigError: the bounds of the back-off are in the wrong order.
        """
        config.moot("dns_min_refresh_rate", "the refresh rate does not follow any TTL")
        resolver = readResolver(config.typed_dns_resolver_config, context)
        settings = _settings(config, config.all_addresses_in_single_endpoint)
        return DNSCluster(settings, context, resolver)

    def buildFromCluster(self, cluster: View, logical: bool, context: Any) -> DNSCluster:
        """The same from the fields of a Cluster, as `type: STRICT_DNS` or `LOGICAL_DNS` has it."""
        message: Any = cluster.message
        for field in ("dns_resolvers", "use_tcp_for_dns_lookups"):
            if not getattr(message, field):
                cluster.moot(field, "the default")
        resolver = readResolver(cluster.typed_dns_resolver_config, context)
        return DNSCluster(_settings(cluster, logical), context, resolver)


@implementer(IClusterType)
class DNSCluster:
    """
    Where the hosts of a DNS cluster come from.

    Args:
        context: its reactor and random are used.
    """

    def __init__(self, settings: DNSSettings, context: Any, resolver: IHostResolver) -> None:
        self._settings = settings
        self._context = context
        self._resolver = resolver

    def addressOf(self, endpoint: View) -> HostnameAddress:
        """A name and a port; an address of any other kind yields no host, as in Envoy."""
        address = endpoint.address
        if address is None or address.which("address") != "socket_address":
            if address is not None:
                address.take()
            return HostnameAddress(b"", 0)
        where = address.socket_address
        if where.resolver_name:
            problem = f"{self._name} clusters must NOT have a custom resolver name set"
            raise where.error(problem, "resolver_name")
        where.moot("protocol", "Envoy does not look at it here")
        where.moot("named_port", "Envoy takes port 0 for it here")
        where.moot("ipv4_compat", "it is for listening")
        return HostnameAddress(where.address.encode(), where.port_value)

    @property
    def _name(self) -> str:
        return "LOGICAL_DNS" if self._settings.logical else "STRICT_DNS"

    def discovery(self, cluster: View, endpoints: tuple[HostSettings, ...]) -> DNSDiscovery:
        settings = self._settings
        assignment = cluster.load_assignment
        if settings.logical and (len(endpoints) != 1 or len(assignment.endpoints) != 1):
            what = (
                "a single host"
                if assignment is None
                else ("a single locality_lb_endpoint and a single lb_endpoint")
            )
            raise cluster.error(f"LOGICAL_DNS clusters must have {what}", "load_assignment")
        for group in assignment.endpoints if settings.logical else ():
            group.moot("priority", "Envoy makes it 0 for a logical host")
        if cluster.wait_for_warm_on_init is False:
            settings = replace(settings, waitForWarm=False)
        context = self._context
        return DNSDiscovery(settings, endpoints, self._resolver, context.reactor, context.random)


def _settings(config: View, logical: bool) -> DNSSettings:
    """Of a DnsCluster or a Cluster: what they have in common is spelt alike."""
    message: Any = config.message
    if not message.respect_dns_ttl:
        config.moot("respect_dns_ttl", "the default")
    rate = config.dns_refresh_rate
    base, most = _failureBounds(config.dns_failure_refresh_rate)
    return DNSSettings(
        logical=logical,
        family=FAMILIES.get(config.dns_lookup_family, FAMILIES["AUTO"]),
        refreshRate=_REFRESH_RATE if rate is None else rate,
        jitter=config.dns_jitter or 0.0,
        failureBase=base,
        failureMost=most,
    )


def _failureBounds(config: View | None) -> tuple[float | None, float | None]:
    if config is None:
        return None, None
    base, most = config.base_interval, config.max_interval
    if most is not None and most < base:
        raise config.error(
            "dns_failure_refresh_rate must have max_interval greater than or equal to the "
            "base_interval",
            "max_interval",
        )
    return base, most
