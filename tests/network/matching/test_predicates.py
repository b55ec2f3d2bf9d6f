"""Predicates of matcher lists."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.network.matching.support import (
    action,
    has,
    header,
    listOf,
    named,
    requestOf,
    responseHeader,
    treeOf,
)
from twisted_envoy.errors import ConfigError

LATE = {"single_predicate": {"input": responseHeader("r"), "value_match": {"exact": "1"}}}


def answer(predicate: dict[str, Any], **headers: str) -> bool | None:
    """What a predicate says of a request; None when it cannot say yet."""
    match = treeOf(listOf((predicate, action("yes")), on_no_match=action("no")))
    found = match(requestOf(**headers))
    return None if found is None else found == "yes"


class PredicateTests(SynchronousTestCase):
    def test_values(self) -> None:
        """Every kind of StringMatcher; what is not there matches nothing."""
        for kind, good, bad in (
            ({"exact": "abc"}, "abc", "abcd"),
            ({"prefix": "ab"}, "abc", "xab"),
            ({"suffix": "bc"}, "abc", "bcd"),
            ({"contains": "b"}, "abc", "ac"),
            ({"exact": "ABC", "ignore_case": True}, "abc", "abd"),
            ({"safe_regex": {"google_re2": {}, "regex": "a.c"}}, "abc", "abcd"),
        ):
            one = {"single_predicate": {"input": header("a"), "value_match": kind}}
            self.assertIs(answer(one, a=good), True)
            self.assertIs(answer(one, a=bad), False)
            self.assertIs(answer(one), False)

    def test_together(self) -> None:
        """And, or, not."""
        both = [has("a", "1"), has("b", "1")]
        every = {"and_matcher": {"predicate": both}}
        some = {"or_matcher": {"predicate": both}}
        none = {"not_matcher": some}
        for headers in ({}, {"a": "1"}, {"b": "1"}, {"a": "1", "b": "1"}):
            self.assertIs(answer(every, **headers), len(headers) == 2)
            self.assertIs(answer(some, **headers), len(headers) > 0)
            self.assertIs(answer(none, **headers), len(headers) == 0)

    def test_notYet(self) -> None:
        """What is not there yet counts where it decides."""
        self.assertIsNone(answer({"not_matcher": LATE}))
        every = {"and_matcher": {"predicate": [has("a", "1"), LATE]}}
        self.assertIsNone(answer(every, a="1"))
        self.assertIs(answer(every), False)
        some = {"or_matcher": {"predicate": [LATE, has("a", "1")]}}
        self.assertIs(answer(some, a="1"), True)
        self.assertIsNone(answer(some))

    def test_customMatchers(self) -> None:
        """Are extensions; one that nobody knows is an error."""
        custom = named("m", "google.protobuf.Empty")
        one = {"single_predicate": {"input": header("a"), "custom_match": custom}}
        with self.assertRaises(ConfigError) as caught:
            answer(one)
        self.assertEqual(
            caught.exception.problem,
            "Didn't find a registered implementation for 'm' with type URL: "
            "'google.protobuf.Empty'",
        )
