"""The cors filter's factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.http.cors.filter import Cors, CorsStats
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.routes.cors import CorsPolicy, buildCors
from twisted_envoy.interfaces.http import IHTTPFilterFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IHTTPFilterFactory)
class CorsFactory:
    """Builds the maker of Cors filters; everything else is said by routes."""

    typeURL = "envoy.extensions.filters.http.cors.v3.Cors"
    routeTypeURL = "envoy.extensions.filters.http.cors.v3.CorsPolicy"
    category = "filters.http"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        return partial(Cors, CorsStats(context.scope.scope("cors")))

    def buildRoute(self, config: View, context: Any) -> CorsPolicy:
        return buildCors(config, context)
