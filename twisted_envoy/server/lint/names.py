"""Names that lead nowhere: listeners, clusters, domains that no CONNECT request has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from twisted_envoy.errors import ConfigError
from twisted_envoy.server.lint.model import ChainFacts, ListenerFacts, Model

_CHOSEN = "envoy.tcp_proxy.cluster"
_CHOOSERS = ("sni_cluster.", "sni_dynamic_forward_proxy.")


def missingListeners(model: Model) -> Iterator[ConfigError]:
    """Internal endpoints whose listener is not in the bootstrap."""
    internal = {one.name for one in model.listeners.values() if one.isInternal}
    for cluster in model.clusters.values():
        for name, view in cluster.leadsTo:
            if name not in internal:
                yield view.error(
                    f"there is no internal listener '{name}': connections of cluster "
                    f"'{cluster.name}' will fail",
                    "server_listener_name",
                )


def missingClusters(model: Model) -> Iterator[ConfigError]:
    """
    TCP proxies whose cluster is not in the bootstrap, which Envoy says of each connection only.

    Not where clusters are discovered, or where something may choose the cluster by filter state.
    """
    if model.findsClusters:
        return
    mayArrive = any(_maySetCluster(*one) for one in model.chains())
    for listener, chain in model.chains():
        if _maySetCluster(listener, chain) or (listener.isInternal and mayArrive):
            continue
        for name, view, field in chain.proxied:
            if name not in model.clusters:
                yield view.error(f"there is no cluster '{name}': connections will fail", field)


def _maySetCluster(listener: ListenerFacts, chain: ChainFacts) -> bool:
    if any(value.key == _CHOSEN for value in (*listener.values, *chain.values)):
        return True
    kinds = [*listener.listenerFilters, *(kind for kind, _ in chain.filters)]
    return any(
        not kind.startswith("envoy.") or any(part in kind for part in _CHOOSERS) for kind in kinds
    )


def connectDomains(model: Model) -> Iterator[ConfigError]:
    """
    Virtual hosts with CONNECT routes whose domains have no port.

    Where all routes are for CONNECT each such domain is told of; where some are not, it may be for
    these, and it is enough that one domain has a port.
    """
    for _, chain in model.chains():
        for host, ignoresPort in chain.virtualHosts:
            routes, domains = host.routes, host.domains
            if ignoresPort or not any(map(_isConnect, routes)):
                continue
            for domain in _portless(domains, all(map(_isConnect, routes))):
                yield host.error(
                    f"domain '{domain}' has no port, but the target of a CONNECT request "
                    f"always has one: '{domain}:443', or ignore_port_in_host_matching",
                    "domains",
                )


def _portless(domains: Sequence[str], onlyConnect: bool) -> list[str]:
    """Those without a port, here or in another domain of the same name."""
    found = [one for one in domains if not _mayHavePort(one)]
    if not onlyConnect:
        return found[:1] if len(found) == len(domains) else []
    return [one for one in found if not any(other.startswith(f"{one}:") for other in domains)]


def _isConnect(route: Any) -> bool:
    return route.match is not None and route.match.connect_matcher is not None


def _mayHavePort(domain: str) -> bool:
    if domain.endswith("*"):
        return True
    rest = domain.rpartition("]")[2]
    return ":" in rest
