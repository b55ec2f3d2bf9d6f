"""Filters with a matcher: the factory; its errors are real Envoy's."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import Context, viewOfYAML
from tests.network.matching.support import header, mapOf, named
from twisted_envoy.config.unread import unread
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.matching import factories
from twisted_envoy.extensions.common.matching.filter import MatchedFilter
from twisted_envoy.extensions.filters.http.buffer.filter import Buffer
from twisted_envoy.interfaces.http import IHTTPFilterFactory

SKIP = {"action": named("s", "envoy.extensions.filters.common.matcher.action.v3.SkipFilter")}
BUFFER = named("b", "envoy.extensions.filters.http.buffer.v3.Buffer", max_request_bytes=1)


class FactoryTests(SynchronousTestCase):
    def build(self, matcher: Any = None, inner: Any = BUFFER) -> Any:
        (factory,) = factories
        fields = {"extension_config": inner}
        if matcher is not None:
            fields["xds_matcher"] = matcher
        view = viewOfYAML(json.dumps(fields), factory.typeURL)
        made = factory.build(view, Context())
        self.assertEqual([field.path for field in unread(view)], [])
        return made()

    def problem(self, *args: Any) -> str:
        with self.assertRaises(ConfigError) as caught:
            self.build(*args)
        return caught.exception.problem

    def test_filters(self) -> None:
        """Without a matcher it is the filter itself."""
        self.assertTrue(IHTTPFilterFactory.providedBy(factories[0]))
        self.assertIsInstance(self.build(mapOf("exact", header("x"), a=SKIP)), MatchedFilter)
        self.assertIsInstance(self.build({}), MatchedFilter)
        self.assertIsInstance(self.build(), Buffer)

    def test_errors(self) -> None:
        """What cannot be done."""
        where = "requirement violation while creating match tree: INVALID_ARGUMENT: "
        self.assertEqual(
            self.problem({"on_no_match": {**SKIP, "keep_matching": True}}),
            f"{where}keep_matching is not supported in this context",
        )
        unknown = (
            "Didn't find a registered implementation for 'a' with type URL: 'google.protobuf.Empty'"
        )
        empty = named("a", "google.protobuf.Empty")
        self.assertEqual(self.problem({"on_no_match": {"action": empty}}), unknown)
        self.assertEqual(self.problem({}, empty), unknown)
        router = named("r", "envoy.extensions.filters.http.router.v3.Router")
        self.assertEqual(
            self.problem({}, router),
            "a terminal filter with a matcher is not implemented by twisted_envoy",
        )

    def test_routes(self) -> None:
        """It has no config of its own for routes."""
        self.assertRaises(NotImplementedError, factories[0].buildRoute, None, None)
