"""Tests for twisted_envoy.http.routes.paths."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.routes.paths import (
    QueryCache,
    decodedParameters,
    queryParameters,
    withoutParameters,
    withoutQuery,
)


class PathTests(SynchronousTestCase):
    def test_withoutQuery(self) -> None:
        """A query or a fragment ends the path."""
        for path in (b"/a", b"/a?b", b"/a?b#c", b"/a#c?d"):
            self.assertEqual(withoutQuery(path), b"/a")

    def test_withoutParameters(self) -> None:
        """Each segment loses what follows a semicolon."""
        self.assertEqual(withoutParameters(b"/a;b/c;d;e/f"), b"/a/c/f")
        self.assertEqual(withoutParameters(b"/a"), b"/a")

    def test_queryParameters(self) -> None:
        """First values, undecoded."""
        found = queryParameters(b"/p?a=1&b&a=2&&c=x=y#f")
        self.assertEqual(found, {b"a": b"1", b"b": b"", b"": b"", b"c": b"x=y"})
        self.assertEqual(queryParameters(b"/p"), {})

    def test_decodedParameters(self) -> None:
        """Names and values; the first of what is the same then."""
        found = decodedParameters(b"/p?%61=%20+&a=2&b&c=%zz%2&=%C3%A9#d=1")
        wanted = {b"a": b" +", b"b": b"", b"c": b"%zz%2", b"": "é".encode()}
        self.assertEqual(found, wanted)
        self.assertEqual(decodedParameters(b"/?a=1&%61=2&a=3"), {b"a": b"1"})
        self.assertEqual(decodedParameters(b"/?%61=2&a=1&%61=3"), {b"a": b"2"})
        self.assertEqual(decodedParameters(b"/p"), {})
        self.assertEqual(QueryCache(decodedParameters).of(b"/?%61"), {b"a": b""})

    def test_cache(self) -> None:
        """Only another path is read again."""
        cache = QueryCache()
        path = b"/?a=1"
        found = cache.of(path)
        self.assertIs(cache.of(path), found)
        self.assertEqual(cache.of(b"/?a=2"), {b"a": b"2"})
