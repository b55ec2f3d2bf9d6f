"""
Ejects hosts of a cluster whose requests end badly, and takes them back.

At once after so many bad results in a row; at the end of each interval for a success rate that is
far below the others', or for too high a share of failures. The ejection lasts longer each time.

Envoy: DetectorImpl in source/common/upstream/outlier_detection_impl.cc
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from random import Random
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall

from twisted_envoy.upstream.health.flags import FAILED_ACTIVE_HC, FAILED_OUTLIER_CHECK
from twisted_envoy.upstream.outlier.kinds import Kind
from twisted_envoy.upstream.outlier.monitor import HostMonitor
from twisted_envoy.upstream.outlier.settings import OutlierSettings

if TYPE_CHECKING:
    from twisted_envoy.upstream.cluster import Cluster
    from twisted_envoy.upstream.host import Host
    from twisted_envoy.upstream.outlier.events import OutlierEvents
    from twisted_envoy.upstream.outlier.stats import OutlierStats

_UNKNOWN = (-1.0, -1.0)


class OutlierDetector:
    """
    One cluster's.

    Args:
        reactor: IReactorTime. random: for what is enforced sometimes, and jitter.

    Attributes:
        external, local: average success rate of the cluster and the one below which hosts are
            ejected, percent; -1 as long as nothing can be said.
    """

    def __init__(
        self,
        settings: OutlierSettings,
        stats: OutlierStats,
        events: OutlierEvents,
        reactor: Any,
        random: Random,
    ) -> None:
        self.external = self.local = _UNKNOWN
        self._settings = settings
        self._stats = stats
        self._events = events
        self._reactor = reactor
        self._random = random
        self._cluster: Cluster | None = None
        self._hosts: dict[HostMonitor, Host] = {}
        self._timer: IDelayedCall | None = None

    def start(self, cluster: Cluster) -> None:
        """Begin."""
        self._cluster = cluster
        self.hostsChanged(cluster.hosts, ())
        self._arm()

    def stop(self) -> None:
        """Judge no more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self._cluster = None

    def hostsChanged(self, added: Iterable[Host], removed: Iterable[Host]) -> None:
        """Judge these, and those no more; before `start` nothing happens."""
        if self._cluster is None:
            return
        for host in removed:
            monitor, host.monitor = host.monitor, None
            if monitor is not None and self._hosts.pop(monitor, None) is not None:
                if host.health & FAILED_OUTLIER_CHECK:
                    self._stats.ejections_active.value -= 1
        for host in added:
            if host.monitor is None:
                host.monitor = monitor = HostMonitor(self._settings, self._tooMany)
                self._hosts[monitor] = host

    def hostIsHealthy(self, host: Host) -> None:
        """A health check says so, which may end an ejection."""
        if (
            self._settings.unejects
            and host.monitor is not None
            and host.health & FAILED_OUTLIER_CHECK
            and not host.health & FAILED_ACTIVE_HC
        ):
            self._uneject(host, host.monitor)

    # In a row.

    def _tooMany(self, monitor: HostMonitor, kind: Kind) -> None:
        host = self._hosts.get(monitor)
        if host is None or host.health & FAILED_OUTLIER_CHECK:
            return
        if kind is Kind.CONSECUTIVE_5XX:
            self._stats.ejections_consecutive_5xx.value += 1
        self._detect(host, monitor, kind)
        monitor.detectedOnce(kind)

    def _detect(self, host: Host, monitor: HostMonitor, kind: Kind) -> None:
        stats, settings = self._stats, self._settings
        getattr(stats, kind.detected).value += 1
        active = stats.ejections_active.value
        share = 100.0 * (active + 1) / len(self._hosts)
        if share > min(100, settings.of("max_ejection_percent")) and (
            active or not settings.alwaysOne
        ):
            stats.ejections_overflow.value += 1
            return
        if kind in (Kind.CONSECUTIVE_5XX, Kind.SUCCESS_RATE):
            stats.ejections_total.value += 1
        enforced = self._random.random() * 100 < settings.of(kind.setting)
        if enforced:
            stats.ejections_active.value += 1
            stats.ejections_enforced_total.value += 1
            getattr(stats, kind.enforced).value += 1
            self._eject(host, monitor)
        isLocal = kind.name.endswith("LOCAL_ORIGIN")
        rate = (monitor.local if isLocal else monitor.external).rate
        average = self.local if isLocal else self.external
        self._events.ejected(host, monitor, kind, enforced, rate, average)

    def _eject(self, host: Host, monitor: HostMonitor) -> None:
        settings = self._settings
        host.health |= FAILED_OUTLIER_CHECK
        monitor.eject(self._reactor.seconds())
        monitor.jitter = self._random.random() * settings.of("max_ejection_time_jitter_ms") / 1000
        base, most = settings.of("base_ejection_time_ms"), settings.of("max_ejection_time_ms")
        if monitor.backoff * base < most + base:
            monitor.backoff += 1
        if self._cluster is not None:
            self._cluster.hostJudged(host)

    def _uneject(self, host: Host, monitor: HostMonitor) -> None:
        self._stats.ejections_active.value -= 1
        host.health &= ~FAILED_OUTLIER_CHECK
        monitor.uneject(self._reactor.seconds())
        if self._cluster is not None:
            self._cluster.hostJudged(host)
        self._events.unejected(host, monitor)

    # By interval.

    def _arm(self) -> None:
        delay = max(self._settings.of("interval_ms"), 1) / 1000
        self._timer = self._reactor.callLater(delay, self._interval)

    def _interval(self) -> None:
        for monitor, host in list(self._hosts.items()):
            self._mayReturn(host, monitor)
            monitor.external.turn()
            monitor.local.turn()
        self.external = self._judge(False)
        self.local = self._judge(True)
        self._arm()

    def _mayReturn(self, host: Host, monitor: HostMonitor) -> None:
        if not host.health & FAILED_OUTLIER_CHECK or monitor.ejectedAt is None:
            if monitor.backoff:
                monitor.backoff -= 1
            return
        settings = self._settings
        most = settings.of("max_ejection_time_ms")
        lasts = min(settings.of("base_ejection_time_ms") * monitor.backoff, most) / 1000
        if lasts + monitor.jitter <= self._reactor.seconds() - monitor.ejectedAt:
            self._uneject(host, monitor)

    def _judge(self, isLocal: bool) -> tuple[float, float]:
        """Look at the last interval; the cluster's average and threshold."""
        of = self._settings.of
        rateHosts, rateVolume = of("success_rate_minimum_hosts"), of("success_rate_request_volume")
        hosts, volume = (
            of("failure_percentage_minimum_hosts"),
            of("failure_percentage_request_volume"),
        )
        if len(self._hosts) < min(rateHosts, hosts):
            return _UNKNOWN
        byRate: list[tuple[HostMonitor, float]] = []
        byShare: list[tuple[HostMonitor, float]] = []
        for monitor, host in self._hosts.items():
            rates = monitor.local if isLocal else monitor.external
            last = None if host.health & FAILED_OUTLIER_CHECK else rates.last()
            if last is None:
                continue
            rate, count = last
            if count >= min(rateVolume, volume):
                rates.rate = rate
            if count >= rateVolume:
                byRate.append((monitor, rate))
            if count >= volume:
                byShare.append((monitor, rate))
        average = _UNKNOWN
        if byRate and len(byRate) >= rateHosts:
            average = threshold(
                [rate for _, rate in byRate], of("success_rate_stdev_factor") / 1000
            )
            if isLocal:
                self.local = average
            else:
                self.external = average
            self._ejectRates(byRate, average[1], isLocal)
        if byShare and len(byShare) >= hosts:
            self._ejectShares(byShare, of("failure_percentage_threshold"), isLocal)
        return average

    def _ejectRates(
        self, rates: list[tuple[HostMonitor, float]], least: float, isLocal: bool
    ) -> None:
        kind = Kind.SUCCESS_RATE_LOCAL_ORIGIN if isLocal else Kind.SUCCESS_RATE
        for monitor, rate in rates:
            if rate < least:
                self._stats.ejections_success_rate.value += 1
                self._detect(self._hosts[monitor], monitor, kind)

    def _ejectShares(
        self, rates: list[tuple[HostMonitor, float]], most: int, isLocal: bool
    ) -> None:
        kind = Kind.FAILURE_PERCENTAGE_LOCAL_ORIGIN if isLocal else Kind.FAILURE_PERCENTAGE
        for monitor, rate in rates:
            if 100.0 - rate >= most:
                self._detect(self._hosts[monitor], monitor, kind)


def threshold(rates: list[float], factor: float) -> tuple[float, float]:
    """
    The average of rates, and what is far below it.

    Args:
        factor: standard deviations.
    """
    mean = sum(rates) / len(rates)
    variance = sum((rate - mean) ** 2 for rate in rates) / len(rates)
    return mean, mean - factor * math.sqrt(variance)
