"""
Health check: who asks is answered here, or by the upstream with its answer kept for a while.

Envoy: extensions.filters.http.health_check.v3.HealthCheck
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.health_check.stats import HealthCheckStats
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.network.matchers import HeaderMatch
from twisted_envoy.values import dataclass


class AnswerCache:
    """
    The upstream's last answer; it is forgotten at the end of each interval, however old it is.

    Args:
        interval, seconds: of the reactor's clock.
    """

    __slots__ = ("_began", "_interval", "_seconds", "_storedIn", "degraded", "status")

    def __init__(self, interval: float, seconds: Callable[[], float]) -> None:
        self._interval = interval
        self._seconds = seconds
        self._began = seconds()
        self._storedIn = -1
        self.status = 200
        self.degraded = False

    def _current(self) -> int:
        return int((self._seconds() - self._began) / self._interval)

    def store(self, status: int, degraded: bool) -> None:
        """The upstream has answered."""
        self.status = status
        self.degraded = degraded
        self._storedIn = self._current()

    def isFresh(self) -> bool:
        """Is there an answer that may be used?"""
        return self._storedIn == self._current()


@dataclass(frozen=True, slots=True)
class HealthCheckSettings:
    """
    One config.

    Attributes:
        matches: a request is a health check when all of them say so.
        percentages: cluster name -> share of 100 that has to be healthy.
        cluster: name -> upstream.Cluster or None.
        drain: knows whether this server has been made to fail (`healthy`).
        nodeCluster: what this server calls itself.
    """

    passThrough: bool
    matches: tuple[HeaderMatch, ...]
    cache: AnswerCache | None
    percentages: Mapping[str, int]
    cluster: Callable[[str], Any]
    drain: Any
    nodeCluster: bytes
    stats: HealthCheckStats


class HealthCheck(HTTPFilter):
    """Looks at one request."""

    __slots__ = ("_answers", "_asked", "_settings")

    def __init__(self, settings: HealthCheckSettings) -> None:
        self._settings = settings
        self._asked = self._answers = False

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        settings = self._settings
        for matches in settings.matches:
            if not matches(headers):
                return
        self._asked = self.stream.streamInfo.isHealthCheck = True
        cache = settings.cache
        if (
            not settings.passThrough
            or not settings.drain.healthy
            or (cache is not None and cache.isFresh())
        ):
            self._answers = True
            self.holdDecode()
            if endStream:
                self._answer()

    def decodeData(self, data: bytes, endStream: bool) -> bytes:
        if not self._answers:
            return data
        if endStream:
            self._answer()
        return b""

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        if self._answers:
            self._answer()

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        settings = self._settings
        if self._asked:
            if settings.cache is not None:
                settings.cache.store(int(headers[b":status"]), b"x-envoy-degraded" in headers)
            headers.set(b"x-envoy-upstream-healthchecked-cluster", settings.nodeCluster)
        if not settings.drain.healthy:
            headers.set(b"x-envoy-immediate-health-check-fail", b"true")

    def _answer(self) -> None:
        settings = self._settings
        info = self.stream.streamInfo
        degraded = False
        stats = settings.stats
        stats.request_total.value += 1
        if not settings.drain.healthy:
            status, details = 503, "health_check_failed"
        elif settings.cache is not None:
            status, details = settings.cache.status, "health_check_cached"
            degraded = settings.cache.degraded
            stats.cached_response.value += 1
            stats.degraded.value += degraded
        else:
            status, details = self._health()
        if 200 <= status < 300:
            stats.ok.value += 1
        else:
            stats.failed.value += 1
            info.raiseFlag("LH")
        more = ((b"x-envoy-degraded", b""),) if degraded else ()
        self.sendLocalReply(status, b"", details, more)

    def _health(self) -> tuple[int, str]:
        """What the clusters' health makes of ours."""
        counts = self._settings.stats
        details = "health_check_ok"
        for name, percentage in self._settings.percentages.items():
            details = "health_check_ok_cluster_healthy"
            cluster = self._settings.cluster(name)
            if cluster is None:
                counts.failed_cluster_not_found.value += 1
                return 503, "health_check_failed_no_cluster_found"
            stats = cluster.stats
            total = stats.membership_total.value
            if not total:
                if percentage:
                    counts.failed_cluster_empty.value += 1
                    return 503, "health_check_failed_cluster_empty"
                continue
            usable = stats.membership_healthy.value + stats.membership_degraded.value
            if 100 * usable < total * percentage:
                counts.failed_cluster_unhealthy.value += 1
                return 503, "health_check_failed_cluster_unhealthy"
        return 200, details
