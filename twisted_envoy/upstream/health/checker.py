"""
Checks the hosts of one cluster, again and again.

    waiting     the interval is over     checking: the probe begins, the timeout runs
    checking    succeeded, failed        waiting, as long as the settings say
    checking    the timeout is over      the probe is given up: a failure of the network; waiting

Envoy: source/common/upstream/health_checker_impl.cc, source/extensions/health_checkers/common
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from twisted_envoy.upstream.health.flags import EXCLUDED_VIA_IMMEDIATE_HC_FAIL
from twisted_envoy.upstream.health.settings import Failure, HealthCheckSettings, Transition
from twisted_envoy.upstream.health.state import CheckedHost

if TYPE_CHECKING:
    from twisted_envoy.upstream.cluster import Cluster
    from twisted_envoy.upstream.health.events import HealthEvents
    from twisted_envoy.upstream.health.stats import HealthCheckStats
    from twisted_envoy.upstream.host import Host

_log = Logger("hc")


class Report(Protocol):
    """What a probe tells; only the first word of a check counts."""

    def succeeded(self, degraded: bool = False) -> None: ...

    def failed(self, failure: Failure, retriable: bool = False, status: int = 0) -> None: ...

    def excludes(self) -> None:
        """The host does not want to be counted, either; said before `failed`."""

    def lost(self) -> None:
        """The host has closed a connection, during a check or between two."""


class Probe(Protocol):
    """Asks one host."""

    def check(self) -> None:
        """Begin a check; the one before has ended."""

    def giveUp(self) -> None:
        """End a check whose time is over, or the last one; nothing is reported."""


class Session:
    """
    One host that is checked.

    Args:
        makeProbe: of the host and the report, which is this session.
    """

    def __init__(
        self,
        checker: HealthChecker,
        checked: CheckedHost,
        makeProbe: Callable[[Host, Report], Probe],
    ) -> None:
        self.checked = checked
        self._checker = checker
        self._timer: IDelayedCall | None = None
        self._timeout: IDelayedCall | None = None
        self._probe = makeProbe(checked.host, self)
        self._stopped = False

    def start(self) -> None:
        """Begin with the first check."""
        jitter = self._checker.settings.initialJitter
        if jitter:
            self._wait(jitter * self._checker.random.random())
        else:
            self._begin()

    def stop(self) -> None:
        """Check no more."""
        self._stopped = True
        for call in (self._timer, self._timeout):
            if call is not None:
                call.cancel()
        self._timer = self._timeout = None
        self._probe.giveUp()

    def _wait(self, delay: float) -> None:
        self._timer = self._checker.reactor.callLater(delay, self._begin)

    def _begin(self) -> None:
        checker = self._checker
        self._timer = None
        self._timeout = checker.reactor.callLater(checker.settings.timeout, self._timedOut)
        checker.stats.attempt.value += 1
        try:
            self._probe.check()
        except Exception:
            _log.failure("a health check raised")
            self.failed(Failure.NETWORK)

    def _timedOut(self) -> None:
        self._probe.giveUp()
        timeout, self._timeout = self._timeout, None
        if timeout is not None:
            self._ended(False, self.checked.failed(Failure.NETWORK_TIMEOUT))

    # Report.

    def succeeded(self, degraded: bool = False) -> None:
        if self._stopTimeout():
            self._ended(True, self.checked.succeeded(degraded))

    def failed(self, failure: Failure, retriable: bool = False, status: int = 0) -> None:
        if self._stopTimeout():
            self._ended(False, self.checked.failed(failure, retriable, status))

    def excludes(self) -> None:
        self.checked.host.health |= EXCLUDED_VIA_IMMEDIATE_HC_FAIL

    def lost(self) -> None:
        if not self._stopTimeout():
            if self._timer is None:
                return
            self._timer.cancel()
        self._ended(False, self.checked.failed(Failure.NETWORK))

    def saidUnhealthy(self) -> None:
        """A response to somebody's request said that the host is about to go."""
        if not self._stopped:
            self.excludes()
            self.checked.failed(Failure.PASSIVE)
            self._checker.changed(self.checked.host, False)

    def _stopTimeout(self) -> bool:
        timeout, self._timeout = self._timeout, None
        if timeout is not None:
            timeout.cancel()
        return timeout is not None

    def _ended(self, healthy: bool, transition: Transition) -> None:
        checker = self._checker
        delay = checker.settings.delay(healthy, transition, checker.hasTraffic(), checker.random)
        self._wait(delay)
        checker.changed(self.checked.host, healthy)


class HealthChecker:
    """
    All sessions of one cluster.

    Args:
        makeProbe: see Session.
        reactor: IReactorTime. random: for jitter.
    """

    def __init__(
        self,
        settings: HealthCheckSettings,
        makeProbe: Callable[[Host, Report], Probe],
        stats: HealthCheckStats,
        events: HealthEvents,
        reactor: Any,
        random: Random,
    ) -> None:
        self.settings = settings
        self.stats = stats
        self.reactor = reactor
        self.random = random
        self._makeProbe = makeProbe
        self._events = events
        self._cluster: Cluster | None = None
        self._sessions: dict[Host, Session] = {}
        self._starting: IDelayedCall | None = None
        self._ready: Callable[[], None] | None = None

    def hasTraffic(self) -> bool:
        """Has the cluster ever had a connection?"""
        return self._cluster is not None and bool(self._cluster.stats.upstream_cx_total.value)

    def start(self, cluster: Cluster, ready: Callable[[], None]) -> None:
        """
        Begin when the reactor runs: what it does before must not eat up the first timeout.

        Args:
            ready: called once, when each host that there is then has had its first result.
        """
        self._starting = self.reactor.callLater(0, self._begin, cluster, ready)

    def _begin(self, cluster: Cluster, ready: Callable[[], None]) -> None:
        self._starting = None
        self._cluster = cluster
        self._ready = ready
        self.hostsChanged(cluster.hosts, ())
        self._lookReady()

    def stop(self) -> None:
        """Check no more."""
        self._ready = None
        self._cluster = None
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.cancel()
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            session.stop()

    def hostsChanged(self, added: Iterable[Host], removed: Iterable[Host]) -> None:
        """Check these, and those no more; before `start` nothing happens."""
        if self._cluster is None:
            return
        for host in removed:
            session = self._sessions.pop(host, None)
            if session is not None:
                session.stop()
                session.checked.removed()
                host.passiveHealth = None
        new = []
        for host in added:
            if not (host.settings.healthCheck.disabled or host in self._sessions):
                checked = CheckedHost(host, self.settings, self.stats, self._events)
                session = self._sessions[host] = Session(self, checked, self._makeProbe)
                host.passiveHealth = session.saidUnhealthy
                new.append(session)
        for session in new:
            session.start()
        self._lookReady()

    def changed(self, host: Host, healthy: bool) -> None:
        """A host has a result."""
        if self._cluster is not None:
            self._cluster.hostChecked(host, healthy)
            self._lookReady()

    def _lookReady(self) -> None:
        ready = self._ready
        if ready is not None and not any(one.checked.first for one in self._sessions.values()):
            self._ready = None
            ready()
