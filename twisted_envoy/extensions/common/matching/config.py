"""The factory of HTTP filters with a matcher."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from zope.interface import implementer

from twisted_envoy.extensions.common.matching.filter import SKIP, MatchedFilter
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.http import IHTTPFilterFactory
from twisted_envoy.network.matching.actions import openAction
from twisted_envoy.network.matching.inputs import HTTP
from twisted_envoy.network.matching.tree import Limits, TreeBuilder

_SKIP = "envoy.extensions.filters.common.matcher.action.v3.SkipFilter"
_LIMITS = Limits(None, "requirement violation while creating match tree: INVALID_ARGUMENT: ")


@implementer(IHTTPFilterFactory)
class ExtensionWithMatcherFactory:
    """
    Builds the maker of filters that may be skipped.

    The configs that routes have for such a filter are those of the filter inside.
    """

    typeURL = "envoy.extensions.common.matching.v3.ExtensionWithMatcher"
    routeTypeURL = ""
    category = "filters.http"
    descriptors = b""
    terminal = False

    def build(self, config: Any, context: Any) -> Callable[[], HTTPFilter]:
        factory, inner = context.extensions.open(config.extension_config, "filters.http")
        config.extension_config.moot("name", "the message says what it is")
        if factory.terminal:
            raise config.error(
                "a terminal filter with a matcher is not implemented by twisted_envoy",
                "extension_config",
            )
        make: Callable[[], HTTPFilter] = factory.build(inner, context)
        if config.xds_matcher is None:
            return make
        step = TreeBuilder(context, HTTP, _readAction, _LIMITS).matcher(config.xds_matcher)
        return partial(MatchedFilter, make, step)

    def buildRoute(self, config: Any, context: Any) -> object:
        """There is none; see routeTypeURL."""
        raise NotImplementedError


def _readAction(view: Any) -> object:
    openAction(view, _SKIP)
    return SKIP
