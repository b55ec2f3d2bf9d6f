"""Tests for twisted_envoy.network.matchers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.views import viewOfYAML
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.config.unread import unread
from twisted_envoy.errors import ConfigError
from twisted_envoy.network.matchers import (
    buildFilterStateMatch,
    buildHeaderMatch,
    buildMetadataMatch,
    buildStringMatch,
    buildValueMatch,
)


class StringMatchTests(SynchronousTestCase):
    def matches(self, yaml: str, text: str) -> bool:
        view = viewOfYAML("envoy.type.matcher.v3.StringMatcher", yaml)
        match = buildStringMatch(view)
        self.assertEqual(unread(view), [])
        return match(text)

    def test_everyKind(self) -> None:
        """Exact, beginning, end, inside, and whole regular expressions."""
        answers = {
            ("{exact: ab}", "ab"): True,
            ("{exact: ab}", "AB"): False,
            ("{exact: Ab, ignore_case: true}", "aB"): True,
            ("{prefix: a}", "ab"): True,
            ("{prefix: b}", "ab"): False,
            ("{suffix: b}", "ab"): True,
            ("{suffix: B, ignore_case: true}", "ab"): True,
            ("{contains: b}", "abc"): True,
            ("{contains: d}", "abc"): False,
            ("{safe_regex: {regex: 'a.'}}", "ab"): True,
            ("{safe_regex: {regex: 'a.'}}", "abc"): False,
            ("{safe_regex: {google_re2: {}, regex: 'A'}}", "a"): False,
        }
        for (yaml, text), answer in answers.items():
            self.assertEqual(self.matches(yaml, text), answer, yaml)

    def test_errors(self) -> None:
        """A wrong pattern in RE2's words; a custom matcher is not here."""
        wrong = self.assertRaises(ConfigError, self.matches, "{safe_regex: {regex: '('}}", "")
        custom = self.assertRaises(ConfigError, self.matches, "{custom: {name: x}}", "")
        cases = "{safe_regex: {regex: A}, ignore_case: true}"
        folded = self.assertRaises(ConfigError, self.matches, cases, "")

        self.assertEqual(wrong.problem, "missing ): (")
        self.assertEqual(folded.problem, "ignore_case has no effect for safe_regex.")
        self.assertIn("custom is not implemented", custom.problem)


class ValueMatchTests(SynchronousTestCase):
    def matches(self, yaml: str, value: object) -> bool:
        view = viewOfYAML("envoy.type.matcher.v3.ValueMatcher", yaml)
        match = buildValueMatch(view)
        self.assertEqual(unread(view), [])
        return match(value)

    def test_everyKind(self) -> None:
        """Each kind answers about its own type only."""
        answers: list[tuple[str, object, bool]] = [
            ("{null_match: {}}", None, True),
            ("{null_match: {}}", 0, False),
            ("{double_match: {exact: 3}}", 3, True),
            ("{double_match: {exact: 1}}", True, False),
            ("{double_match: {range: {start: 1, end: 2}}}", 1.5, True),
            ("{double_match: {range: {start: 1, end: 2}}}", 2, False),
            ("{double_match: {range: {start: 1, end: 2}}}", "1", False),
            ("{string_match: {exact: a}}", "a", True),
            ("{string_match: {exact: a}}", 1, False),
            ("{bool_match: true}", True, True),
            ("{bool_match: true}", 1, False),
            ("{present_match: true}", 0, True),
            ("{present_match: false}", 0, False),
            ("{list_match: {one_of: {string_match: {exact: a}}}}", ["b", "a"], True),
            ("{list_match: {one_of: {string_match: {exact: a}}}}", ["b"], False),
            ("{list_match: {one_of: {string_match: {exact: a}}}}", "a", False),
            ("{or_match: {value_matchers: [{bool_match: true}, {null_match: {}}]}}", None, True),
            ("{or_match: {value_matchers: [{bool_match: true}, {null_match: {}}]}}", 1, False),
        ]
        for yaml, value, answer in answers:
            self.assertEqual(self.matches(yaml, value), answer, (yaml, value))

    def test_nothing(self) -> None:
        """One kind has to be there."""
        self.assertRaises(ConfigError, self.matches, "{}", None)


class MetadataMatchTests(SynchronousTestCase):
    def test_paths(self) -> None:
        """The value at the end of the path is asked, or the given answer taken."""
        yaml = "{filter: ns, path: [{key: a}, {key: b}], value: {bool_match: true}}"
        metadata: dict[str, dict[str, object]] = {"ns": {"a": {"b": True}}}

        for missing in (True, False):
            match = buildMetadataMatch(
                viewOfYAML("envoy.type.matcher.v3.MetadataMatcher", yaml), missing
            )
            self.assertTrue(match(metadata))
            self.assertEqual(match({"ns": {"a": {}}}), missing)
            self.assertFalse(match({"ns": {"a": {"b": False}}}))

    def test_null(self) -> None:
        """A null is there: it is no missing value; real Envoy answered the same."""
        metadata = {"f": {"n": None, "k": "v"}}
        for key, value, good in (
            ("n", "{null_match: {}}", True),
            ("n", "{present_match: true}", True),
            ("n", "{present_match: false}", False),
            ("k", "{present_match: false}", False),
            ("z", "{null_match: {}}", False),
            ("z", "{present_match: false}", False),
        ):
            text = f"{{filter: f, path: [{{key: '{key}'}}], value: {value}}}"
            view = viewOfYAML("envoy.type.matcher.v3.MetadataMatcher", text)
            self.assertIs(buildMetadataMatch(view, False)(metadata), good)


class FilterStateMatchTests(SynchronousTestCase):
    def test_badRange(self) -> None:
        """Envoy's words for a prefix that is no address."""
        match = "{key: k, address_match: {ranges: [{address_prefix: nope, prefix_len: 3}]}}"
        view = viewOfYAML("envoy.type.matcher.v3.FilterStateMatcher", match)
        error = self.assertRaises(ConfigError, buildFilterStateMatch, view)
        self.assertEqual(
            error.problem, "invalid ip/mask combo 'nope/3' (format is <ip>/<# mask bits>)"
        )


class HeaderMatchTests(SynchronousTestCase):
    def matches(self, yaml: str, *values: bytes) -> bool:
        view = viewOfYAML("envoy.config.route.v3.HeaderMatcher", f"{{name: X-A{yaml}}}")
        match = buildHeaderMatch(view)
        self.assertEqual(unread(view), [])
        return match(HeaderMap((b"x-a", value) for value in values))

    def test_values(self) -> None:
        """Old and new ways to say what a value must be."""
        answers = {
            (", string_match: {exact: v}", b"v"): True,
            (", string_match: {exact: v}, invert_match: true", b"v"): False,
            (", string_match: {exact: v}, invert_match: true", b"w"): True,
            (", string_match: {prefix: V, ignore_case: true}", b"vw"): True,
            (", string_match: {safe_regex: {regex: 'v.w'}}", b"v\xe9w"): True,
            (", string_match: {safe_regex: {regex: 'v.'}}", b"vwx"): False,
            (", exact_match: v", b"v"): True,
            (", prefix_match: v", b"vw"): True,
            (", suffix_match: w", b"vw"): True,
            (", contains_match: w", b"v"): False,
            (", safe_regex_match: {regex: v+}", b"vv"): True,
            (", range_match: {start: 1, end: 3}", b"2"): True,
            (", range_match: {start: 1, end: 3}", b"3"): False,
            (", range_match: {start: -3, end: 3}", b"-3"): True,
            (", range_match: {start: 1, end: 3}", b"x"): False,
        }
        for (yaml, value), answer in answers.items():
            self.assertEqual(self.matches(yaml, value), answer, yaml)

    def test_presence(self) -> None:
        """No matcher asks for presence; absence matches only when it is asked for."""
        self.assertTrue(self.matches("", b""))
        self.assertTrue(self.matches(", exact_match: ''", b"x"))
        self.assertFalse(self.matches(""))
        self.assertTrue(self.matches(", present_match: false"))
        self.assertFalse(self.matches(", present_match: true, invert_match: true", b""))
        self.assertTrue(self.matches(", present_match: true, invert_match: true"))
        self.assertFalse(self.matches(", string_match: {exact: a}, invert_match: true"))

    def test_missingAsEmpty(self) -> None:
        """treat_missing_header_as_empty makes a value of nothing."""
        asEmpty = ", treat_missing_header_as_empty: true"
        self.assertTrue(self.matches(f"{asEmpty}, string_match: {{exact: ''}}"))
        self.assertTrue(self.matches(f"{asEmpty}, string_match: {{exact: a}}, invert_match: true"))
        self.assertTrue(self.matches(f"{asEmpty}, present_match: true"))

    def test_severalValues(self) -> None:
        """One of them has to match, none of them when the matcher is inverted."""
        self.assertTrue(self.matches(", string_match: {exact: b}", b"a", b"b"))
        self.assertFalse(self.matches(", string_match: {exact: 'a,b'}", b"a", b"b"))
        self.assertFalse(self.matches(", string_match: {exact: b}, invert_match: true", b"a", b"b"))
        self.assertTrue(self.matches(", string_match: {exact: c}, invert_match: true", b"a", b"b"))
