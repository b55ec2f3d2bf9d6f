"""The CSRF filter's factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.http.csrf.filter import CSRF, CSRFPolicy, CSRFStats
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.http import IHTTPFilterFactory
from twisted_envoy.network.fraction import buildFraction
from twisted_envoy.network.matchers import buildBytesMatch

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IHTTPFilterFactory)
class CSRFFactory:
    """Builds the maker of CSRF filters."""

    typeURL = "envoy.extensions.filters.http.csrf.v3.CsrfPolicy"
    routeTypeURL = typeURL
    category = "filters.http"
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        stats = CSRFStats(context.scope.scope("csrf."))
        return partial(CSRF, self.buildRoute(config, context), stats)

    def buildRoute(self, config: View, context: Any) -> CSRFPolicy:
        """Takes the place of the filter's own."""
        shadow = config.shadow_enabled
        return CSRFPolicy(
            buildFraction(config.filter_enabled, context.runtime),
            (lambda value: False) if shadow is None else buildFraction(shadow, context.runtime),
            tuple(map(buildBytesMatch, config.additional_origins)),
        )
