"""The factory of subset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.balancer_list import buildFirst
from twisted_envoy.extensions.load_balancing_policies.subset.balancer import (
    Selector,
    SubsetBalancer,
    SubsetSettings,
    SubsetStats,
)
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.interfaces.upstream import IHost, ILoadBalancerMaker

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class SubsetFactory:
    """Builds the maker of SubsetBalancers."""

    typeURL = "envoy.extensions.load_balancing_policies.subset.v3.Subset"
    category = "load_balancing_policies"
    descriptors = b""

    def build(self, config: View, context: Any) -> ILoadBalancerMaker:
        """
        Read a Subset.

        Raises:
            ConfigError: of its own fields, or of the policy within subsets.
        """
        maker = buildFirst(config.subset_lb_policy, "subset lb", context)
        return _maker(_settings(config, config.allow_redundant_keys), maker, context)

    def buildFromCluster(
        self, cluster: View, maker: ILoadBalancerMaker, context: Any
    ) -> ILoadBalancerMaker:
        """
        The same from a Cluster's `lb_subset_config`.

        Args:
            maker: of its lb_policy.
        Returns:
            That one when there are no selectors: then there are no subsets either.
        """
        config = cluster.lb_subset_config
        if not config.subset_selectors:
            config.take()
            return maker
        return _maker(_settings(config, False), maker, context)


def _settings(config: View, redundantKeys: bool) -> SubsetSettings:
    message: Any = config.message
    for field in ("locality_weight_aware", "scale_locality_weight"):
        if not getattr(message, field):
            config.moot(field, "the default")
    return SubsetSettings(
        selectors=tuple(map(_selector, config.subset_selectors)),
        fallback=config.fallback_policy,
        default=config.default_subset,
        listAsAny=config.list_as_any,
        panicAny=config.panic_mode_any,
        fallbackList=config.metadata_fallback_policy == "FALLBACK_LIST",
        redundantKeys=redundantKeys,
    )


def _selector(view: View) -> Selector:
    keys = tuple(sorted(set(view.keys)))
    fallback = view.fallback_policy
    fallbackKeys = frozenset(view.fallback_keys_subset)
    problem = ""
    if fallback != "KEYS_SUBSET":
        if fallbackKeys:
            problem = "fallback_keys_subset can be set only for KEYS_SUBSET fallback_policy"
    elif not fallbackKeys:
        problem = "fallback_keys_subset cannot be empty"
    elif not fallbackKeys <= set(keys):
        problem = "fallback_keys_subset must be a subset of selector keys"
    elif len(fallbackKeys) == len(keys):
        problem = "fallback_keys_subset cannot be equal to keys"
    if problem:
        raise view.error(problem, "fallback_keys_subset")
    return Selector(keys, fallback, fallbackKeys, view.single_host_per_subset)


def _maker(settings: SubsetSettings, inner: ILoadBalancerMaker, context: Any) -> ILoadBalancerMaker:
    stats = SubsetStats(context.scope)

    @implementer(ILoadBalancerMaker)
    def make(hosts: Sequence[IHost]) -> SubsetBalancer:
        return SubsetBalancer(hosts, settings, inner, stats)

    make.looksAtHealth = True
    return make  # type: ignore[no-any-return]
