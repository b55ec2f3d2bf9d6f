"""What of a bootstrap the checks look at: listeners, their filters, clusters, who leads where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import TYPE_CHECKING, Any

from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

PREFIX = "envoy.extensions."
TCP_PROXY = PREFIX + "filters.network.tcp_proxy.v3.TcpProxy"
MANAGER = PREFIX + "filters.network.http_connection_manager.v3.HttpConnectionManager"
_INTERNAL_UPSTREAM = PREFIX + "transport_sockets.internal_upstream.v3.InternalUpstreamTransport"
_SET_STATE = ("set_filter_state.v3.Config", "set_filter_state.v3.FilterStateConfig")
_ON = (
    *("on_new_connection", "on_downstream_tls_handshake", "on_downstream_data"),
    *("on_request_headers", "on_accept"),
)


@dataclass(frozen=True, slots=True)
class StateValue:
    """One object that a `set_filter_state` filter sets."""

    key: str
    factory: str
    shared: str
    text: str
    view: Any


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster that a chain sends to; pooled: requests share its connections."""

    cluster: str
    pooled: bool


@dataclass(slots=True)
class ChainFacts:
    """
    One filter chain: its filters, what they set, and where they send.

    proxied: the clusters of TCP proxies, each with the view and the field that names it.
    isPlain: it has no transport socket, or raw_buffer.
    """

    filters: list[tuple[str, Any]] = field(default_factory=list)
    values: list[StateValue] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    proxied: list[tuple[str, Any, str]] = field(default_factory=list)
    virtualHosts: list[tuple[Any, bool]] = field(default_factory=list)
    ofRequests: set[str] = field(default_factory=set)
    isPlain: bool = True


@dataclass(slots=True)
class ListenerFacts:
    """One listener; values: what its listener filters set."""

    name: str
    isInternal: bool
    listenerFilters: list[str]
    values: list[StateValue]
    chains: list[ChainFacts]


@dataclass(slots=True)
class ClusterFacts:
    """One cluster; leadsTo: (listener, endpoint's view); passes: names of metadata, or None."""

    name: str
    view: Any
    leadsTo: list[tuple[str, Any]]
    passes: set[str] | None
    oneRequest: bool


@dataclass(slots=True)
class Model:
    """Everything, by name; findsClusters: more of them may come while it runs."""

    listeners: dict[str, ListenerFacts]
    clusters: dict[str, ClusterFacts]
    findsClusters: bool = False

    def chains(self) -> Iterator[tuple[ListenerFacts, ChainFacts]]:
        """Every chain with its listener."""
        for listener in self.listeners.values():
            for chain in listener.chains:
                yield listener, chain

    def before(self, name: str) -> list[ClusterFacts]:
        """The clusters that lead to an internal listener."""
        return [
            cluster
            for cluster in self.clusters.values()
            if any(listener == name for listener, _ in cluster.leadsTo)
        ]


def readModel(bootstrap: View) -> Model:
    """Read the static resources."""
    resources = bootstrap.static_resources
    listeners: dict[str, ListenerFacts] = {}
    clusters: dict[str, ClusterFacts] = {}
    if resources is not None:
        for view in resources.listeners:
            listeners.setdefault(view.name, _listener(view))
        for view in resources.clusters:
            clusters.setdefault(view.name, _cluster(view))
    dynamic = bootstrap.dynamic_resources
    return Model(listeners, clusters, dynamic is not None and dynamic.has("cds_config"))


def _listener(view: View) -> ListenerFacts:
    chains = [*view.filter_chains]
    if view.default_filter_chain is not None:
        chains.append(view.default_filter_chain)
    filters = [opened for one in view.listener_filters if (opened := _opened(one))]
    return ListenerFacts(
        view.name,
        view.which("listener_specifier") == "internal_listener",
        [kind for kind, _ in filters],
        [value for kind, config in filters for value in _values(kind, config)],
        [_chain(one) for one in chains],
    )


def _opened(named: Any) -> tuple[str, Any] | None:
    """The type name and view of what stands behind a name; None without a typed_config."""
    given = getattr(named, "typed_config", None)
    if given is None:
        return None
    return (given.typeName, given.open() if given.typeName.startswith("envoy.") else None)


def _values(kind: str, config: Any) -> Iterator[StateValue]:
    if config is None or not kind.endswith(_SET_STATE):
        return
    for name in _ON:
        for value in getattr(config, name, ()):
            key = value.object_key
            text = value.format_string
            source = None if text is None else text.text_format_source
            inline = "" if source is None else source.inline_string
            factory = value.factory_key or key
            yield StateValue(key, factory, value.shared_with_upstream, inline, value)


def _isPlain(socket: Any) -> bool:
    config = None if socket is None else socket.typed_config
    return config is None or ".raw_buffer." in config.typeURL


def _chain(view: View) -> ChainFacts:
    chain = ChainFacts(isPlain=_isPlain(view.transport_socket))
    for named in view.filters:
        opened = _opened(named)
        if opened is None:
            continue
        kind, config = opened
        chain.filters.append(opened)
        chain.values += _values(kind, config)
        if kind == TCP_PROXY:
            pooled = False
            chain.proxied += _proxied(config)
            chain.targets += [Target(name, pooled) for name, _, _ in chain.proxied]
        elif kind == MANAGER:
            _manager(chain, config)
    return chain


def _proxied(config: Any) -> Iterable[tuple[str, Any, str]]:
    if config.which("cluster_specifier") == "cluster":
        return [(config.cluster, config, "cluster")]
    return [(one.name, one, "name") for one in config.weighted_clusters.clusters]


def _manager(chain: ChainFacts, config: Any) -> None:
    for named in config.http_filters:
        opened = _opened(named)
        if opened is not None:
            chain.filters.append(opened)
            values = list(_values(*opened))
            chain.values += values
            chain.ofRequests |= {value.key for value in values}
    if config.which("route_specifier") != "route_config":
        return
    table = config.route_config
    for host in table.virtual_hosts:
        chain.virtualHosts.append((host, bool(table.ignore_port_in_host_matching)))
        for route in host.routes:
            if route.which("action") == "route":
                chain.targets += _routed(route.route)


def _routed(action: Any) -> Iterator[Target]:
    terminates = any(one.connect_config is not None for one in action.upgrade_configs)
    kind = action.which("cluster_specifier")
    if kind == "cluster":
        yield Target(action.cluster, not terminates)
    elif kind == "weighted_clusters":
        for one in action.weighted_clusters.clusters:
            if one.name:
                yield Target(one.name, not terminates)


def _cluster(view: View) -> ClusterFacts:
    leadsTo: list[tuple[str, Any]] = []
    assignment = view.load_assignment
    for group in assignment.endpoints if assignment is not None else ():
        for one in group.lb_endpoints:
            address = None if one.endpoint is None else one.endpoint.address
            internal = None if address is None else address.envoy_internal_address
            if internal is not None:
                leadsTo.append((internal.server_listener_name, internal))
    return ClusterFacts(view.name, view, leadsTo, _passed(view.transport_socket), _once(view))


def _passed(socket: Any) -> set[str] | None:
    """The metadata that an internal_upstream socket passes; None without one."""
    opened = None if socket is None else _opened(socket)
    if opened is None or opened[0] != _INTERNAL_UPSTREAM:
        return None
    return {source.name for source in opened[1].passthrough_metadata}


def _once(view: View) -> bool:
    """Does each connection carry one request only?"""
    if view.max_requests_per_connection == 1:
        return True
    for options in view.typed_extension_protocol_options.values():
        if options.typeName.endswith("HttpProtocolOptions"):
            common = options.open().common_http_protocol_options
            if common is not None and common.max_requests_per_connection == 1:
                return True
    return False
