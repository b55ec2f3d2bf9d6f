"""Shared filter state that stops on its way, or that shows another request's."""

from __future__ import annotations

from collections.abc import Iterator

from twisted_envoy.errors import ConfigError
from twisted_envoy.server.lint.model import ChainFacts, ClusterFacts, ListenerFacts, Model

_CHOOSES_CLUSTER = "envoy.tcp_proxy.cluster"
_HASHABLE = frozenset(
    (
        "envoy.hashable_string",
        "envoy.network.transport_socket.original_dst_address",
        "envoy.filters.listener.original_dst.local_ip",
        "envoy.filters.listener.original_dst.remote_ip",
        "envoy.network.ip",
    )
)
_FOR_SOCKETS = "envoy."
"""Keys that begin so mean something to Envoy itself, hop or no hop."""


def stoppedState(model: Model) -> Iterator[ConfigError]:
    """Objects that are shared with upstream connections, behind which a hop drops them."""
    for listener, chain in model.chains():
        if any(value.key == _CHOOSES_CLUSTER for value in chain.values):
            continue
        hops = [hop for hop, _ in _hops(model, chain)]
        if not hops or any(hop.passes is not None for hop in hops):
            continue
        for value in (*listener.values, *chain.values):
            if value.shared != "NONE" and not value.key.startswith(_FOR_SOCKETS):
                names = ", ".join(sorted({f"'{hop.name}'" for hop in hops}))
                yield value.view.error(
                    f"'{value.key}' is shared with upstream connections, but cluster {names} has "
                    "no internal_upstream transport socket: its internal listener does not see it",
                    "shared_with_upstream",
                )


def staleState(model: Model) -> Iterator[ConfigError]:
    """Objects of requests that a pooled connection keeps from the first of them."""
    for listener, chain in model.chains():
        pooled = [
            hop
            for hop, isPooled in _hops(model, chain)
            if isPooled and hop.passes is not None and not hop.oneRequest
        ]
        if not pooled:
            continue
        for value in (*listener.values, *chain.values):
            if value.shared == "NONE" or value.factory in _HASHABLE or "%" not in value.text:
                continue
            yield value.view.error(
                f"'{value.key}' is no hashable object: requests over a pooled connection of "
                f"cluster '{pooled[0].name}' show the first one's (envoy.hashable_string does not, "
                "nor does the runtime switch twisted_envoy.http.isolate_shared_state)",
                "factory_key" if value.view.factory_key else "object_key",
            )


def _hops(model: Model, chain: ChainFacts) -> Iterator[tuple[ClusterFacts, bool]]:
    """The clusters of a chain that lead to internal listeners, and whether they are pooled."""
    for target in chain.targets:
        cluster = model.clusters.get(target.cluster)
        if cluster is not None and cluster.leadsTo:
            yield cluster, target.pooled


def valuesAt(model: Model, listener: ListenerFacts, chain: ChainFacts) -> set[str]:
    """Keys of filter state that a connection of a chain may have; those of others that share."""
    own = {value.key for value in (*listener.values, *chain.values)}
    shared = {
        value.key
        for other, otherChain in model.chains()
        for value in (*other.values, *otherChain.values)
        if value.shared != "NONE"
    }
    return own | shared
