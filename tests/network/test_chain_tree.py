"""filter_chain_matcher; its errors are real Envoy's."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import Context, viewOfYAML
from tests.network.matching.support import (
    MATCHER,
    action,
    connectionInput,
    header,
    mapOf,
    named,
    requestOf,
)
from twisted_envoy.errors import ConfigError, UnsupportedExtension
from twisted_envoy.network.chain_tree import FilterChainTree, buildChainMatcher, chainsByName
from twisted_envoy.network.filter_chain import FilterChain

A, B, DEFAULT = (FilterChain(name, None, ()) for name in ("a", "b", ""))


def viewOf(matcher: dict[str, Any]) -> Any:
    return viewOfYAML(json.dumps(matcher), MATCHER)


def chainView(**fields: Any) -> Any:
    return viewOfYAML(json.dumps(fields), "envoy.config.listener.v3.FilterChain")


class FindTests(SynchronousTestCase):
    def find(self, value: str, default: FilterChain | None = None) -> FilterChain | None:
        """The chain of a connection to 10.0.0.2 whose address leads to a name."""
        entries = {value: action("a"), "10.0.0.3": action("b")}
        tree = {"input": connectionInput("DestinationIPInput"), "exact_match_map": {"map": entries}}
        match = buildChainMatcher(viewOf({"matcher_tree": tree}), Context())
        return FilterChainTree(match, {"a": A, "b": B}, default).find(requestOf())

    def test_byName(self) -> None:
        """The chain that the matcher names."""
        self.assertIs(self.find("10.0.0.2"), A)

    def test_default(self) -> None:
        """When the matcher leads nowhere, if there is a default chain."""
        self.assertIs(self.find("x", DEFAULT), DEFAULT)
        self.assertIsNone(self.find("x"))

    def test_unknownName(self) -> None:
        """No chain at all, not even the default one."""
        match = buildChainMatcher(viewOf({"on_no_match": action("other")}), Context())
        self.assertIsNone(FilterChainTree(match, {"a": A}, DEFAULT).find(requestOf()))


class BuildTests(SynchronousTestCase):
    def problem(self, matcher: dict[str, Any]) -> str:
        with self.assertRaises(ConfigError) as caught:
            buildChainMatcher(viewOf(matcher), Context())
        return caught.exception.problem

    def test_errors(self) -> None:
        """In Envoy's words."""
        self.assertEqual(
            self.problem(mapOf("exact", header("a"), x=action("a"))),
            "cannot create a filter chain matcher: Didn't find a registered implementation for "
            "'header' with type URL: 'envoy.type.matcher.v3.HttpRequestHeaderMatchInput'",
        )
        self.assertEqual(
            self.problem({"on_no_match": {"action": named("n", "google.protobuf.Empty")}}),
            "cannot create a filter chain matcher: Didn't find a registered implementation for "
            "'n' with type URL: 'google.protobuf.Empty'",
        )

    def test_unsupported(self) -> None:
        """What only twisted_envoy does not know is said as such."""
        custom = named(
            "m",
            "envoy.extensions.matching.input_matchers.dynamic_modules.v3.DynamicModuleMatcher",
            dynamic_module_config={"name": "m"},
        )
        one = {"input": connectionInput("SourceIPInput"), "custom_match": custom}
        matcher = {"predicate": {"single_predicate": one}, "on_match": action("a")}
        with self.assertRaises(UnsupportedExtension):
            buildChainMatcher(viewOf({"matcher_list": {"matchers": [matcher]}}), Context())


class ByNameTests(SynchronousTestCase):
    def test_names(self) -> None:
        """Each has to have one of its own."""
        found = chainsByName([(chainView(name="a"), A), (chainView(name="b"), B)], "W: ")
        self.assertEqual(found, {"a": A, "b": B})
        with self.assertRaises(ConfigError) as caught:
            chainsByName([(chainView(), DEFAULT)], "W: ")
        self.assertEqual(
            caught.exception.problem, 'W: "name" field is required when using a listener matcher'
        )
        with self.assertRaises(ConfigError) as caught:
            chainsByName([(chainView(name="a"), A)] * 2, "W: ")
        self.assertEqual(caught.exception.problem, "W: \"name\" field is duplicated with value 'a'")

    def test_filterChainMatch(self) -> None:
        """Is ignored, and that is said."""
        view = chainView(name="a", filter_chain_match={"destination_port": 1})
        chainsByName([(view, A)], "W: ")
        (warning,) = view._record.source.warnings
        self.assertEqual(warning.problem, "filter chain match in chain 'a' is ignored")
