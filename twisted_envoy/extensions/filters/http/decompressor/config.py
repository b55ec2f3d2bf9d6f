"""The decompressor filter's factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from zope.interface import implementer

from twisted_envoy.extensions.filters.http.decompressor.filter import (
    Decompressor,
    Direction,
    DirectionStats,
    Settings,
)
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.compression import DecompressorLibrary
from twisted_envoy.interfaces.http import IHTTPFilterFactory
from twisted_envoy.network.feature_flag import buildFlag

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IHTTPFilterFactory)
class DecompressorFactory:
    """Builds the maker of Decompressor filters."""

    typeURL = "envoy.extensions.filters.http.decompressor.v3.Decompressor"
    routeTypeURL = ""
    category = "filters.http"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        view = config.decompressor_library
        library = cast(DecompressorLibrary, context.build(view, "compression.decompressor"))
        name: str = view.name
        scope = context.scope.scope(f"decompressor.{name}.{library.statPrefix}")
        problems = scope.scope("decompressor_library")
        request = config.request_direction_config
        advertises = None if request is None else request.advertise_accept_encoding
        settings = Settings(
            library,
            _direction(request, DirectionStats(scope.scope("request")), context.runtime),
            _direction(
                config.response_direction_config,
                DirectionStats(scope.scope("response")),
                context.runtime,
            ),
            {problem: problems.counter(problem) for problem in library.problems},
            b"x-envoy-decompressor-" + name.lower().encode(),
            advertises is not False,
        )
        return partial(Decompressor, settings)

    def buildRoute(self, config: View, context: Any) -> None:
        """Never asked for: there is no such config."""


def _direction(view: View | None, stats: DirectionStats, runtime: Any) -> Direction:
    common = None if view is None else view.common_config
    if common is None:
        return Direction(lambda: True, False, stats)
    return Direction(buildFlag(common.enabled, runtime), common.ignore_no_transform_header, stats)
