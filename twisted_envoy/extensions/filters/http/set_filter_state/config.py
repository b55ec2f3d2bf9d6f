"""The set_filter_state filter's factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.filter_state.values import compileValues
from twisted_envoy.extensions.filters.http.set_filter_state.filter import SetFilterState, Values
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.http import IHTTPFilterFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IHTTPFilterFactory)
class SetFilterStateFactory:
    """Builds the maker of SetFilterState filters."""

    typeURL = "envoy.extensions.filters.http.set_filter_state.v3.Config"
    routeTypeURL = typeURL
    category = "filters.http"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        values = compileValues(config.on_request_headers, context)
        return partial(SetFilterState, values, config.clear_route_cache, context.reactor.seconds)

    def buildRoute(self, config: View, context: Any) -> Values:
        """Set after the filter's own."""
        config.moot("clear_route_cache", "Envoy looks at the filter's own alone")
        return compileValues(config.on_request_headers, context)
