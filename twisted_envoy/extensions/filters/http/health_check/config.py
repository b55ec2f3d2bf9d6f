"""The health_check filter's factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.http.health_check.filter import (
    AnswerCache,
    HealthCheck,
    HealthCheckSettings,
)
from twisted_envoy.extensions.filters.http.health_check.stats import HealthCheckStats
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.http import IHTTPFilterFactory
from twisted_envoy.network.matchers import buildHeaderMatch

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IHTTPFilterFactory)
class HealthCheckFactory:
    """Builds the maker of HealthCheck filters; they have no configs of routes."""

    typeURL = "envoy.extensions.filters.http.health_check.v3.HealthCheck"
    routeTypeURL = ""
    category = "filters.http"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        passThrough: bool = config.pass_through_mode
        cacheTime: float = config.cache_time or 0.0
        if cacheTime and not passThrough:
            raise config.error(
                "cache_time_ms must not be set when path_through_mode is disabled", "cache_time"
            )
        percentages = config.cluster_min_healthy_percentages
        settings = HealthCheckSettings(
            passThrough,
            tuple(buildHeaderMatch(view) for view in config.headers),
            AnswerCache(cacheTime, context.reactor.seconds) if cacheTime else None,
            {name: int(view.value) for name, view in percentages.items()},
            context.clusters.get,
            context.drain,
            context.node.cluster.encode(),
            HealthCheckStats(context.scope.scope("health_check.")),
        )
        return partial(HealthCheck, settings)

    def buildRoute(self, config: View, context: Any) -> object:
        raise config.error(
            "The filter doesn't support virtual host or route specific configurations"
        )
