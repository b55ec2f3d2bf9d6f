"""Tests for twisted_envoy.formatter.operators.path; values are Envoy 1.40's."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import requestRecord
from twisted_envoy.formatter.operators import BUILT_IN
from twisted_envoy.formatter.operators.path import REQ_WITHOUT_QUERY
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import compileText


class PathTests(SynchronousTestCase):
    def test_path(self) -> None:
        """As it came or as it went on, with the query or without."""
        rewritten = requestRecord(b"/new?a=b", (b"x-envoy-original-path", b"/old?a=b"))
        plain = requestRecord(b"/p?a")
        for arguments, first, second in (
            ("", "/old?a=b", "/p?a"),
            ("(WQ)", "/old?a=b", "/p?a"),
            ("(NQ)", "/old", "/p"),
            ("(NQ:ORIG)", "/old", "-"),
            ("(WQ:ORIG):3", "/ol", "-"),
            ("(:PATH)", "/new?a=b", "/p?a"),
            ("(NQ:ORIG_OR_PATH)", "/old", "/p"),
        ):
            format = compileText(f"%PATH{arguments}%")
            self.assertEqual((format(rewritten), format(plain)), (first, second), arguments)

    def test_withoutQuery(self) -> None:
        """Of any header; only where the extension is named."""
        operators = {**BUILT_IN, **REQ_WITHOUT_QUERY}
        source = "%REQ_WITHOUT_QUERY(X?:PATH)% %REQ_WITHOUT_QUERY(:PATH):2% %REQ_WITHOUT_QUERY(X)%"
        self.assertEqual(compileText(source, False, operators)(requestRecord(b"/p?a")), "/p /p -")
        self.assertRaises(FormatError, compileText, source)


class QueryTests(SynchronousTestCase):
    def format(self, source: str, path: bytes) -> str:
        text = compileText(source)(requestRecord(path))
        return text.encode("utf-8", "surrogateescape").decode("latin-1")

    def test_parameter(self) -> None:
        """The first of that name, names and values decoded; a plus sign is one."""
        path = b"/p?a=1%202&b=&c&a=3&d+e=4%4&%66=5+6&=7"
        texts = {"a": "1 2", "b": "", "c": "", "d+e": "4%4", "f": "5+6", "n": "-", "a%20": "-"}
        for name, text in texts.items():
            self.assertEqual(self.format(f"%QUERY_PARAM({name})%", path), text)
        self.assertEqual(self.format("%QUERY_PARAM(a):2%", path), "1 ")
        self.assertEqual(self.format("%QUERY_PARAM(a)%", b"/p"), "-")
        self.assertEqual(self.format("%QUERY_PARAM(a)%", b"/p?a=%e9%25"), "\xe9%")

    def test_parameters(self) -> None:
        """All that stands behind the question mark."""
        for path, text in ((b"/p", "-"), (b"/p?", ""), (b"/p?a=%41&z", "a=%41&z")):
            self.assertEqual(self.format("%QUERY_PARAMS%", path), text)
            self.assertEqual(self.format("%QUERY_PARAMS(ORIG)%", path), text)
        self.assertEqual(self.format("%QUERY_PARAMS:4%", b"/p?a=%41&z"), "a=%4")

    def test_decoded(self) -> None:
        """What reads well is decoded; a percent sign that means nothing goes, but at the end."""
        for path, text in (
            (b"/?a=%41%2f%26%0a%3d%20%21%25%2B+%c3%a9%7e%4&z", "a=A/&%0a=%20!%++%c3%a9~4&z"),
            (b"/?a=%22%23%3c%3e%3f%5b%5c%5d%5e%60%7b%7c%7d", "a=%22#%3c%3e?[%5c]%5e`%7b%7c%7d"),
            (b"/?%7f%zz%", "%7fzz%"),
        ):
            self.assertEqual(self.format("%QUERY_PARAMS(DECODED)%", path), text)
        self.assertEqual(self.format("%QUERY_PARAMS(DECODED):4%", b"/?a=%21b"), "a=!b")
