"""The header_to_metadata filter's factory."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.header_to_metadata.test_rules import rule
from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.filters.http.header_to_metadata import factories
from twisted_envoy.extensions.filters.http.header_to_metadata.filter import HeaderToMetadata
from twisted_envoy.interfaces.http import IHTTPFilterFactory

_REWRITE = {"pattern": {"regex": "a"}, "substitution": "b"}


class FactoryTests(SynchronousTestCase):
    def test_everyFieldIsRead(self) -> None:
        """Of rules for requests and responses."""
        (factory,) = factories
        self.assertTrue(IHTTPFilterFactory.providedBy(factory))
        both = rule(
            {"metadata_namespace": "n", "regex_value_rewrite": _REWRITE, "type": "NUMBER"},
            {"value": "v", "regex_value_rewrite": _REWRITE, "encode": "BASE64"},
            remove=True,
        )
        rules = [both, rule({"value": "v"}, cookie="c")]
        config = configOf(
            factory.typeURL, {"request_rules": rules, "response_rules": rules, "stat_prefix": "p"}
        )
        context = Context()
        self.assertIsInstance(factory.build(config, context)(), HeaderToMetadata)
        self.assertEqual(unreadFields(config), [])
        self.assertEqual(len(context.stats.counters), 9)

    def test_noStats(self) -> None:
        """Without a prefix there are none."""
        (factory,) = factories
        context = Context()
        factory.build(configOf(factory.typeURL, {"request_rules": [rule({})]}), context)
        self.assertEqual(context.stats.counters, {})

    def check(self, expected: str, *, route: bool = False, **fields: Any) -> None:
        (factory,) = factories
        build = factory.buildRoute if route else factory.build
        config = configOf(factory.typeURL, fields)
        error = self.assertRaises(ConfigError, build, config, Context())
        self.assertEqual(error.problem, expected)

    def test_errors(self) -> None:
        """Envoy's words."""
        neither = (
            "header to metadata filter: rule for {} has neither `on_header_present` nor "
            "`on_header_missing` set"
        )
        for wrong, expected in (
            (
                {"header": "x", **rule({}, cookie="c")},
                "Cannot specify both header and cookie in the same rule",
            ),
            (rule({}, header=""), "One of Cookie or Header option needs to be specified"),
            (rule(), neither.format("header 'X'")),
            (rule(cookie="c"), neither.format("cookie 'c'")),
            (
                rule({"value": "v", "regex_value_rewrite": _REWRITE}),
                "Cannot specify both value and regex_value_rewrite",
            ),
            (rule({}, cookie="c", remove=True), "Cannot specify remove for cookie"),
            (rule(None, {}), "Cannot specify on_header_missing rule with an empty value"),
        ):
            self.check(expected, request_rules=[wrong])
            self.check(expected, response_rules=[wrong])

    def test_emptyRoute(self) -> None:
        """A route's config says something."""
        (factory,) = factories
        factory.build(configOf(factory.typeURL), Context())
        self.check(
            "header_to_metadata_filter: Per filter configs must at least specify either request "
            "or response rules",
            route=True,
            stat_prefix="p",
        )
