"""
What the results of checks make of one host. Sans-IO.

    host        result                       next
    unhealthy   success, the first result    healthy
    unhealthy   successes, healthy_threshold of them in a row: healthy
    healthy     failure of what the host says, unless it is retriable: unhealthy
    healthy     failures, unhealthy_threshold of them in a row: unhealthy

Hosts begin unhealthy.

Envoy: HealthCheckerImplBase::ActiveHealthCheckSession
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted_envoy.upstream.health.flags import (
    ACTIVE_HC_TIMEOUT,
    DEGRADED_ACTIVE_HC,
    EXCLUDED_VIA_IMMEDIATE_HC_FAIL,
    FAILED_ACTIVE_HC,
    PENDING_ACTIVE_HC,
)
from twisted_envoy.upstream.health.settings import Failure, HealthCheckSettings, Transition

if TYPE_CHECKING:
    from twisted_envoy.upstream.health.events import HealthEvents
    from twisted_envoy.upstream.health.stats import HealthCheckStats
    from twisted_envoy.upstream.host import Host


class CheckedHost:
    """
    One host that is checked; its flags are changed here.

    Args:
        events: the event log.

    Attributes:
        first: no result is in yet.
    """

    __slots__ = ("_events", "_healthy", "_settings", "_stats", "_unhealthy", "first", "host")

    def __init__(
        self,
        host: Host,
        settings: HealthCheckSettings,
        stats: HealthCheckStats,
        events: HealthEvents,
    ) -> None:
        self.host = host
        self.first = True
        self._settings = settings
        self._stats = stats
        self._events = events
        self._healthy = 0
        self._unhealthy = 0
        if not host.health & FAILED_ACTIVE_HC:
            stats.healthy.value += 1

    def succeeded(self, degraded: bool = False) -> Transition:
        """A check found it well; degraded: it asks for less."""
        host = self.host
        self._unhealthy = 0
        transition = Transition.UNCHANGED
        if host.health & FAILED_ACTIVE_HC:
            self._healthy += 1
            transition = Transition.PENDING
            if self.first or self._healthy == self._settings.healthyThreshold:
                host.health &= ~(
                    FAILED_ACTIVE_HC | ACTIVE_HC_TIMEOUT | EXCLUDED_VIA_IMMEDIATE_HC_FAIL
                )
                self._stats.healthy.value += 1
                transition = Transition.CHANGED
                self._events.addHealthy(host, self.first)
        transition = self._noLongerPending(transition)
        if degraded != bool(host.health & DEGRADED_ACTIVE_HC):
            host.health ^= DEGRADED_ACTIVE_HC
            self._stats.degraded.value += 1 if degraded else -1
            (self._events.degraded if degraded else self._events.noLongerDegraded)(host)
            if transition is Transition.UNCHANGED:
                transition = Transition.CHANGED
        if self._settings.alwaysLogSuccess:
            self._events.succeeded(host)
        self._stats.success.value += 1
        self.first = False
        return transition

    def failed(self, failure: Failure, retriable: bool = False, status: int = 0) -> Transition:
        """
        A check found it ill, or a response said so.

        Args:
            retriable: it takes more than one. status: of the answer, 0 for none.
        """
        host, stats = self.host, self._stats
        self._healthy = 0
        transition = Transition.UNCHANGED
        if not host.health & FAILED_ACTIVE_HC:
            atOnce = not (failure.isNetwork or retriable)
            if not atOnce:
                self._unhealthy += 1
            transition = Transition.PENDING
            if atOnce or self._unhealthy == self._settings.unhealthyThreshold:
                host.health |= FAILED_ACTIVE_HC
                stats.healthy.value -= 1
                transition = Transition.CHANGED
                self._events.ejectUnhealthy(host, failure, status)
        if failure is Failure.NETWORK_TIMEOUT:
            if host.health & FAILED_ACTIVE_HC:
                host.health |= ACTIVE_HC_TIMEOUT
        else:
            host.health &= ~ACTIVE_HC_TIMEOUT
        transition = self._noLongerPending(transition)
        if self.first or self._settings.alwaysLogFailures:
            self._events.failed(host, failure, self.first, status)
        stats.failure.value += 1
        if failure.isNetwork:
            stats.network_failure.value += 1
        elif failure is Failure.PASSIVE:
            stats.passive_failure.value += 1
        self.first = False
        return transition

    def _noLongerPending(self, transition: Transition) -> Transition:
        if not self.host.health & PENDING_ACTIVE_HC:
            return transition
        self.host.health &= ~PENDING_ACTIVE_HC
        return Transition.CHANGED

    def removed(self) -> None:
        """It is checked no more."""
        if not self.host.health & FAILED_ACTIVE_HC:
            self._stats.healthy.value -= 1
        if self.host.health & DEGRADED_ACTIVE_HC:
            self._stats.degraded.value -= 1
