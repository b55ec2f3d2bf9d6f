"""
Clusters whose hosts are found by name: STRICT_DNS, LOGICAL_DNS and the `dns` cluster type.

Each configured endpoint is a target of its own: it is looked up, its hosts become those of the
answer, and after a while it is looked up again. When nobody answers, the hosts stay.

    answer                STRICT_DNS                   LOGICAL_DNS
    addresses             each one is a host           the first one is the host
    none                  no hosts                     a failure
    failure               hosts stay, back-off         host stays, back-off

Follows `extensions.clusters.dns.v3.DnsCluster` and Envoy's source/extensions/clusters/dns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import Any, cast

from twisted.internet.address import HostnameAddress, IPv4Address, IPv6Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from zope.interface import implementer

from twisted_envoy.interfaces.upstream import ICluster, IDiscovery, IHostResolver, ResolveFailed
from twisted_envoy.network.timers import Backoff
from twisted_envoy.upstream.host import HostSettings
from twisted_envoy.values import dataclass

_log = Logger("upstream")

IPAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class LookupFamily:
    """
    What is asked for, in order.

    Attributes:
        kinds: of addresses.
        every: ask for all kinds; else the first that there are some of is enough.
    """

    kinds: tuple[type[IPAddress], ...]
    every: bool = False


FAMILIES = {
    "UNSPECIFIED": LookupFamily((IPv6Address, IPv4Address)),
    "AUTO": LookupFamily((IPv6Address, IPv4Address)),
    "V4_ONLY": LookupFamily((IPv4Address,)),
    "V6_ONLY": LookupFamily((IPv6Address,)),
    "V4_PREFERRED": LookupFamily((IPv4Address, IPv6Address)),
    "ALL": LookupFamily((IPv4Address, IPv6Address), every=True),
}
"""By `dns_lookup_family`."""


@dataclass(frozen=True, slots=True)
class DNSSettings:
    """
    What the config says; all times are seconds.

    Attributes:
        logical: all addresses are one host.
        refreshRate: between two lookups.
        jitter: at most so much is added to it.
        failureBase, failureMost: bounds of the back-off after a failure; None for refreshRate.
        waitForWarm: start-up waits for the first answer.
    """

    logical: bool = False
    family: LookupFamily = FAMILIES["AUTO"]
    refreshRate: float = 5.0
    jitter: float = 0.0
    failureBase: float | None = None
    failureMost: float | None = None
    waitForWarm: bool = True


async def lookUp(resolver: IHostResolver, name: str, family: LookupFamily) -> list[IPAddress]:
    """
    The addresses of a name (port 0), as the family wants them.

    Raises:
        ResolveFailed: one question was not answered, and no other one found any.
    """
    found: list[IPAddress] = []
    problem: ResolveFailed | None = None
    for kind in family.kinds:
        try:
            hosts: Sequence[str] = await resolver.resolve(name, kind)
        except ResolveFailed as failed:
            problem = failed
            continue
        found += [kind("TCP", host, 0) for host in hosts]
        if found and not family.every:
            break
    if problem is not None and not found:
        raise problem
    return found


class DNSTarget:
    """
    One endpoint of the config and the hosts that it stands for. Sans-IO.

    Args:
        endpoint: what its hosts have in common; its address is a HostnameAddress, with an empty
            name for what has none (a pipe, an internal listener).
        logical: one host whatever the number of addresses.

    Attributes:
        hosts: what the last answer said.
    """

    __slots__ = ("_endpoint", "_logical", "_port", "hosts", "name")

    def __init__(self, endpoint: HostSettings, logical: bool) -> None:
        address = cast(HostnameAddress, endpoint.address)
        self.name = address.hostname.decode()
        self._port = address.port
        self._logical = logical
        self._endpoint = replace(endpoint, hostname=endpoint.hostname or self.name)
        self.hosts: tuple[HostSettings, ...] = ()

    def accepts(self, addresses: Sequence[IPAddress]) -> bool:
        """Whether that is an answer; if not, it is a failure."""
        return bool(addresses) or not self._logical

    def answered(self, addresses: Iterable[IPAddress]) -> None:
        """The hosts are now at these addresses."""
        once = list(dict.fromkeys(addresses))
        self.hosts = tuple(
            replace(self._endpoint, address=type(one)("TCP", one.host, self._port))
            for one in (once[:1] if self._logical else once)
        )


class _FixedDelay:
    """A back-off that never changes."""

    def __init__(self, delay: float) -> None:
        self._delay = delay

    def next(self) -> float:
        return self._delay

    def reset(self) -> None:
        """It was never longer."""


@implementer(IDiscovery)
class DNSDiscovery:
    """
    Looks all names of one cluster up, again and again.

    Args:
        settings: the config's.
        endpoints: the config's, see DNSTarget.
        resolver: IHostResolver.
        reactor: IReactorTime.
        random: for the jitter and the back-off.
    """

    def __init__(
        self,
        settings: DNSSettings,
        endpoints: Iterable[HostSettings],
        resolver: Any,
        reactor: Any,
        random: Random,
    ) -> None:
        self._settings = settings
        self._targets = [DNSTarget(endpoint, settings.logical) for endpoint in endpoints]
        self._resolver = resolver
        self._reactor = reactor
        self._random = random
        self._ready: Callable[[], None] | None = None
        self._asking: set[Deferred[Any]] = set()
        self._waiting: dict[DNSTarget, IDelayedCall] = {}
        self._stopped = False
        self._backoff: Backoff | _FixedDelay = _FixedDelay(settings.refreshRate)
        if settings.failureBase is not None:
            most = settings.failureMost or settings.failureBase * 10
            self._backoff = Backoff(random, settings.failureBase, most)

    def start(self, cluster: ICluster, ready: Callable[[], None]) -> None:
        self._cluster: Any = cluster
        self._ready = ready
        for target in self._targets:
            self._ask(target)
        if not (self._targets and self._settings.waitForWarm):
            self._isReady()

    def stop(self) -> None:
        self._stopped = True
        self._ready = None
        for call in self._waiting.values():
            call.cancel()
        self._waiting.clear()
        for asking in list(self._asking):
            asking.cancel()

    def _isReady(self) -> None:
        ready, self._ready = self._ready, None
        if ready is not None:
            ready()

    def _ask(self, target: DNSTarget) -> None:
        self._waiting.pop(target, None)
        asking = Deferred.fromCoroutine(self._askOnce(target))
        self._asking.add(asking)
        asking.addBoth(lambda _: self._asking.discard(asking))

    async def _askOnce(self, target: DNSTarget) -> None:
        stats = self._cluster.stats
        stats.update_attempt.value += 1
        try:
            addresses = await lookUp(self._resolver, target.name, self._settings.family)
            delay = self._answered(target, addresses)
        except CancelledError:
            return
        except Exception as problem:
            if not isinstance(problem, ResolveFailed):
                _log.failure("looking up {name} failed", name=target.name)
            stats.update_failure.value += 1
            delay = self._backoff.next()
        if not self._stopped:
            self._waiting[target] = self._reactor.callLater(delay, self._ask, target)
            self._isReady()

    def _answered(self, target: DNSTarget, addresses: list[IPAddress]) -> float:
        """
        Take the answer.

        Returns:
            Seconds until it is asked again.
        Raises:
            ResolveFailed: it is none.
        """
        if not target.accepts(addresses):
            raise ResolveFailed("no address")
        stats = self._cluster.stats
        stats.update_success.value += 1
        target.answered(addresses)
        if not self._settings.logical:  # Envoy's is that of the last name, too
            weights = [host.weight for host in target.hosts]
            stats.max_host_weight.value = max(weights, default=1)
        hosts = [host for one in self._targets for host in one.hosts]
        if not self._cluster.replaceHosts(hosts):
            stats.update_no_rebuild.value += 1
        self._backoff.reset()
        return self._settings.refreshRate + self._random.random() * self._settings.jitter
