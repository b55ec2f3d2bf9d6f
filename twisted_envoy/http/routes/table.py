"""
RouteTable: the routes of one RouteConfiguration.

Envoy: ConfigImpl and RouteMatcher in source/common/router/config_impl.cc
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.domains import Domains, DuplicateDomain
from twisted_envoy.http.routes.entry import RouteEntry
from twisted_envoy.http.routes.filter_configs import FilterConfigs
from twisted_envoy.http.routes.finalize import Levels
from twisted_envoy.http.routes.routes import Routes
from twisted_envoy.http.routes.virtual_host import Building, VirtualHost, buildVirtualHost
from twisted_envoy.network.matchers import fieldName
from twisted_envoy.state.request_info import RequestInfo


class RouteTable:
    """
    Finds the route of a request; does not change.

    Attributes:
        always: the route of every request whose path begins with a slash; None where it depends.
        name: of the configuration. config: its View, for dumps.
        virtualHosts: all, in order. internalOnlyHeaders: lower-case names that only internal
            requests may have.
    """

    __slots__ = (
        "_domains",
        "_host",
        "_ignoresPort",
        "_only",
        "always",
        "config",
        "internalOnlyHeaders",
        "name",
        "virtualHosts",
    )

    def __init__(self, config: Any) -> None:
        self.config = config
        self.name: str = config.name
        self.virtualHosts: tuple[VirtualHost, ...] = ()
        self.internalOnlyHeaders: tuple[bytes, ...] = ()
        self._domains: Domains[VirtualHost] = Domains()
        self._only: VirtualHost | None = None
        self.always: RouteEntry | None = None
        self._ignoresPort = False
        self._host = b":authority"

    def match(self, headers: HeaderMap, info: RequestInfo, randomValue: int) -> RouteEntry | None:
        """
        Find the route of a request.

        Args:
            randomValue: 0 or more, for shares and weights; the same for one request.
        Returns:
            None when there is no virtual host or no route.
        """
        host = self._only
        if host is None:
            host = self.virtualHost(headers)
            if host is None:
                return None
        return host.match(headers, info, randomValue)

    def certain(self, headers: HeaderMap) -> RouteEntry | None:
        """The route of all requests with these headers; None where more counts, or for none."""
        host = self._only or self.virtualHost(headers)
        if host is None or host.tlsRedirect is not None or not isinstance(host.routes, Routes):
            return None
        return host.routes.certain(headers)

    def virtualHost(self, headers: HeaderMap) -> VirtualHost | None:
        """The virtual host of a request, or None."""
        name = headers.get(self._host)
        if name is None:
            return self._only
        if self._ignoresPort:
            name = _withoutPort(name)
        return self._domains.find(name)


def _withoutPort(host: bytes) -> bytes:
    colon = host.rfind(b":")
    return host if colon < 0 or host.rfind(b"]") > colon else host[:colon]


def buildRouteTable(
    config: Any,
    context: Any,
    validateClusters: bool = True,
    filterKinds: Mapping[str, frozenset[str]] | None = None,
) -> RouteTable:
    """
    Build the table of a RouteConfiguration.

    Args:
        validateClusters: what counts unless the configuration says something itself.
        filterKinds: HTTP filter name -> the messages that such filters take from routes.
    Raises:
        ConfigError: in Envoy's words.
    """
    table = RouteTable(config)
    if config.validate_clusters is not None:
        validateClusters = config.validate_clusters
    top = Building(context, validateClusters)
    top.configs = FilterConfigs(filterKinds)
    wins: bool = config.most_specific_header_mutations_wins
    top.requestLevels = top.responseLevels = Levels(wins)
    if config.max_direct_response_body_size_bytes is not None:
        top.largestBody = config.max_direct_response_body_size_bytes
    top.ignoresPathParameters = config.ignore_path_parameters_in_path_matching
    top.hasPlugins = config.has("cluster_specifier_plugins")
    building = top.below(config)
    table.internalOnlyHeaders = tuple(
        name.lower().encode() for name in config.internal_only_headers
    )
    if config.vhost_header:
        table._host = fieldName(config.vhost_header)
    table._ignoresPort = config.ignore_port_in_host_matching
    hosts = []
    for view in config.virtual_hosts:
        host = buildVirtualHost(view, building)
        hosts.append(host)
        _addDomains(table, view, host)
    table._domains.sort()
    table.virtualHosts = tuple(hosts)
    if table._domains.isDefaultOnly:
        only = table._only = table._domains.default
        if only is not None and only.tlsRedirect is None and isinstance(only.routes, Routes):
            table.always = only.routes.only
    return table


def _addDomains(table: RouteTable, view: Any, host: VirtualHost) -> None:
    for domain in view.domains:
        try:
            table._domains.add(domain, host)
        except DuplicateDomain as duplicate:
            if duplicate.domain == "*":
                problem = f"Only a single wildcard domain is permitted in route {table.name}"
            else:
                problem = (
                    "Only unique values for domains are permitted. Duplicate entry of domain "
                    f"{duplicate.domain} in route {table.name}"
                )
            raise view.error(problem, "domains") from None
