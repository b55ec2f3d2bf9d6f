"""Tests for twisted_envoy.http.routes.filter_configs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import Context, match, problem, routes, tableOf
from twisted_envoy.config.extensions import Extensions
from twisted_envoy.http.routes.entry import RouteEntry

BUFFER = "envoy.extensions.filters.http.buffer.v3"
FILTER_CONFIG = "'@type': type.googleapis.com/envoy.config.route.v3.FilterConfig"
ROUTE = "match: {prefix: /}, route: {cluster: a}"


def build(config: Any, context: object) -> object:
    return config.disabled or config.buffer.max_request_bytes


FACTORY = SimpleNamespace(
    typeURL=f"{BUFFER}.Buffer",
    routeTypeURL=f"{BUFFER}.BufferPerRoute",
    category="filters.http",
    buildRoute=build,
)
NO_ROUTES = SimpleNamespace(
    typeURL="envoy.extensions.filters.http.router.v3.Router", category="filters.http"
)


def context() -> Context:
    made = Context()
    made.extensions = Extensions(extra=(FACTORY, NO_ROUTES))
    return made


def perRoute(limit: int) -> str:
    return (
        f"{{'@type': type.googleapis.com/{BUFFER}.BufferPerRoute, "
        f"buffer: {{max_request_bytes: {limit}}}}}"
    )


def configs(name: str, config: str) -> str:
    return f"typed_per_filter_config: {{{name}: {config}}}"


class FilterConfigTests(SynchronousTestCase):
    def entry(self, route: str = "", host: str = "", config: str = "") -> RouteEntry:
        more = f", {route}" if route else ""
        yaml = routes(f"{{{ROUTE}{more}}}", host=host, config=config)
        found = match(tableOf(yaml, context()))
        assert found is not None
        return found

    def test_levels(self) -> None:
        """typed_per_filter_config of all levels, the least specific first."""
        entry = self.entry(
            configs("f", perRoute(3)), configs("f", perRoute(2)), configs("f", perRoute(1))
        )
        self.assertEqual(entry.routeConfigs, {"f": (1, 2, 3)})
        self.assertEqual(self.entry(host=configs("g", perRoute(2))).routeConfigs, {"g": (2,)})
        self.assertEqual(self.entry().routeConfigs, {})

    def test_weighted(self) -> None:
        """A cluster of weighted_clusters is the most specific level."""
        own = f"{{name: a, weight: 1, {configs('f', perRoute(4))}}}"
        yaml = routes(
            f"{{match: {{prefix: /}}, route: {{weighted_clusters: {{clusters: [{own}]}}}}, "
            f"{configs('f', perRoute(3))}}}"
        )
        entry = match(tableOf(yaml, context()))
        assert entry is not None
        self.assertEqual(entry.routeConfigs, {"f": (3, 4)})

    def test_filterConfig(self) -> None:
        """FilterConfig says whether the filter is disabled; a config says that it is not."""
        off = configs("f", f"{{{FILTER_CONFIG}, disabled: true}}")
        self.assertEqual(self.entry(off).filterDisabled, {"f": True})
        inside = configs("f", f"{{{FILTER_CONFIG}, config: {perRoute(5)}}}")
        entry = self.entry(inside, off)
        self.assertEqual((entry.filterDisabled, entry.routeConfigs), ({"f": False}, {"f": (5,)}))

    def test_optional(self) -> None:
        """is_optional: one that nobody knows is left out."""
        unknown = "{'@type': type.googleapis.com/google.protobuf.Struct, value: {a: 1}}"
        text = configs("f", f"{{{FILTER_CONFIG}, is_optional: true, config: {unknown}}}")
        self.assertEqual(self.entry(text).routeConfigs, {})

    def test_errors(self) -> None:
        """In Envoy's words."""
        for config, expected in (
            (
                "{'@type': type.googleapis.com/google.protobuf.Struct}",
                "Didn't find a registered implementation for 'f' with type URL: "
                "'google.protobuf.Struct'",
            ),
            (
                f"{{{FILTER_CONFIG}}}",
                "Empty route/virtual host per filter configuration for f filter",
            ),
            (
                f"{{'@type': type.googleapis.com/{BUFFER}.Buffer, max_request_bytes: 1}}",
                f"Unable to unpack as {BUFFER}.BufferPerRoute",
            ),
            (
                f"{{'@type': type.googleapis.com/{NO_ROUTES.typeURL}}}",
                "The filter f doesn't support virtual host or route specific configurations",
            ),
        ):
            yaml = routes(f"{{{ROUTE}, {configs('f', config)}}}")
            self.assertEqual(problem(yaml, context()), expected)
