"""Tests for twisted_envoy.formatter.operators.http; error texts are Envoy 1.40's."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import bareRecord, fullRecord
from twisted_envoy.formatter.operators.http import headerNames
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


class HTTPOnAConnectionTests(SynchronousTestCase):
    def test_unset(self) -> None:
        """What HTTP would know is a dash, a 0 or empty."""
        text = compileText(
            "%REQ(:METHOD)% %RESP(X?Y):3% %TRAILER(A)% %PROTOCOL% %RESPONSE_CODE_DETAILS(x)% "
            "%GRPC_STATUS% %QUERY_PARAM(a):1% %PATH% %ROUTE_NAME% %REQUEST_HEADERS_BYTES% "
            "[%LOCAL_REPLY_BODY%]"
        )(fullRecord())

        self.assertEqual(text, "- - - - - - - - - 0 []")

    def test_requestedServerName(self) -> None:
        """The SNI of the connection, however it is asked for."""
        record = bareRecord()
        format = compileText("%REQUESTED_SERVER_NAME% %REQUESTED_SERVER_NAME(HOST_FIRST:ORIG)%")
        self.assertEqual(format(record), "- -")

        record.streamInfo.requestedServerName = "a.example"

        self.assertEqual(format(record), "a.example a.example")

    def test_requestedServerNameThatIsNone(self) -> None:
        """What has no place in a host name is replaced, and that is said, as in Envoy."""
        record = bareRecord()
        format = compileText("%REQUESTED_SERVER_NAME%")
        for name, text in (
            ("a_b-1.Test.", "a_b-1.Test."),
            ("a b", "invalid:a_b"),
            ("*.test\n", "invalid:_.test_"),
            ("\u00c3\u0089.test", "invalid:__.test"),
        ):
            record.streamInfo.requestedServerName = name
            self.assertEqual(format(record), text)

    def test_options(self) -> None:
        """Words that are not allowed are named with those that are."""
        texts = {
            "%PATH(X)%": "Invalid PATH option: 'X', only 'WQ'/'NQ' are allowed",
            "%PATH(WQ:X)%": (
                "Invalid PATH option: 'X', only 'ORIG'/'PATH'/'ORIG_OR_PATH' are allowed"
            ),
            "%QUERY_PARAMS(x)%": (
                "Invalid QUERY_PARAMS option: 'x', only 'ORIG'/'DECODED' are allowed"
            ),
            "%REQUESTED_SERVER_NAME(X)%": (
                "Invalid REQUESTED_SERVER_NAME option: 'X', "
                "only 'SNI_ONLY'/'SNI_FIRST'/'HOST_FIRST' are allowed"
            ),
            "%REQUESTED_SERVER_NAME(SNI_FIRST:X)%": (
                "Invalid REQUESTED_SERVER_NAME option: 'X', "
                "only 'ORIG_OR_HOST'/'HOST'/'ORIG' are allowed"
            ),
            "%GRPC_STATUS(x)%": (
                "GrpcStatusFormatter only supports CAMEL_STRING, SNAKE_STRING or NUMBER. Got: x"
            ),
        }
        for source, text in texts.items():
            self.assertEqual(str(self.assertRaises(FormatError, compileText, source)), text)
        compileText("%PATH(:PATH:x)% %REQUESTED_SERVER_NAME(:HOST)% %GRPC_STATUS(NUMBER)%")
