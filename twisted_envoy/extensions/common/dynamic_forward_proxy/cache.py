"""
Names and their addresses, looked up when somebody wants them, and again while somebody does.

Envoy: source/extensions/common/dynamic_forward_proxy/dns_cache_impl.cc
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from twisted_envoy.extensions.common.dynamic_forward_proxy.host import Address, CachedHost
from twisted_envoy.extensions.common.dynamic_forward_proxy.names import HostPort
from twisted_envoy.interfaces.upstream import IHostResolver, ResolveFailed
from twisted_envoy.network.timers import Backoff
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope
from twisted_envoy.upstream.circuit_breaker import Resource
from twisted_envoy.upstream.discovery import LookupFamily, lookUp
from twisted_envoy.upstream.resolve import literalKind
from twisted_envoy.values import dataclass

_log = Logger("upstream")

_NO_RECORDS = "cares_norecords:Domain_name_not_found"
"""Whoever resolves, logs say it as Envoy's default resolver does."""


@dataclass(frozen=True, slots=True)
class DNSCacheSettings:
    """
    What the config says; times are seconds.

    Attributes:
        failureBase, failureMost: bounds of the back-off after a failure; None for refreshRate.
        timeout: of one look-up, 0 for none.
        preresolved: looked up at the start.
    """

    name: str
    family: LookupFamily
    refreshRate: float = 60.0
    hostTTL: float = 300.0
    maxHosts: int = 1024
    maxPending: int = 1024
    failureBase: float | None = None
    failureMost: float | None = None
    timeout: float = 5.0
    preresolved: tuple[HostPort, ...] = ()


class DNSCacheStats:
    """`dns_cache.<name>.*`"""

    cache_load: Counter
    dns_address_filter_out: Counter
    dns_query_attempt: Counter
    dns_query_failure: Counter
    dns_query_success: Counter
    dns_query_timeout: Counter
    dns_rq_pending_overflow: Counter
    host_added: Counter
    host_address_changed: Counter
    host_overflow: Counter
    host_removed: Counter
    num_hosts: Gauge

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


class _FixedDelay:
    """A back-off that never changes."""

    def __init__(self, delay: float) -> None:
        self._delay = delay

    def next(self) -> float:
        return self._delay

    def reset(self) -> None:
        """It was never longer."""


class CacheFull(Exception):
    """There are max_hosts names in it."""


class DNSCache:
    """
    One cache, with every name that is used.

    Attributes:
        pending: requests that wait for an address.
        changed: called when a host has another address, or is gone.
    """

    def __init__(
        self,
        settings: DNSCacheSettings,
        scope: Scope,
        resolver: IHostResolver,
        reactor: IReactorTime,
        random: Random,
    ) -> None:
        self.settings = settings
        self.stats = DNSCacheStats(scope)
        breakers = scope.scope("circuit_breakers.")
        self.pending = Resource(
            settings.maxPending,
            breakers.gauge("rq_pending_open"),
            breakers.gauge("rq_pending_remaining"),
        )
        self.changed: list[Callable[[], None]] = []
        self._resolver = resolver
        self._reactor = reactor
        self._random = random
        self._hosts: dict[HostPort, CachedHost] = {}
        self._stopped = False

    def start(self) -> None:
        """Look up what is known to be wanted; may be called again."""
        for key in self.settings.preresolved:
            self.ask(key)

    def stop(self) -> None:
        """Look nothing up any more."""
        self._stopped = True
        for host in self._hosts.values():
            host.stop()

    @property
    def hosts(self) -> Iterable[CachedHost]:
        """Every name, in the order in which they were wanted."""
        return self._hosts.values()

    def mayAsk(self) -> bool:
        """May one more request wait? One that may not is counted."""
        if self.pending.full:
            self.stats.dns_rq_pending_overflow.value += 1
            return False
        return True

    def find(self, key: HostPort) -> CachedHost | None:
        """A name that is there, which is used now."""
        host = self._hosts.get(key)
        if host is not None:
            host.lastUsed = self._reactor.seconds()
        return host

    def ask(self, key: HostPort) -> CachedHost:
        """
        A name that is there, or is looked up from now on; it may be resolved at once.

        Raises:
            CacheFull: there is no room for one more.
        """
        host = self.find(key)
        if host is not None:
            return host
        settings, stats = self.settings, self.stats
        if len(self._hosts) >= settings.maxHosts:
            stats.host_overflow.value += 1
            raise CacheFull()
        backoff: Any = _FixedDelay(settings.refreshRate)
        if settings.failureBase is not None:
            most = settings.failureMost or settings.failureBase * 10
            backoff = Backoff(self._random, settings.failureBase, most)
        host = self._hosts[key] = CachedHost(key, backoff)
        host.lastUsed = self._reactor.seconds()
        stats.host_added.value += 1
        stats.num_hosts.value += 1
        self._lookUp(host)
        return host

    def _lookUp(self, host: CachedHost) -> None:
        host.asking = asking = Deferred.fromCoroutine(self._askFor(host))
        if asking.called:
            host.asking = None

    async def _askFor(self, host: CachedHost) -> None:
        stats = self.stats
        stats.dns_query_attempt.value += 1
        try:
            host.failure = ""
            found = await self._addresses(host.key)
            if not found:
                host.failure = _NO_RECORDS
        except CancelledError:
            return
        except TimeoutError:
            stats.dns_query_timeout.value += 1
            host.failure = "resolve_timeout"
        except ResolveFailed as problem:
            host.failure = "cares_failure:" + "_".join(str(problem).split())
        except Exception:
            _log.failure("looking up {name} failed", name=host.key.name)
            host.failure = "cares_failure"
        host.asking = None
        if self._stopped:
            return
        if host.failure:
            stats.dns_query_failure.value += 1
            delay = host.backoff.next()
        else:
            stats.dns_query_success.value += 1
            host.backoff.reset()
            delay = self.settings.refreshRate
            self._found(host, found[0])
        host.timer = self._reactor.callLater(delay, self._refresh, host)
        if not host.isResolved:
            host.resolved()

    async def _addresses(self, key: HostPort) -> list[Address]:
        literal = literalKind(key.name)
        if literal is not None:
            return [literal("TCP", key.name, 0)] if literal in self.settings.family.kinds else []
        asking = Deferred.fromCoroutine(lookUp(self._resolver, key.name, self.settings.family))
        if self.settings.timeout and not asking.called:
            asking.addTimeout(self.settings.timeout, self._reactor)
        return await asking

    def _found(self, host: CachedHost, address: Address) -> None:
        address = type(address)("TCP", address.host, host.key.port)
        if address != host.address:
            host.address = address
            self.stats.host_address_changed.value += 1
            self._tell()

    def _refresh(self, host: CachedHost) -> None:
        host.timer = None
        if self._reactor.seconds() - host.lastUsed < self.settings.hostTTL:
            self._lookUp(host)
            return
        del self._hosts[host.key]
        self.stats.host_removed.value += 1
        self.stats.num_hosts.value -= 1
        self._tell()

    def _tell(self) -> None:
        for call in self.changed:
            call()
