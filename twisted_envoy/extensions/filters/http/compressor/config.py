"""The compressor filter's factory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from zope.interface import implementer

from twisted_envoy.extensions.filters.http.compressor.filter import Compressor, ResponseCompressor
from twisted_envoy.extensions.filters.http.compressor.settings import (
    AcceptStats,
    Direction,
    DirectionStats,
    RouteSettings,
    Settings,
)
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.compression import CompressorLibrary
from twisted_envoy.interfaces.http import IHTTPFilterFactory
from twisted_envoy.network.feature_flag import buildFlag
from twisted_envoy.network.matchers import buildBytesMatch
from twisted_envoy.stats.scope import Scope

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_CATEGORY = "compression.compressor"
_LEAST = 30
_TYPES = (
    "text/html text/plain text/css application/javascript application/x-javascript "
    "text/javascript text/x-javascript text/ecmascript text/js text/jscript text/x-js "
    "application/ecmascript application/x-json application/xml application/json image/svg+xml "
    "text/xml application/xhtml+xml application/grpc-web application/grpc-web+proto"
).split()
_OLD_FIELDS = (
    *("content_length", "content_type", "disable_on_etag_header"),
    *("remove_accept_encoding_header", "runtime_enabled"),
)


@implementer(IHTTPFilterFactory)
class CompressorFactory:
    """Builds the maker of Compressor filters."""

    typeURL = "envoy.extensions.filters.http.compressor.v3.Compressor"
    routeTypeURL = "envoy.extensions.filters.http.compressor.v3.CompressorPerRoute"
    category = "filters.http"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        library = _library(config.compressor_library, context)
        name: str = config.compressor_library.name
        scope = context.scope.scope(f"compressor.{name}.{library.statPrefix}")
        kind = ResponseCompressor if config.request_direction_config is None else Compressor
        return partial(kind, _settings(config, library, scope, context))

    def buildRoute(self, config: View, context: Any) -> RouteSettings:
        if config.which("override") == "disabled":
            config.disabled  # noqa: B018  it can only be true
            return RouteSettings(compressesResponses=False)
        overrides = config.overrides
        response = overrides.response_direction_config
        view = overrides.compressor_library
        return RouteSettings(
            None if response is None else True,
            None if response is None else response.remove_accept_encoding_header,
            None if view is None else _library(view, context),
        )


def _library(view: View, context: Any) -> CompressorLibrary:
    return cast(CompressorLibrary, context.build(view, _CATEGORY))


def _settings(config: View, library: CompressorLibrary, scope: Scope, context: Any) -> Settings:
    runtime = context.runtime
    view = config.request_direction_config
    stats = DirectionStats(scope.scope("request"))
    request = None if view is None else _direction(view.common_config, stats, runtime)
    view = config.response_direction_config
    if view is None:
        return Settings(
            library,
            request,
            stats,
            _oldDirection(config, DirectionStats(scope), runtime),
            AcceptStats(scope),
            config.choose_first,
            config.remove_accept_encoding_header,
            config.disable_on_etag_header,
        )
    for field in _OLD_FIELDS:
        config.moot(field, "response_direction_config stands in its place")
    refuses: bool = view.disable_on_etag_header
    weakens: bool = view.weaken_etag_on_compress
    return Settings(
        library,
        request,
        stats,
        _direction(view.common_config, DirectionStats(scope.scope("response")), runtime),
        AcceptStats(scope),
        config.choose_first,
        view.remove_accept_encoding_header,
        refuses and not weakens,
        weakens,
        frozenset(b"%d" % code for code in view.uncompressible_response_codes),
        view.status_header_enabled,
    )


def _direction(view: View | None, stats: DirectionStats, runtime: Any) -> Direction:
    if view is None:
        return Direction(lambda: True, _LEAST, _byName(_TYPES), stats)
    matchers = [buildBytesMatch(one) for one in view.content_type_matcher]
    if matchers:
        view.moot("content_type", "content_type_matcher stands in its place")
        return Direction(
            buildFlag(view.enabled, runtime),
            view.min_content_length or _LEAST,
            lambda kind: any(match(kind) for match in matchers),
            stats,
        )
    return Direction(
        buildFlag(view.enabled, runtime),
        view.min_content_length or _LEAST,
        _byName(view.content_type or _TYPES),
        stats,
    )


def _oldDirection(config: View, stats: DirectionStats, runtime: Any) -> Direction:
    """By the fields that Envoy has deprecated."""
    return Direction(
        buildFlag(config.runtime_enabled, runtime),
        config.content_length or _LEAST,
        _byName(config.content_type or _TYPES),
        stats,
    )


def _byName(types: Sequence[str]) -> Callable[[bytes], bool]:
    known = frozenset(one.lower().encode() for one in types)
    return lambda kind: kind.lower() in known
