"""The counters of a router, and of the answers that clusters gave."""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.group_stats import GroupStats, codeCounters
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope

_CANARY = b"x-envoy-upstream-canary"


class RouterStats:
    """`http.<stat_prefix>.*`, named as Envoy names them."""

    no_cluster: Counter
    no_route: Counter
    passthrough_internal_redirect_bad_location: Counter
    passthrough_internal_redirect_no_route: Counter
    passthrough_internal_redirect_predicate: Counter
    passthrough_internal_redirect_too_many_redirects: Counter
    passthrough_internal_redirect_unsafe_scheme: Counter
    rq_direct_response: Counter
    rq_overload_local_reply: Counter
    rq_redirect: Counter
    rq_reset_after_downstream_response_started: Counter
    rq_total: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


class ClusterCodes:
    """
    What a cluster's answers add to: its `upstream_rq_<code>` counters and times.

    Args:
        scope: `cluster.<name>.`.
    """

    __slots__ = (
        "external",
        "internal",
        "_more",
        "_scope",
        "_time",
        "_timeExternal",
        "_timeInternal",
        "_times",
    )

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.external: dict[int, tuple[Counter, ...]] = {}
        self.internal: dict[int, tuple[Counter, ...]] = {}
        self._more: dict[tuple[str, int], tuple[Counter, ...]] = {}
        self._times: dict[str, Any] = {}
        self._time: Any = None
        self._timeExternal: Any = None
        self._timeInternal: Any = None

    def charge(self, status: int, internal: bool) -> None:
        """One answer with this status; internal: of a request from inside."""
        table = self.internal if internal else self.external
        counters = table.get(status)
        if counters is None:
            kind = "internal." if internal else "external."
            counters = table[status] = codeCounters(self._scope, status, ("", kind))
        for counter in counters:
            counter.value += 1

    def chargeUnder(self, prefix: str, status: int) -> None:
        """The same under a prefix of the cluster's (`retry.`, `canary.`, `zone.<from>.<to>.`)."""
        counters = self._more.get((prefix, status))
        if counters is None:
            counters = codeCounters(self._scope, status, (prefix,))
            self._more[prefix, status] = counters
        for counter in counters:
            counter.value += 1

    def recordTime(self, milliseconds: int, internal: bool) -> None:
        """From the request's end to the response's."""
        if self._time is None:
            self._time = self._scope.histogram("upstream_rq_time", "Milliseconds")
        self._time.record(milliseconds)
        if internal:
            if self._timeInternal is None:
                self._timeInternal = self._scope.histogram(
                    "internal.upstream_rq_time", "Milliseconds"
                )
            self._timeInternal.record(milliseconds)
        else:
            if self._timeExternal is None:
                self._timeExternal = self._scope.histogram(
                    "external.upstream_rq_time", "Milliseconds"
                )
            self._timeExternal.record(milliseconds)

    def recordTimeUnder(self, prefix: str, milliseconds: int) -> None:
        """The same under a prefix, see chargeUnder."""
        histogram = self._times.get(prefix)
        if histogram is None:
            histogram = self._scope.histogram(f"{prefix}upstream_rq_time", "Milliseconds")
            self._times[prefix] = histogram
        histogram.record(milliseconds)


class CodeStats:
    """
    The ClusterCodes of every cluster of a server.

    Args:
        root: the store.
    """

    __slots__ = ("_codes", "_root")

    def __init__(self, root: Scope) -> None:
        self._root = root
        self._codes: dict[str, ClusterCodes] = {}

    def of(self, cluster: Any) -> ClusterCodes:
        """Those of one cluster."""
        name: str = cluster.observabilityName
        codes = self._codes.get(name)
        if codes is None:
            scope = self._root.scope(f"cluster.{name}.")
            codes = self._codes[name] = ClusterCodes(scope)
        return codes


def chargeAnswer(router: Any, status: int, host: Any, headers: HeaderMap | None = None) -> None:
    """
    Count an answer of a router's cluster.

    Args:
        host: that it comes from, None for none. headers: the upstream's.
    """
    codes: ClusterCodes = router.codes
    counters = (codes.internal if router.internal else codes.external).get(status)
    if counters is None:
        codes.charge(status, router.internal)
    else:
        for counter in counters:
            counter.value += 1
    if headers is not None and headers.get(_CANARY) == b"true":
        codes.chargeUnder("canary.", status)
    if router.asked.altStat:
        codes.chargeUnder(router.asked.altStat, status)
    for group in router.groups:
        group.charge(status)
    if host is not None:
        zone = router.settings.zone
        if zone and host.locality.zone:
            codes.chargeUnder(f"zone.{zone}.{host.locality.zone}.", status)
        if status >= 500:
            host.stats.rq_error.value += 1


def recordTime(router: Any, milliseconds: int, host: Any) -> None:
    """How long a whole answer took from the request's end; host: that it comes from."""
    codes: ClusterCodes = router.codes
    codes.recordTime(milliseconds, router.internal)
    for group in router.groups:
        group.recordTime(milliseconds)
    answer = router.info.responseHeaders
    if answer is not None and answer.get(_CANARY) == b"true":
        codes.recordTimeUnder("canary.", milliseconds)
    if router.asked.altStat:
        codes.recordTimeUnder(router.asked.altStat, milliseconds)
    zone = router.settings.zone
    if zone and host.locality.zone:
        codes.recordTimeUnder(f"zone.{zone}.{host.locality.zone}.", milliseconds)


def groupsOf(route: Any, headers: HeaderMap, info: Any) -> tuple[GroupStats, ...]:
    """What counts a request beside its cluster; the virtual cluster's name is kept."""
    groups = () if route.stats is None else (route.stats,)
    found = route.virtualHost.virtualClusters.find(headers)
    if found is None:
        return groups
    info.virtualClusterName = found.name
    return (found.stats, *groups)
