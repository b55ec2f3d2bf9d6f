"""Tests for twisted_envoy.extensions.common.uri_template."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.common.uri_template import (
    Template,
    TemplateError,
    Variable,
    rewriteParts,
)


class TemplateTests(SynchronousTestCase):
    def test_matches(self) -> None:
        """Segments, variables with and without patterns, and the rest of a path."""
        for text, good, bad in (
            ("/lit", ("/lit",), ("/lit/", "/li")),
            ("/u/{id}", ("/u/1", "/u/a%20b", "/u/a*b"), ("/u/", "/u/1/", "/u/a b")),
            ("/v/*/z/{rest=**}", ("/v/a/z/b/c", "/v/a/z/"), ("/v/a/z", "/v/a/b/z/c")),
            ("/w/**", ("/w/", "/w/a/b"), ("/w", "/x/")),
            ("/s/{n}/**.m3u8", ("/s/a/b/c.m3u8",), ("/s/a/c.ts",)),
            ("/", ("/",), ("/a",)),
            ("/a/", ("/a/",), ("/a", "/a/b")),
            ("/{a}/", ("/x/",), ("/x", "/x/y")),
            ("/*.js", ("/x.js",), ("/.js", "/x/y.js")),
            ("/v{n}.json", ("/v1.json",), ("/v.json", "/v1/json", "/1.json")),
            ("/{a=x/*}-z/y", ("/x/1-z/y",), ("/x/1/y", "/x-z/y")),
            ("/***", ("/a*", "/*"), ("/a",)),
        ):
            template = Template(text)
            for path in good:
                self.assertTrue(template.matches(path.encode()), (text, path))
            for path in bad:
                self.assertFalse(template.matches(path.encode()), (text, path))

    def test_captures(self) -> None:
        """The values of variables; None where nothing matches."""
        template = Template("/m/{a=*/b/*}/q/{c}")
        self.assertEqual(template.captures(b"/m/x/b/y/q/z"), {"a": b"x/b/y", "c": b"z"})
        self.assertIsNone(template.captures(b"/m/x/c/y/q/z"))

    def test_errors(self) -> None:
        """In Envoy's words."""
        for text, words in (
            ("a", 'Invalid pattern: "a"'),
            ("/{a", 'Unmatched variable bracket in mixed pattern: "{a"'),
            ("/{a}/{a}", 'Repeated variable name: "a"'),
            ("/**/*/**", "Glob after text glob."),
            ("/{a}/{b}/{c}/{d}/{e}/{f}", "Exceeded variable count limit (5)"),
            ("//", 'Invalid literal: ""'),
            ("/a//b", 'Invalid literal: ""'),
            ("/b{a", 'Invalid literal: "b{a"'),
            ("/b{a=x/y}", 'Invalid literal: "b{a=x"'),
            ("/b}{a}", 'Invalid prefix literal: "b}"'),
            ("/{a}{b}", 'Invalid suffix literal: "{b}"'),
            ("/*b/c", "Prefix match not supported."),
            ("/{1a}", 'Invalid variable name: "1a"'),
            ("/{a=}", "Empty variable match"),
            ("/{a=b/}", 'Invalid variable match: "/"'),
            ("/{a=**x}", 'Invalid variable match: "x"'),
            ("/**/b{a}", "Implicit variable path glob after text glob."),
            (
                "/{abcdefghijklmnopq}",
                'Invalid variable name length (length of "abcdefghijklmnopq" should be at least 1 '
                "and no more than 16)",
            ),
            ('/"', 'Invalid literal: """'),
        ):
            error = self.assertRaises(TemplateError, Template, text)
            self.assertEqual(str(error), words)

    @given(st.text("/*{}=ab.", max_size=12))
    def test_anything(self, text: str) -> None:
        """A text is a template or an error."""
        try:
            Template("/" + text).matches(b"/a/b")
        except TemplateError:
            pass


class RewriteTests(SynchronousTestCase):
    def test_parts(self) -> None:
        """Texts and variables."""
        self.assertEqual(rewriteParts("/x/{a}-b"), [b"/x/", Variable("a"), b"-b"])

    def test_errors(self) -> None:
        """No variable with a pattern, no bracket alone, no other beginning."""
        for text in ("a", "/{a", "/{a=*}", "/a}", "//", "/{a}//b", "/x?y={a}"):
            self.assertRaises(TemplateError, rewriteParts, text)
