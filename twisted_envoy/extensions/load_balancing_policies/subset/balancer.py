"""
Chooses the subset of the hosts that a connection or request asks for, and lets another balancer
choose within it.

    asked for                                   who chooses
    a subset that has hosts                     that subset's balancer
    keys of a selector with a fallback          the selector's fallback
    anything else, or nothing                   the fallback_policy
    and it has nobody                           all hosts, with panic_mode_any

Envoy: source/extensions/load_balancing_policies/subset/subset_lb.cc
"""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from twisted_envoy.extensions.load_balancing_policies.subset.criteria import (
    Criteria,
    SubsetKey,
    criteriaOf,
    has,
    keysOf,
    subsetKey,
)
from twisted_envoy.interfaces.upstream import (
    IHost,
    ILoadBalancer,
    ILoadBalancerMaker,
    LoadBalancerContext,
)
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter, Gauge
from twisted_envoy.stats.scope import Scope
from twisted_envoy.upstream.balancing import chooseFrom
from twisted_envoy.values import dataclass

_LIST = "fallback_list"
_THREADS = 2
"""Envoy counts the subsets of its main thread and those of each worker."""


class SubsetStats:
    """The cluster's that this counts."""

    lb_healthy_panic: Counter
    lb_subsets_active: Gauge
    lb_subsets_created: Counter
    lb_subsets_fallback: Counter
    lb_subsets_fallback_panic: Counter
    lb_subsets_removed: Counter
    lb_subsets_selected: Counter
    lb_subsets_single_host_per_subset_duplicate: Gauge

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
        self.lb_subsets_single_host_per_subset_duplicate.value = 0


@dataclass(frozen=True, slots=True)
class Selector:
    """
    The keys that a kind of subset has.

    Attributes:
        keys: in alphabetical order.
        fallback: NOT_DEFINED, NO_FALLBACK, ANY_ENDPOINT, DEFAULT_SUBSET or KEYS_SUBSET.
        fallbackKeys: which of the keys KEYS_SUBSET asks for.
        singleHost: each subset has its first host only.
    """

    keys: tuple[str, ...]
    fallback: str = "NOT_DEFINED"
    fallbackKeys: frozenset[str] = frozenset()
    singleHost: bool = False


@dataclass(frozen=True, slots=True)
class SubsetSettings:
    """
    What the config says.

    Attributes:
        fallback: NO_FALLBACK, ANY_ENDPOINT or DEFAULT_SUBSET.
        default: what hosts of the default subset have.
        listAsAny: a host's list stands for any one of its values.
        panicAny: any host when the fallback has none.
        fallbackList: `fallback_list` among the criteria is a list of criteria to try in turn.
        redundantKeys: keys that no selector has do not count.
    """

    selectors: tuple[Selector, ...]
    fallback: str = "NO_FALLBACK"
    default: Criteria | None = None
    listAsAny: bool = False
    panicAny: bool = False
    fallbackList: bool = False
    redundantKeys: bool = False


@implementer(ILoadBalancer)
class SubsetBalancer:
    """
    Args:
        hosts: all of them. settings: the config's. maker: makes the balancer of each subset.
    """

    def __init__(
        self,
        hosts: Sequence[IHost],
        settings: SubsetSettings,
        maker: ILoadBalancerMaker,
        stats: SubsetStats,
    ) -> None:
        self._settings = settings
        self._maker = maker
        self._stats = stats
        self._members: dict[SubsetKey, tuple[IHost, ...]] = {}
        self._subsets: dict[SubsetKey, ILoadBalancer] = {}
        self._fallbacks = _fallbacks(settings.selectors)
        used = {settings.fallback, *(one.fallback for one in self._fallbacks.values())}
        anyone = "ANY_ENDPOINT" in used or settings.panicAny
        self._any = maker(()) if anyone else None
        self._default = maker(()) if "DEFAULT_SUBSET" in used else None
        self._fallback = {"ANY_ENDPOINT": self._any, "DEFAULT_SUBSET": self._default}.get(
            settings.fallback
        )
        self.hostsChanged(hosts)

    # Hosts.

    def hostsChanged(self, hosts: Sequence[IHost]) -> None:
        settings = self._settings
        if self._any is not None:
            self._any.hostsChanged(hosts)
        if self._default is not None:
            wanted = settings.default or {}
            self._default.hostsChanged(
                [host for host in hosts if has(host, wanted, settings.listAsAny)]
            )
        members = self._group(hosts)
        before, subsets = self._subsets, self._subsets.copy()
        for key, found in members.items():
            if key not in subsets:
                subsets[key] = self._maker(found)
            else:
                subsets[key].hostsChanged(found)
        for key in before.keys() - members.keys():
            del subsets[key]
        self._subsets = subsets
        self._members = members
        stats = self._stats
        stats.lb_subsets_created.value += _THREADS * len(members.keys() - before.keys())
        stats.lb_subsets_removed.value += _THREADS * len(before.keys() - members.keys())
        stats.lb_subsets_active.value = _THREADS * len(members)

    def _group(self, hosts: Sequence[IHost]) -> dict[SubsetKey, tuple[IHost, ...]]:
        listAsAny = self._settings.listAsAny
        groups: dict[SubsetKey, dict[IHost, None]] = {}
        single: dict[SubsetKey, bool] = {}
        duplicates = 0
        for host in hosts:
            for selector in self._settings.selectors:
                for key in keysOf(host, selector.keys, listAsAny):
                    group = groups.setdefault(key, {})
                    if single.setdefault(key, selector.singleHost) and group:
                        duplicates += 1
                    else:
                        group[host] = None
        self._stats.lb_subsets_single_host_per_subset_duplicate.value = duplicates
        return {key: tuple(group) for key, group in groups.items()}

    # Choosing.

    def choose(self, context: LoadBalancerContext) -> IHost | None:
        criteria = criteriaOf(context)
        if self._settings.fallbackList and criteria and _LIST in criteria:
            alternatives = criteria[_LIST]
            criteria = {key: value for key, value in criteria.items() if key != _LIST}
            if isinstance(alternatives, list) and alternatives:
                return self._chooseAny(context, criteria, alternatives)
        return self._chooseFor(context, criteria)

    def _chooseAny(
        self, context: LoadBalancerContext, criteria: Criteria, alternatives: list[object]
    ) -> IHost | None:
        """The first alternative, in place of some of the criteria, that has a host."""
        for alternative in alternatives:
            more = alternative if isinstance(alternative, dict) else {}
            host = self._chooseFor(context, {**criteria, **more})
            if host is not None:
                return host
        return None

    def _chooseFor(self, context: LoadBalancerContext, criteria: Criteria | None) -> IHost | None:
        if criteria:
            if self._settings.redundantKeys:
                criteria = self._needed(criteria)
            subset = self._subsets.get(subsetKey(criteria))
            if subset is not None:
                self._stats.lb_subsets_selected.value += 1
                return chooseFrom(subset, context)
            selector = self._fallbacks.get(tuple(sorted(criteria)))
            if selector is not None and selector.fallback != "NOT_DEFINED":
                return self._chooseInstead(context, criteria, selector)
        return self._fallBack(context)

    def _needed(self, criteria: Criteria) -> Criteria:
        """Those that the first selector asks for whose keys are all there."""
        for selector in self._settings.selectors:
            if criteria.keys() >= set(selector.keys):
                return {key: criteria[key] for key in selector.keys}
        return criteria

    def _chooseInstead(
        self, context: LoadBalancerContext, criteria: Criteria, selector: Selector
    ) -> IHost | None:
        """As a selector has it for values that no host has."""
        if selector.fallback == "KEYS_SUBSET":
            fewer = {key: criteria[key] for key in criteria if key in selector.fallbackKeys}
            return self._chooseFor(context, fewer)
        instead = {"ANY_ENDPOINT": self._any, "DEFAULT_SUBSET": self._default}
        balancer = instead.get(selector.fallback)
        return None if balancer is None else self._chooseIn(balancer, context)

    def _chooseIn(self, balancer: ILoadBalancer, context: LoadBalancerContext) -> IHost | None:
        """A balancer that has no hosts, though the cluster has some, is in panic."""
        host = chooseFrom(balancer, context)
        if host is None and self._members:
            self._stats.lb_healthy_panic.value += 1
        return host

    def _fallBack(self, context: LoadBalancerContext) -> IHost | None:
        if self._fallback is None:
            return None
        host = self._chooseIn(self._fallback, context)
        if host is not None:
            self._stats.lb_subsets_fallback.value += 1
        elif self._settings.panicAny and self._any is not None:
            host = chooseFrom(self._any, context)
            if host is not None:
                self._stats.lb_subsets_fallback_panic.value += 1
        return host


def _fallbacks(selectors: Sequence[Selector]) -> dict[tuple[str, ...], Selector]:
    """
    By keys, whose fallback holds: of selectors with the same keys the first one's, and none at all
    for keys that an earlier, longer selector begins with, as in Envoy.
    """
    found: dict[tuple[str, ...], Selector] = {}
    begun: set[tuple[str, ...]] = set()
    for selector in selectors:
        keys = selector.keys
        if keys not in begun:
            found[keys] = selector
        begun.update(keys[:end] for end in range(1, len(keys) + 1))
    return found
