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
            ("/{a}/{b}/{c}/{d}/{e}/{f}", "Exceeded variable count limit (5): "),
            ('/"', 'Invalid literal: """'),
        ):
            error = self.assertRaises(TemplateError, Template, text)
            self.assertTrue(str(error).startswith(words), text)

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
        for text in ("a", "/{a", "/{a=*}", "/a}"):
            self.assertRaises(TemplateError, rewriteParts, text)
