"""Tests for twisted_envoy.formatter.operators.headers; values and errors are Envoy 1.40's."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import answeredRecord, requestRecord
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.operators.headers import checkOption, headerNames
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import compileText


class HeaderNamesTests(SynchronousTestCase):
    def test_names(self) -> None:
        """A header, and the one to take instead."""
        self.assertEqual(headerNames(":PATH"), (":PATH", ""))
        self.assertEqual(headerNames("X-A?:PATH"), ("X-A", ":PATH"))

    def test_errors(self) -> None:
        """Two alternatives, and what no header can be named."""
        error = self.assertRaises(FormatError, headerNames, "a?b?c")
        self.assertEqual(str(error), "More than 1 alternative header specified in token: a?b?c")
        for name in ("a:b", "(a)", "a b", "é", "a)b"):
            error = self.assertRaises(FormatError, headerNames, name)
            self.assertEqual(
                str(error),
                "Invalid header configuration. Format string contains invalid characters.",
            )

    def test_options(self) -> None:
        """The first that is allowed, unless something else is the default."""
        self.assertEqual(checkOption("X", "", ("A", "B")), "A")
        self.assertEqual(checkOption("X", "", ("A", "B"), "B"), "B")
        self.assertEqual(checkOption("X", "B", ("A", "B")), "B")
        self.assertRaises(FormatError, checkOption, "X", "C", ("A", "B"))


class HeaderTests(SynchronousTestCase):
    def test_whose(self) -> None:
        """Of the request, the response, the trailers; in short and in long; the first value."""
        texts = {
            "%REQ(:METHOD)% %REQUEST_HEADER(x-MULTI)% %STREAM_INFO_REQ(x-multi)%": "GET one one",
            "%RESP(X-UP)% %RESPONSE_HEADER(y?x-up)%": "here here",
            "%TRAILER(T)% %RESPONSE_TRAILER(t):2% %TRAILER(x)%": "last la -",
            "%REQUEST_HEADERS_BYTES% %RESPONSE_HEADERS_BYTES% %RESPONSE_TRAILERS_BYTES%": (
                "81 18 5"
            ),
        }
        for source, text in texts.items():
            self.assertEqual(compileText(source)(answeredRecord()), text, source)

    def test_alternative(self) -> None:
        """Another header for one that is missing; an empty one is there."""
        record = requestRecord(b"/p", (b"x-empty", b""))
        text = compileText("[%REQ(X-NO?:PATH)%] [%REQ(X-EMPTY?:PATH)%] [%REQ(A?B)%] [%REQ(A?)%]")
        self.assertEqual(text(record), "[/p] [] [-] [-]")

    def test_oddBytes(self) -> None:
        """Text keeps what is no UTF-8; in JSON each of its bytes is a character; bytes count."""
        record = requestRecord(
            b"/", (b"x-odd", b'a\xe9b\xc3\xa9"\\\t\x80'), (b"x-e", b"\xc3\xa9\t")
        )

        text = compileText("%REQ(X-ODD)% %REQ(X-ODD):3% %REQ(x-e)%")(record)
        lines = compileJSON({"a": "%REQ(X-ODD)%", "b": "%REQ(x-e)%"})(record)

        self.assertEqual(
            text.encode("utf-8", "surrogateescape"),
            b'a\xe9b\xc3\xa9"\\\t\x80 a\xe9b \xc3\xa9\t',
        )
        self.assertEqual(
            lines,
            '{"a":"a\\u00e9b\\u00c3\\u00a9\\u0022\\u005c\\u0009\\u0080","b":"\u00e9\\t"}\n',
        )
