"""
`config.route.v3.VirtualHost.matcher`: a matcher tree that leads to routes.

What it leads to is a route or a list of them, which have matches of their own; when none of these
matches there is no route.

Envoy: RouteMatchAction in source/common/router/config_impl.cc
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.entry import RouteEntry
from twisted_envoy.http.routes.route import buildRoute
from twisted_envoy.http.routes.routes import Routes
from twisted_envoy.network.matching.actions import openAction
from twisted_envoy.network.matching.inputs import HTTP
from twisted_envoy.network.matching.tree import Limits, buildMatcher
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo

if TYPE_CHECKING:
    from twisted_envoy.http.routes.virtual_host import Building

_ROUTE = "envoy.config.route.v3.Route"
_LIST = "envoy.config.route.v3.RouteList"
_LIMITS = Limits(
    frozenset(
        (
            "envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
            "envoy.extensions.matching.common_inputs.network.v3.FilterStateInput",
            "envoy.extensions.matching.common_inputs.environment_variable.v3.Config",
        )
    ),
    "requirement violation while creating route match tree: INVALID_ARGUMENT: ",
    "Route table can only match on request headers, saw {}",
)


class RouteTree:
    """
    The routes of a virtual host that has a matcher.

    Args:
        find: gives the routes that the tree leads to; None for none.
    """

    __slots__ = ("_find",)

    def __init__(self, find: Callable[[StreamInfo], Routes | None]) -> None:
        self._find = find

    def match(self, headers: HeaderMap, info: RequestInfo, randomValue: int) -> RouteEntry | None:
        """The entry for a request, whose headers info has too; or None."""
        routes = self._find(info)
        return None if routes is None else routes.match(headers, info, randomValue)


def buildRoutes(views: Iterable[Any], building: Building) -> Routes:
    """Read a list of routes."""
    routes = Routes(building.ignoresPathParameters)
    for order, view in enumerate(views):
        entry, path = buildRoute(view, building, order)
        routes.add(entry, path)
    routes.finish()
    return routes


def buildRouteTree(view: Any, building: Building) -> RouteTree:
    """
    Read the matcher of a VirtualHost; its clusters need not exist, as in Envoy.

    Raises:
        ConfigError: in Envoy's words.
    """
    if view.has("routes"):
        raise view.error("cannot set both matcher and routes on virtual host", "matcher")
    building.validateClusters = False

    def readAction(config: Any) -> Routes:
        action = openAction(config, _ROUTE, _LIST)
        return buildRoutes(action.routes if action.typeName == _LIST else (action,), building)

    return RouteTree(buildMatcher(view.matcher, building.context, HTTP, readAction, _LIMITS))
