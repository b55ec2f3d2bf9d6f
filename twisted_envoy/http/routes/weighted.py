"""
weighted_clusters: a cluster is picked for each request.

Envoy: source/common/router/weighted_cluster_specifier.cc
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.clusters import headerCluster, requireCluster
from twisted_envoy.http.routes.entry import HashPolicy, RouteEntry
from twisted_envoy.http.routes.finalize import ResponseEdit
from twisted_envoy.http.routes.header_edits import Edit, buildEdits
from twisted_envoy.network.matchers import fieldName
from twisted_envoy.state.request_info import RequestInfo

_LB = "envoy.lb"
_MOST = (1 << 32) - 1


class WeightedClusters:
    """
    The clusters of one route.

    Args:
        choices: (weight, runtime key or "", entry). runtime: server.Runtime.
        header: lower-case name of the header that has the random value, or b"".
        hashPolicy: of the route, when it decides; else None.
    """

    __slots__ = ("_choices", "_hashPolicy", "_header", "_runtime", "_total")

    def __init__(
        self,
        choices: tuple[tuple[int, str, RouteEntry], ...],
        runtime: Any,
        header: bytes,
        hashPolicy: HashPolicy | None,
    ) -> None:
        self._choices = choices
        self._runtime = runtime
        self._header = header
        self._hashPolicy = hashPolicy
        self._total = sum(weight for weight, _, _ in choices)

    @property
    def isSure(self) -> bool:
        """Is there always one to pick?"""
        return self._runtime is None

    def pick(self, headers: HeaderMap, info: RequestInfo, randomValue: int) -> RouteEntry | None:
        """The entry of one cluster, with the probability of its weight; None when all are 0."""
        choices, total = self._choices, self._total
        if self._runtime is not None:
            choices = self._current()
            total = sum(weight for weight, _, _ in choices)
            if not total:
                return None
        if self._header:
            value = headers.get(self._header, b"")
            if value.isdigit():
                randomValue = int(value)
        elif self._hashPolicy is not None:
            hashed, _ = self._hashPolicy(headers, info)
            if hashed is not None:
                randomValue = hashed
        randomValue %= total
        for weight, _, entry in choices:
            if randomValue < weight:
                return entry
            randomValue -= weight
        return choices[-1][2]

    def _current(self) -> tuple[tuple[int, str, RouteEntry], ...]:
        runtime = self._runtime
        return tuple((_weightNow(runtime, one), *one[1:]) for one in self._choices)


def _weightNow(runtime: Any, choice: tuple[int, str, RouteEntry]) -> int:
    weight, key, _ = choice
    value = runtime.integer(key) if key else None
    return weight if value is None or value < 0 else int(value)


def buildWeighted(
    view: Any, route: RouteEntry, building: Any, hashPolicy: HashPolicy | None
) -> WeightedClusters:
    """
    Read a WeightedCluster.

    Args:
        route: the entry of the whole route, finished but for this.
        building: table.Building.
    Raises:
        ConfigError: no weight at all, an unknown cluster.
    """
    view.moot("total_weight", "the sum of the weights is what counts")
    prefix: str = view.runtime_key_prefix
    choices = []
    for one in view.clusters:
        entry = _choice(one, route, building)
        key = f"{prefix}.{one.name}" if prefix else ""
        weight = one.weight
        if weight is None:
            raise one.error("Field 'weight' is missing in: WeightedCluster.ClusterWeight")
        choices.append((weight, key, entry))
    runtime = building.context.runtime if prefix else None
    total = sum(map(partial(_weightNow, runtime), choices))
    if total == 0:
        raise view.error("Sum of weights in the weighted_cluster must be greater than 0.")
    if total > _MOST:
        raise view.error(
            f"The sum of weights of all weighted clusters of route {route.name} exceeds {_MOST}"
        )
    usesHash = view.which("random_value_specifier") == "use_hash_policy" and view.use_hash_policy
    header = fieldName(view.header_name) if view.header_name else b""
    return WeightedClusters(tuple(choices), runtime, header, hashPolicy if usesHash else None)


def _choice(view: Any, route: RouteEntry, building: Any) -> RouteEntry:
    entry = route.copy()
    name: str = view.name
    header: str = view.cluster_header
    if name and header:
        raise view.error("Only one of name or cluster_header can be specified")
    if not name and not header:
        raise view.error("At least one of name or cluster_header need to be specified")
    if header:
        entry.clusterName = headerCluster(header)
    else:
        if building.validateClusters:
            requireCluster(name, view, building.context, "weighted cluster", "name")
        entry.clusterName = lambda headers: name
    if view.has("metadata_match"):
        own = view.metadata_match.filter_metadata.get(_LB) or {}
        entry.metadataMatch = {**(route.metadataMatch or {}), **own} or None
    _readEdits(view, entry, route, building.context)
    if view.has("typed_per_filter_config"):
        configs = building.routeConfigs.below(view.typed_per_filter_config, view, building.context)
        entry.routeConfigs, entry.filterDisabled = configs.configs, configs.disabled
    return entry


def _readEdits(view: Any, entry: RouteEntry, route: RouteEntry, context: Any) -> None:
    """The cluster's own edits come before all others, whatever wins among those."""
    own = buildEdits(
        view.request_headers_to_add,
        view.request_headers_to_remove,
        view,
        "request_headers_to_remove",
        context,
    )
    host: bytes = view.host_rewrite_literal.encode()
    if own is not None or host:
        entry.finalizeRequest = _requestFirst(own, host, route.finalizeRequest)
    response = buildEdits(
        view.response_headers_to_add,
        view.response_headers_to_remove,
        view,
        "response_headers_to_remove",
        context,
    )
    if response is not None:
        entry.finalizeResponse = _responseFirst(response, route.finalizeResponse)


def _requestFirst(own: Edit | None, host: bytes, then: Callable[..., None]) -> Callable[..., None]:
    def finalize(headers: HeaderMap, info: RequestInfo, originalPathHeader: bool = True) -> None:
        if own is not None:
            own(headers, info)
        if host:
            headers.set(b":authority", host)
        then(headers, info, originalPathHeader)

    return finalize


def _responseFirst(own: Edit, then: ResponseEdit) -> ResponseEdit:
    def finalize(headers: HeaderMap, info: RequestInfo) -> None:
        own(headers, info)
        then(headers, info)

    return finalize
