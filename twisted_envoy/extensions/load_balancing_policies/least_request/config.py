"""The factory of least_request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.load_balancing_policies.least_request.balancer import (
    LeastRequest,
    LeastRequestSettings,
)
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.interfaces.upstream import IHost, ILoadBalancerMaker

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_CHOICES = 2


@implementer(IExtensionFactory)
class LeastRequestFactory:
    """Builds the maker of LeastRequest balancers."""

    typeURL = "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest"
    category = "load_balancing_policies"
    descriptors = b""

    def build(self, config: View, context: Any) -> ILoadBalancerMaker:
        deprecated = config.enable_full_scan
        settings = LeastRequestSettings(
            config.choice_count or _CHOICES,
            config.selection_method == "FULL_SCAN" if deprecated is None else deprecated,
            _bias(config.active_request_bias, context),
        )
        return _maker(settings, context)

    def buildFromCluster(self, cluster: View, context: Any) -> ILoadBalancerMaker:
        """The same for a Cluster with `lb_policy: LEAST_REQUEST` (`least_request_lb_config`)."""
        config = cluster.least_request_lb_config
        settings = LeastRequestSettings()
        if config is not None:
            settings = LeastRequestSettings(
                config.choice_count or _CHOICES, bias=_bias(config.active_request_bias, context)
            )
        return _maker(settings, context)


def _bias(config: View | None, context: Any) -> float:
    """Envoy takes 1 for what is below 0."""
    if config is None:
        return 1.0
    bias: float = config.default_value
    key: str = config.runtime_key
    if key:
        bias = context.runtime.percent(key, bias)
    return bias if bias >= 0 else 1.0


def _maker(settings: LeastRequestSettings, context: Any) -> ILoadBalancerMaker:
    source = context.random

    @implementer(ILoadBalancerMaker)
    def make(hosts: Sequence[IHost]) -> LeastRequest:
        return LeastRequest(hosts, settings, source)

    return make  # type: ignore[no-any-return]
