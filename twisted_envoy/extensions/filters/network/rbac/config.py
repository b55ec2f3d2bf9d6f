"""The factory of the network RBAC filter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.rbac.engine import buildEngine
from twisted_envoy.extensions.common.rbac.stats import RBACStats
from twisted_envoy.extensions.filters.network.rbac.filter import RBAC, Settings
from twisted_envoy.interfaces.network import INetworkFilterFactory
from twisted_envoy.network.link import Link

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(INetworkFilterFactory)
class RBACFactory:
    """Builds the maker of RBAC links."""

    typeURL = "envoy.extensions.filters.network.rbac.v3.RBAC"
    category = "filters.network"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], Link]:
        prefix = config.stat_prefix
        scope = context.stats.scope(f"{prefix}rbac." if prefix.endswith(".") else f"{prefix}.rbac.")
        shadowPrefix = config.shadow_rules_stat_prefix
        settings = Settings(
            buildEngine(config, context, False, False),
            buildEngine(config, context, True, False),
            RBACStats(scope, "", shadowPrefix),
            shadowPrefix,
            config.enforcement_type == "CONTINUOUS",
            config.delay_deny or 0.0,
            context.reactor,
        )
        return partial(RBAC, settings)
