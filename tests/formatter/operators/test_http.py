"""Tests for twisted_envoy.formatter.operators.http; error texts are Envoy 1.40's."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import (
    answeredRecord,
    bareRecord,
    fullRecord,
    requestRecord,
)
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.formatter.operators.values import GRPC_STATUSES
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import compileText


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


class HTTPTests(SynchronousTestCase):
    """Values of real Envoy 1.40 for the same requests."""

    def test_answered(self) -> None:
        """What a request has that was proxied."""
        texts = {
            "%PROTOCOL% %UPSTREAM_PROTOCOL% %RESPONSE_CODE%": "HTTP/1.1 HTTP/2 200",
            "%RESPONSE_CODE_DETAILS% %ROUTE_NAME%": "via_upstream main",
            "%VIRTUAL_CLUSTER_NAME% %UPSTREAM_REQUEST_ATTEMPT_COUNT%": "vc 2",
            "%DOWNSTREAM_HEADER_BYTES_RECEIVED% %DOWNSTREAM_HEADER_BYTES_SENT%": "93 145",
            "%UPSTREAM_HEADER_BYTES_RECEIVED% %UPSTREAM_HEADER_BYTES_SENT%": "55 274",
            "%DOWNSTREAM_WIRE_BYTES_RECEIVED% %DOWNSTREAM_WIRE_BYTES_SENT%": "152 493",
            "%UPSTREAM_WIRE_BYTES_RECEIVED% %UPSTREAM_WIRE_BYTES_SENT%": "407 327",
            "%STREAM_ID% %TRACE_ID% %ROUTE_RESOLUTION_COUNT%": "the-id - 1",
            "%METADATA(ROUTE:ns:k)% %METADATA(VIRTUAL_HOST:ns:k)% %METADATA(ROUTE:x)%": "rv vhv -",
            "%METADATA(VIRTUAL_HOST:ns)%": '{"k":"vhv"}',
            "%ACCESS_LOG_TYPE% [%LOCAL_REPLY_BODY%]": "DownstreamEnd []",
        }
        for source, text in texts.items():
            self.assertEqual(compileText(source)(answeredRecord()), text, source)

    def test_beforeTheAnswer(self) -> None:
        """What is not known yet."""
        text = compileText(
            "%RESPONSE_CODE% %RESP(X)% %ROUTE_NAME% %METADATA(ROUTE:a)% %UPSTREAM_PROTOCOL% "
            "%STREAM_ID% %GRPC_STATUS% %UPSTREAM_REQUEST_ATTEMPT_COUNT%"
        )(requestRecord())
        self.assertEqual(text, "0 - - - - - - 0")

    def test_noHead(self) -> None:
        """A request that broke in its head."""
        record = requestRecord()
        record.streamInfo.requestHeaders = None
        text = compileText(
            "%REQ(:PATH)% %PATH% %QUERY_PARAM(a)% %QUERY_PARAMS% %STREAM_ID% "
            "%REQUESTED_SERVER_NAME(HOST_FIRST)% %REQUEST_HEADERS_BYTES% %GRPC_STATUS_NUMBER%"
        )(record)
        self.assertEqual(text, "- - - - - - 0 -")

    def test_virtualCluster(self) -> None:
        """A request of none is counted as `other`, and has no name."""
        record = requestRecord()
        format = compileText("%VIRTUAL_CLUSTER_NAME%")
        for name, text in (("", "-"), ("other", "-"), ("vc", "vc")):
            record.streamInfo.virtualClusterName = name
            self.assertEqual(format(record), text)

    def test_localReplyBody(self) -> None:
        """Of a reply that is just being made."""
        record = requestRecord()
        record.streamInfo.localReplyBody = "no"
        self.assertEqual(compileText("%LOCAL_REPLY_BODY%")(record), "no")

    def test_host(self) -> None:
        """The host as it came or as it went on, before or after the SNI; as it is."""
        record = requestRecord(b"/", (b"x-envoy-original-host", b"first_*"))
        bare = requestRecord()
        for arguments, rewritten, plain in (
            ("SNI_ONLY", "-", "-"),
            ("HOST_FIRST", "first_*", "h.example:80"),
            ("SNI_FIRST", "first_*", "h.example:80"),
            ("HOST_FIRST:HOST", "h.example:80", "h.example:80"),
            ("HOST_FIRST:ORIG", "first_*", "-"),
        ):
            format = compileText(f"%REQUESTED_SERVER_NAME({arguments})%")
            self.assertEqual((format(record), format(bare)), (rewritten, plain), arguments)
        bare.streamInfo.requestedServerName = "sni"
        for order, name in (("SNI_FIRST", "sni"), ("HOST_FIRST", "h.example:80")):
            self.assertEqual(compileText(f"%REQUESTED_SERVER_NAME({order})%")(bare), name)


class GRPCStatusTests(SynchronousTestCase):
    def status(self, style: str, value: bytes | None, code: int = 200) -> str:
        record = requestRecord(b"/", (b"content-type", b"application/grpc+proto"))
        record.streamInfo.responseCode = code
        record.streamInfo.responseHeaders = HeaderMap(
            [] if value is None else [(b"grpc-status", value)]
        )
        return compileText(f"%GRPC_STATUS{style}%")(record)

    def test_names(self) -> None:
        """Every status in each spelling."""
        camel = (
            "OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists "
            "PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange "
            "Unimplemented Internal Unavailable DataLoss Unauthenticated"
        ).split()
        for number, snake in enumerate(GRPC_STATUSES):
            value = str(number).encode()
            self.assertEqual(self.status("", value), camel[number])
            self.assertEqual(self.status("(CAMEL_STRING)", value), camel[number])
            self.assertEqual(self.status("(SNAKE_STRING)", value), snake)
            self.assertEqual(self.status("(NUMBER)", value), str(number))
            self.assertEqual(self.status("_NUMBER", value), str(number))

    def test_others(self) -> None:
        """One of a server's own, and one that is no number."""
        self.assertEqual(self.status("", b"99"), "99")
        self.assertEqual(self.status("(SNAKE_STRING)", b"abc"), "-1")

    def test_ofHTTP(self) -> None:
        """Without a status it is guessed; before an answer there is none."""
        for code, name in (
            *((200, "Unknown"), (400, "Internal"), (401, "Unauthenticated")),
            *((403, "PermissionDenied"), (404, "Unimplemented"), (429, "Unavailable")),
            *((502, "Unavailable"), (503, "Unavailable"), (504, "Unavailable"), (0, "-")),
        ):
            self.assertEqual(self.status("", None, code), name)

    def test_trailersFirst(self) -> None:
        """Trailers say more than headers."""
        record = requestRecord(b"/", (b"content-type", b"application/grpc"))
        record.streamInfo.responseHeaders = HeaderMap([(b"grpc-status", b"0")])
        record.streamInfo.responseTrailers = HeaderMap([(b"grpc-status", b"7")])
        self.assertEqual(compileText("%GRPC_STATUS%")(record), "PermissionDenied")

    def test_onlyGRPC(self) -> None:
        """Other requests have no such status."""
        for kind in (b"application/grpcx", b"application/grpc-web", b"text/plain"):
            record = requestRecord(b"/", (b"content-type", kind))
            record.streamInfo.responseHeaders = HeaderMap([(b"grpc-status", b"0")])
            self.assertEqual(compileText("%GRPC_STATUS%")(record), "-")
