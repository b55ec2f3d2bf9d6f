"""The factory of the router."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import time
from typing import TYPE_CHECKING, Any, cast

from zope.interface import implementer

from twisted_envoy.access_log.logger import buildAccessLogs
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.filters.http.router.choice import MAINTENANCE
from twisted_envoy.extensions.filters.http.router.filter import Router
from twisted_envoy.extensions.filters.http.router.settings import RouterSettings
from twisted_envoy.extensions.filters.http.router.stats import CodeStats, RouterStats
from twisted_envoy.http.edge.local_address import localAddress
from twisted_envoy.interfaces.http import IHTTPFilterFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_HIDES = "envoy.reloadable_features.hide_transport_failure_reason_in_response_body"


@implementer(IHTTPFilterFactory)
class RouterFactory:
    """Builds the maker of Routers."""

    typeURL = "envoy.extensions.filters.http.router.v3.Router"
    category = "filters.http"
    descriptors = b""
    terminal = True
    routeTypeURL = ""

    def build(self, config: View, context: Any) -> Callable[[], Router]:
        dynamic = config.dynamic_stats
        config.moot("start_child_span", "there is no tracing")
        logs = buildAccessLogs(config.upstream_log, context)
        options = config.upstream_log_options
        runtime = context.runtime
        settings = RouterSettings(
            stats=RouterStats(context.scope),
            codes=cast(
                CodeStats, context.singleton("router.codes", lambda: CodeStats(context.stats))
            ),
            clusters=context.clusters,
            runtime=runtime,
            random=context.random,
            reactor=context.reactor,
            seconds=context.reactor.seconds,
            wallClock=time,
            hidesReason=lambda: bool(runtime.boolean(_HIDES, True)),
            nextID=context.nextID,
            ownAddress=localAddress().encode(),
            copyStats=RouterStats(context.stats.scope("http.async-client.")),
            zone=context.node.zone,
            dynamicStats=dynamic is not False,
            suppressesHeaders=config.suppress_envoy_headers,
            strictHeaders=tuple(name.encode() for name in config.strict_check_headers),
            respectsExpected=config.respect_expected_rq_timeout,
            rejectsEarlyData=bool(config.reject_connect_request_early_data),
            logs=logs,
            logsOnStart=options is not None and options.flush_upstream_log_on_upstream_stream,
            logInterval=0.0 if options is None else options.upstream_log_flush_interval or 0.0,
        )
        for name in context.clusters.names():
            runtime.percent(MAINTENANCE + name, 0.0)  # asked for, with each request
        runtime.percent("upstream.use_retry", 100.0)
        runtime.integer("upstream.base_retry_backoff_ms")
        runtime.boolean(_HIDES, True)
        return partial(Router, settings)

    def buildRoute(self, config: View, context: Any) -> object:
        """
        The router has no typed_per_filter_config.

        Raises:
            ConfigError: always.
        """
        problem: ConfigError = config.error(
            "The filter envoy.filters.http.router doesn't support virtual host or route specific "
            "configurations"
        )
        raise problem
