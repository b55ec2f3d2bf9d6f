"""The factory of connection_limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.network.connection_limit.filter import (
    ConnectionLimit,
    Limit,
    Unlimited,
)
from twisted_envoy.interfaces.network import INetworkFilterFactory
from twisted_envoy.network.feature_flag import buildFlag
from twisted_envoy.network.link import Link

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(INetworkFilterFactory)
class ConnectionLimitFactory:
    """Builds the maker of ConnectionLimit links; each config counts for itself."""

    typeURL = "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit"
    category = "filters.network"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], Link]:
        scope = context.stats.scope(f"connection_limit.{config.stat_prefix}.")
        most = config.max_connections
        if most is None:
            raise config.error(
                f"Field 'max_connections' is missing in: stat_prefix: \"{config.stat_prefix}\""
            )
        limit = Limit(
            most,
            config.delay or 0.0,
            context.reactor,
            scope.gauge("active_connections"),
            scope.counter("limited_connections"),
        )
        enabled = buildFlag(config.runtime_enabled, context.runtime)
        return lambda: ConnectionLimit(limit) if enabled() else Unlimited()
