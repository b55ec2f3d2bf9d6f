"""The factory of the HTTP RBAC filter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.rbac.engine import buildEngine
from twisted_envoy.extensions.common.rbac.stats import RBACStats
from twisted_envoy.extensions.filters.http.rbac.filter import RBAC, Policies
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.http import IHTTPFilterFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IHTTPFilterFactory)
class RBACFactory:
    """Builds the maker of RBAC filters; what routes have is counted under the filter's names."""

    typeURL = "envoy.extensions.filters.http.rbac.v3.RBAC"
    routeTypeURL = "envoy.extensions.filters.http.rbac.v3.RBACPerRoute"
    category = "filters.http"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        policies = _policies(config, context)
        scope = context.stats.scope(f"{context.scope.prefix}rbac.")
        stats = RBACStats(scope, policies.prefix, policies.shadowPrefix)
        return partial(RBAC, policies, stats)

    def buildRoute(self, config: View, context: Any) -> Policies:
        """Takes the place of the filter's own; without `rbac` nothing is decided."""
        return Policies() if config.rbac is None else _policies(config.rbac, context)


def _policies(config: View, context: Any) -> Policies:
    return Policies(
        buildEngine(config, context, False, True),
        buildEngine(config, context, True, True),
        config.rules_stat_prefix,
        config.shadow_rules_stat_prefix,
        config.track_per_rule_stats,
    )
