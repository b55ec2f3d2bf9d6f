"""/clusters: every cluster's limits and every host's figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any as Untyped

from twisted_envoy.server.admin.json_text import MessageKit
from twisted_envoy.server.admin.reply import JSON, Query, Reply
from twisted_envoy.server.admin.target import AdminTarget, ShownCluster, ShownHost
from twisted_envoy.state.addresses import addressText
from twisted_envoy.stats.regex import compileRegex
from twisted_envoy.upstream.health.flags import (
    ACTIVE_HC_TIMEOUT,
    DEGRADED_ACTIVE_HC,
    DEGRADED_EDS_HEALTH,
    EDS_STATUS_DRAINING,
    EXCLUDED_VIA_IMMEDIATE_HC_FAIL,
    FAILED_ACTIVE_HC,
    FAILED_EDS_HEALTH,
    FAILED_OUTLIER_CHECK,
    PENDING_ACTIVE_HC,
    PENDING_DYNAMIC_REMOVAL,
)

_COUNTERS = ("cx_connect_fail", "cx_total", "rq_error", "rq_success", "rq_timeout", "rq_total")
_GAUGES = ("cx_active", "rq_active", "rq_pending_active")
_LIMITS = {
    "max_connections": "connections",
    "max_pending_requests": "pendingRequests",
    "max_requests": "requests",
    "max_retries": "retries",
}
"""Envoy's name -> attribute of upstream.circuit_breaker.Limits."""
_PRIORITIES = ("default", "high")


def clusters(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """Lines of `cluster::what::value`, or envoy.admin.v3.Clusters with format=json."""
    try:
        pattern = compileRegex(query.first("filter") or "")
    except ValueError:
        return Reply("Invalid re2 regex", 400)
    every = (target.clusters.get(name) for name in target.clusters.names())
    shown = [one for one in every if one is not None and pattern.search(one.name)]
    if query.first("format") == "json":
        statuses = [_status(kit, cluster) for cluster in shown]
        return Reply(
            kit.text(kit.new("envoy.admin.v3.Clusters", cluster_statuses=statuses)),
            contentType=JSON,
        )
    return Reply("".join(line for cluster in shown for line in _lines(cluster)))


def hostStat(host: ShownHost, name: str) -> int:
    """A host's counter or gauge by Envoy's name."""
    return int(getattr(host.stats, name).value)


def _lines(cluster: ShownCluster) -> Iterator[str]:
    yield f"{cluster.name}::observability_name::{cluster.observabilityName}\n"
    if cluster.outlier is not None:
        for prefix, rates in _averages(cluster.outlier):
            for name, rate in zip(("average", "ejection_threshold"), rates, strict=True):
                yield f"{cluster.name}::outlier::{prefix}success_rate_{name}::{_number(rate)}\n"
    for priority in _PRIORITIES:
        for name, most in _limits(cluster, priority):
            yield f"{cluster.name}::{priority}_priority::{name}::{most}\n"
    yield f"{cluster.name}::added_via_api::{_word(cluster.addedViaAPI)}\n"
    for host in cluster.hosts:
        prefix = f"{cluster.name}::{addressText(host.address)}::"
        for name, value in _hostFacts(host):
            yield f"{prefix}{name}::{value}\n"


def _limits(cluster: ShownCluster, priority: str) -> Iterator[tuple[str, int]]:
    limits = cluster.priorities[priority]
    for name, attribute in _LIMITS.items():
        yield name, getattr(limits, attribute).most


def _hostFacts(host: ShownHost) -> Iterable[tuple[str, object]]:
    for name in sorted(_COUNTERS + _GAUGES):
        yield name, hostStat(host, name)
    yield "hostname", host.hostname
    yield "health_flags", host.healthFlags
    yield "weight", host.weight
    for name in ("region", "zone", "sub_zone"):
        yield name, getattr(host.locality, name)
    yield "canary", _word(bool(host.metadata.get("envoy.lb", {}).get("canary")))
    yield "priority", host.priority
    monitor = host.monitor
    for name, rate in (
        ("success_rate", -1.0 if monitor is None else monitor.external.rate),
        ("local_origin_success_rate", -1.0 if monitor is None else monitor.local.rate),
    ):
        yield name, _number(rate)


def _number(value: float) -> str:
    """As C++'s streams print a double."""
    return f"{value:g}"


def _averages(outlier: Untyped) -> tuple[tuple[str, tuple[float, float]], ...]:
    return ("", outlier.external), ("local_origin_", outlier.local)


def _word(value: bool) -> str:
    return "true" if value else "false"


def _status(kit: MessageKit, cluster: ShownCluster) -> Untyped:
    made = kit.new(
        "envoy.admin.v3.ClusterStatus",
        name=cluster.name,
        added_via_api=cluster.addedViaAPI,
        observability_name=cluster.observabilityName,
        host_statuses=[_hostStatus(kit, host) for host in cluster.hosts],
    )
    if cluster.outlier is not None:
        for prefix, (_, least) in _averages(cluster.outlier):
            if least >= 0:
                getattr(made, f"{prefix}success_rate_ejection_threshold").value = least
    for priority in _PRIORITIES:
        threshold = made.circuit_breakers.thresholds.add(priority=priority.upper())
        for name, most in _limits(cluster, priority):
            getattr(threshold, name).value = most
    return made


def _hostStatus(kit: MessageKit, host: ShownHost) -> Untyped:
    made = kit.new(
        "envoy.admin.v3.HostStatus",
        address=kit.address(host.address),
        weight=host.weight,
        hostname=host.hostname,
        priority=host.priority,
        locality=localityOf(kit, host),
    )
    _healthStatus(made.health_status, host.health)
    if host.monitor is not None:
        for field, rates in (
            (made.success_rate, host.monitor.external),
            (made.local_origin_success_rate, host.monitor.local),
        ):
            if rates.rate >= 0:
                field.SetInParent()
                field.value = rates.rate
    for kind, names in (("COUNTER", _COUNTERS), ("GAUGE", _GAUGES)):
        for name in names:
            made.stats.add(type=kind, name=name, value=hostStat(host, name))
    return made


_HEALTH = {
    FAILED_ACTIVE_HC: "failed_active_health_check",
    FAILED_OUTLIER_CHECK: "failed_outlier_check",
    DEGRADED_ACTIVE_HC: "failed_active_degraded_check",
    PENDING_DYNAMIC_REMOVAL: "pending_dynamic_removal",
    PENDING_ACTIVE_HC: "pending_active_hc",
    EXCLUDED_VIA_IMMEDIATE_HC_FAIL: "excluded_via_immediate_hc_fail",
    ACTIVE_HC_TIMEOUT: "active_hc_timeout",
}
_CONFIGURED = {
    FAILED_EDS_HEALTH: "UNHEALTHY",
    DEGRADED_EDS_HEALTH: "DEGRADED",
    EDS_STATUS_DRAINING: "DRAINING",
}


def _healthStatus(made: Untyped, flags: int) -> None:
    """The envoy.admin.v3.HostHealthStatus of a host's flags."""
    for flag, name in _HEALTH.items():
        if flags & flag:
            setattr(made, name, True)
    made.eds_health_status = healthStatus(flags)


def healthStatus(flags: int) -> str:
    """What the config says of the host, as a config.core.v3.HealthStatus."""
    given = [name for flag, name in _CONFIGURED.items() if flags & flag]
    return given[0] if given else "HEALTHY"


def localityOf(kit: MessageKit, host: ShownHost) -> Untyped:
    """The config.core.v3.Locality of a host."""
    return kit.new(
        "envoy.config.core.v3.Locality",
        **{name: getattr(host.locality, name) for name in ("region", "zone", "sub_zone")},
    )
