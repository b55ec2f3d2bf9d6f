"""The factory of the dynamic forward proxy filter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.dynamic_forward_proxy.config import readDNSCache
from twisted_envoy.extensions.filters.http.dynamic_forward_proxy.filter import (
    DynamicForwardProxy,
    DynamicForwardProxySettings,
    HostRewrite,
)
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.http import IHTTPFilterFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_PACKAGE = "envoy.extensions.filters.http.dynamic_forward_proxy.v3"


@implementer(IHTTPFilterFactory)
class DynamicForwardProxyFactory:
    """Builds the maker of DynamicForwardProxy filters."""

    typeURL = f"{_PACKAGE}.FilterConfig"
    routeTypeURL = f"{_PACKAGE}.PerRouteConfig"
    category = "filters.http"
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        settings = DynamicForwardProxySettings(
            readDNSCache(config.dns_cache_config, context),
            config.save_upstream_address,
            config.allow_dynamic_host_from_filter_state,
            context.clusters,
        )
        return partial(DynamicForwardProxy, settings)

    def buildRoute(self, config: View, context: Any) -> HostRewrite:
        """What becomes of the host of a route's requests."""
        return HostRewrite(config.host_rewrite_literal, config.host_rewrite_header)
