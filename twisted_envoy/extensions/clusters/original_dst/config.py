"""The factory of the original destination cluster type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.address import HostnameAddress
from twisted.internet.interfaces import IAddress
from zope.interface import implementer

from twisted_envoy.extensions.clusters.original_dst.destinations import (
    Destinations,
    DestinationSettings,
)
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.interfaces.upstream import IClusterType

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_CLEANUP_INTERVAL = 5.0
_HEADER = "x-envoy-original-dst-host"


@implementer(IExtensionFactory)
class OriginalDstClusterFactory:
    """Builds OriginalDstClusters."""

    typeURL = "envoy.extensions.clusters.original_dst.v3.OriginalDstCluster"
    category = "clusters"
    descriptors = b""

    def build(self, config: View, context: Any) -> OriginalDstCluster:
        """
        Read an OriginalDstCluster.

        Raises:
            ConfigError: a header's name though no header is asked for.
        """
        return OriginalDstCluster(_settings(config), context)

    def buildFromCluster(self, cluster: View, context: Any) -> OriginalDstCluster:
        """The same from a Cluster's `original_dst_lb_config`."""
        config = cluster.original_dst_lb_config
        settings = DestinationSettings() if config is None else _settings(config)
        return OriginalDstCluster(settings, context)


@implementer(IClusterType)
class OriginalDstCluster:
    """Where the hosts of an original destination cluster come from: whoever asks for one."""

    def __init__(self, settings: DestinationSettings, context: Any) -> None:
        self._settings = settings
        self._context = context

    def addressOf(self, endpoint: View) -> IAddress:
        """Nowhere: `discovery` refuses endpoints."""
        return HostnameAddress(b"", 0)

    def discovery(self, cluster: View, endpoints: tuple[Any, ...]) -> Destinations:
        if cluster.lb_policy != "CLUSTER_PROVIDED":
            custom = cluster.which("cluster_discovery_type") == "cluster_type"
            kind = cluster.cluster_type.name if custom else cluster.type
            raise cluster.error(
                f"cluster: LB policy {cluster.lb_policy} is not valid for Cluster type {kind}. "
                "Only 'CLUSTER_PROVIDED' is allowed with cluster type 'ORIGINAL_DST'",
                "lb_policy",
            )
        if cluster.load_assignment is not None:
            raise cluster.error(
                "ORIGINAL_DST clusters must have no load assignment configured", "load_assignment"
            )
        if cluster.load_balancing_policy is not None:
            raise cluster.error(
                f"cluster manager: cluster provided LB not specified but cluster '{cluster.name}' "
                "provided one. Check cluster documentation.",
                "load_balancing_policy",
            )
        interval = cluster.cleanup_interval
        return Destinations(
            self._settings,
            _CLEANUP_INTERVAL if interval is None else interval,
            self._context.reactor,
        )


def _settings(config: View) -> DestinationSettings:
    header = config.http_header_name
    if header and not config.use_http_header:
        raise config.error(
            f"ORIGINAL_DST cluster: invalid config http_header_name={header} and use_http_header "
            "is false. Set use_http_header to true if http_header_name is desired.",
            "http_header_name",
        )
    key = config.metadata_key
    for segment in () if key is None else key.path_:
        segment.moot("index", "Envoy asks for the key of that segment, which is empty then")
    return DestinationSettings(
        header=(header or _HEADER).lower().encode() if config.use_http_header else None,
        metadataPath=() if key is None else (key.key, *(one.key for one in key.path_)),
        port=config.upstream_port_override,
    )
