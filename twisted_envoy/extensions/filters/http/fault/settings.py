"""
What a fault config says.

Envoy: extensions.filters.http.fault.v3.HTTPFault
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.network.fraction import readPercent
from twisted_envoy.network.matchers import HeaderMatch, buildHeaderMatch
from twisted_envoy.values import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """
    How many of all requests; a header may ask for fewer.

    Attributes:
        runtimeKey: stands over it.
        header: whose number takes the numerator's place when it is smaller; b"" for none.
    """

    numerator: int
    denominator: int
    runtimeKey: str
    header: bytes = b""

    def of(self, headers: HeaderMap) -> int:
        """The numerator for a request."""
        found = headers.get(self.header) if self.header else None
        if found is None or not found.isdigit():
            return self.numerator
        return min(self.numerator, int(found))


@dataclass(frozen=True, slots=True)
class Delay:
    """seconds: None for what the request's header says."""

    share: Share
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Abort:
    """Both None for what the request's headers say."""

    share: Share
    httpStatus: int | None
    grpcStatus: int | None
    body: bytes


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Of responses; kilobytes (1024) a second, None for what the request's header says."""

    share: Share
    kilobytes: int | None


@dataclass(frozen=True, slots=True)
class FaultSettings:
    """
    One config.

    Attributes:
        upstreamCluster: "" for any. headers: all of them have to match.
        nodes: x-envoy-downstream-service-node has to be one of them; none for any.
        most: faults at a time, None for any number.
        *Key: of the runtime.
        clusterStats: counts by x-envoy-downstream-service-cluster, too.
        metadata: goes into the dynamic metadata of requests with a fault.
    """

    delay: Delay | None
    abort: Abort | None
    rateLimit: RateLimit | None
    upstreamCluster: str
    headers: tuple[HeaderMatch, ...]
    nodes: frozenset[bytes]
    most: int | None
    delayKey: str
    httpStatusKey: str
    grpcStatusKey: str
    mostKey: str
    clusterStats: bool
    metadata: dict[str, Any]

    def runtimeKeys(self) -> list[str]:
        """All that may be asked for."""
        keys = [self.mostKey]
        if self.delay is not None:
            keys += self.delayKey, self.delay.share.runtimeKey
        if self.abort is not None:
            keys += self.httpStatusKey, self.grpcStatusKey, self.abort.share.runtimeKey
        if self.rateLimit is not None:
            keys.append(self.rateLimit.share.runtimeKey)
        return keys


def readSettings(config: Any) -> FaultSettings:
    """Read an HTTPFault."""
    return FaultSettings(
        _delay(config),
        _abort(config),
        _rateLimit(config),
        config.upstream_cluster,
        tuple(buildHeaderMatch(view) for view in config.headers),
        frozenset(name.encode() for name in config.downstream_nodes),
        config.max_active_faults,
        config.delay_duration_runtime or "fault.http.delay.fixed_duration_ms",
        config.abort_http_status_runtime or "fault.http.abort.http_status",
        config.abort_grpc_status_runtime or "fault.http.abort.grpc_status",
        config.max_active_faults_runtime or "fault.http.max_active_faults",
        not config.disable_downstream_cluster_stats,
        config.filter_metadata or {},
    )


def _share(view: Any, key: str, header: bytes) -> Share:
    return Share(*readPercent(view), key, header)


def _delay(config: Any) -> Delay | None:
    key = config.delay_percent_runtime or "fault.http.delay.fixed_delay_percent"
    view = config.delay
    if view is None:
        return None
    fixed = view.which("fault_delay_secifier") == "fixed_delay"
    if not fixed:
        view.header_delay  # noqa: B018  read: it has no fields
    header = b"" if fixed else b"x-envoy-fault-delay-request-percentage"
    return Delay(_share(view.percentage, key, header), view.fixed_delay if fixed else None)


def _abort(config: Any) -> Abort | None:
    key = config.abort_percent_runtime or "fault.http.abort.abort_percent"
    view = config.abort
    if view is None:
        return None
    kind = view.which("error_type")
    if kind == "header_abort":
        view.header_abort  # noqa: B018  read: it has no fields
    header = b"x-envoy-fault-abort-request-percentage" if kind == "header_abort" else b""
    return Abort(
        _share(view.percentage, key, header),
        view.http_status if kind == "http_status" else None,
        view.grpc_status if kind == "grpc_status" else None,
        view.response_body.encode() or b"fault filter abort",
    )


def _rateLimit(config: Any) -> RateLimit | None:
    key = config.response_rate_limit_percent_runtime or "fault.http.rate_limit.response_percent"
    view = config.response_rate_limit
    if view is None:
        return None
    fixed = view.which("limit_type") == "fixed_limit"
    if not fixed:
        view.header_limit  # noqa: B018  read: it has no fields
    header = b"" if fixed else b"x-envoy-fault-throughput-response-percentage"
    share = _share(view.percentage, key, header)
    return RateLimit(share, view.fixed_limit.limit_kbps if fixed else None)
