"""From `config.endpoint.v3.ClusterLoadAssignment` to the settings of hosts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from twisted.internet.address import HostnameAddress
from twisted.internet.interfaces import IAddress

from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.proxy_protocol import AddedTLV, readAddedTLVs
from twisted_envoy.server.build_address import buildAddress
from twisted_envoy.upstream.host import HealthCheckTarget, HostSettings, Locality

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

AddressReader = Callable[["View"], IAddress]
"""From an `Endpoint` to its address."""

_PROXY_PROTOCOL = "envoy.transport_sockets.proxy_protocol"
_PER_HOST = "envoy.config.core.v3.PerHostConfig"
_DNS_HINT = (
    ". Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'"
)


def staticAddress(endpoint: View) -> IAddress:
    """
    The address of an endpoint that needs no resolver.

    Raises:
        ConfigError: it has none, or a name.
    """
    if endpoint.address is None:
        raise endpoint.error(f"Address must be set: {_DNS_HINT}")
    return buildAddress(endpoint.address, _DNS_HINT)


def buildHosts(assignment: View | None, addressOf: AddressReader) -> tuple[HostSettings, ...]:
    """
    The settings of all endpoints, in the order of the config.

    Raises:
        ConfigError: what Envoy refuses, or what is not implemented.
    """
    if assignment is None:
        return ()
    assignment.moot("cluster_name", "a name for EDS; Envoy does not look at it either")
    assignment.moot("named_endpoints", "only endpoint_name looks at them, which Envoy refuses")
    hosts: list[HostSettings] = []
    for group in assignment.endpoints:
        found = group.locality
        locality = (
            Locality() if found is None else Locality(found.region, found.zone, found.sub_zone)
        )
        weight = group.load_balancing_weight or 0  # counts with locality_weighted_lb_config only
        for endpoint in group.lb_endpoints:
            host = _host(endpoint, addressOf)
            hosts.append(
                replace(host, locality=locality, localityWeight=weight, priority=group.priority)
            )
    return tuple(hosts)


def _host(config: View, addressOf: AddressReader) -> HostSettings:
    endpoint = config.endpoint
    if endpoint is None:
        if addressOf is staticAddress:
            raise config.error(f"Address must be set: {_DNS_HINT}")
        return HostSettings(HostnameAddress(b"", 0))  # looked up in vain, as in Envoy
    address = addressOf(endpoint)
    healthCheck = _healthCheckConfig(endpoint, address)
    weight = config.load_balancing_weight
    return HostSettings(
        address=address,
        hostname=endpoint.hostname,
        weight=1 if weight is None else weight,
        metadata=metadataOf(config.metadata),
        healthStatus=config.health_status,
        healthCheck=healthCheck,
        addedTLVs=_addedTLVs(config.metadata),
    )


def _addedTLVs(metadata: View | None) -> tuple[AddedTLV, ...]:
    """What headers of the PROXY protocol say to this host."""
    if metadata is None or _PROXY_PROTOCOL not in metadata.message.typed_filter_metadata:  # type: ignore[attr-defined]
        return ()
    holder = metadata.typed_filter_metadata[_PROXY_PROTOCOL]
    if holder.typeName != _PER_HOST:
        return ()
    return readAddedTLVs(holder.open().added_tlvs, None)


def _healthCheckConfig(endpoint: View, address: IAddress) -> HealthCheckTarget:
    config = endpoint.health_check_config
    if config is None:
        return HealthCheckTarget()
    port = config.port_value
    if port and not hasattr(address, "port"):
        raise ConfigError(
            config.path,
            "Invalid host configuration: non-zero port for non-IP address",
            config.position("port_value"),
        )
    return HealthCheckTarget(
        None if config.address is None else buildAddress(config.address),
        port,
        config.hostname,
        config.disable_active_health_check,
    )


def metadataOf(metadata: View | None) -> dict[str, dict[str, object]]:
    """The filter_metadata of a `config.core.v3.Metadata`: namespace -> JSON-like dict."""
    return {} if metadata is None else dict(metadata.filter_metadata)
