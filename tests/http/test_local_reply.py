"""Tests for twisted_envoy.http.local_reply; what is expected is what Envoy 1.40 did."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from tests.http.edge.support import EdgeContext, connectionFrom, requestOf
from twisted_envoy.access_log.filters import buildFilter
from twisted_envoy.errors import ConfigError
from twisted_envoy.http.local_reply import LocalReplies
from twisted_envoy.state.request_info import RequestInfo

CONFIG = "envoy.extensions.filters.network.http_connection_manager.v3.LocalReplyConfig"
GRPC = (b"content-type", b"application/grpc")


def ofStatus(code):
    """A filter of replies."""
    value = {"default_value": code, "runtime_key": "a"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def text(source, **fields):
    """A format."""
    return {"text_format_source": {"inline_string": source}, **fields}


def header(name, value, **fields):
    """A HeaderValueOption."""
    return {"header": {"key": name, "value": value}, **fields}


JSON_503 = {
    "b": "%LOCAL_REPLY_BODY%",
    "c": "%RESPONSE_CODE%",
    "d": "%RESPONSE_CODE_DETAILS%",
    "f": "%RESPONSE_FLAGS%",
}
MAPPERS = [
    {
        "filter": ofStatus(404),
        "status_code": 410,
        "body": {"inline_string": "gone %RESPONSE_CODE%"},
        "headers_to_add": [
            header("x-a", "%RESPONSE_CODE%|%RESP(:status)%|%REQ(:path)%"),
            header("x-e", ""),
            header("content-type", "x/y", append_action="OVERWRITE_IF_EXISTS_OR_ADD"),
        ],
    },
    {"filter": ofStatus(503), "body_format_override": {"json_format": JSON_503}},
    {"filter": ofStatus(403), "body": {"inline_string": ""}},
    {"filter": ofStatus(418), "status_code": 503},
    {
        "filter": {"header_filter": {"header": {"name": "x-h", "string_match": {"exact": "q"}}}},
        "body": {"inline_string": "hdr"},
        "body_format_override": text("<%LOCAL_REPLY_BODY%>", content_type="text/html"),
    },
]
FORMAT = text(
    "[%LOCAL_REPLY_BODY%|%RESPONSE_CODE%|%RESP(content-type)%|%RESP(x-a)%]\n", content_type="a/b"
)


def makeReplies(**fields):
    """Local replies of a config."""
    context = EdgeContext()
    config = configOf(CONFIG, fields)
    replies = LocalReplies(config, context, lambda view: buildFilter(view, context))
    assert unreadFields(config) == [], unreadFields(config)
    return replies


def plainReplies():
    """Those without a config."""
    return LocalReplies(None, EdgeContext(), lambda view: None)


def infoOf(*fields, path=b"/p", method=b"GET"):
    """A request's info."""
    info = RequestInfo(connectionFrom(), 0.0)
    info.requestHeaders = requestOf(*fields, path=path, method=method)
    info.responseCodeDetails = "direct_response"
    return info


def pairs(reply):
    """Headers but :status."""
    return list(reply.headers.pairs())[1:]


class PlainTests(SynchronousTestCase):
    """Without a config."""

    def test_withBody(self) -> None:
        """Length and type, in that order."""
        reply = plainReplies().make(infoOf(), 503, b"orig")

        self.assertEqual((reply.status, reply.headers[b":status"]), (503, b"503"))
        self.assertEqual(
            pairs(reply), [(b"content-length", b"4"), (b"content-type", b"text/plain")]
        )
        self.assertEqual(reply.body, b"orig")

    def test_withoutBody(self) -> None:
        """No header at all; the codec knows what to say."""
        reply = plainReplies().make(infoOf(), 404, b"", ((b"content-type", b"a/b"),))

        self.assertEqual((pairs(reply), reply.body), ([], b""))

    def test_head(self) -> None:
        """The length of the body that is not sent."""
        reply = plainReplies().make(infoOf(method=b"HEAD"), 404, b"orig")

        self.assertEqual(reply.headers[b"content-length"], b"4")
        self.assertEqual(reply.body, b"")

    def test_ownHeaders(self) -> None:
        """Come first; a content type is kept."""
        more = ((b"location", b"/x"), (b"content-type", b"my/ct"))
        reply = plainReplies().make(infoOf(), 301, b"orig", more)

        self.assertEqual(pairs(reply), [*more, (b"content-length", b"4")])

    def test_unreadableRequest(self) -> None:
        """There are no request headers then."""
        info = infoOf()
        info.requestHeaders = None

        self.assertEqual(plainReplies().make(info, 400, b"Bad Request").body, b"Bad Request")


class GRPCTests(SynchronousTestCase):
    """Requests of gRPC."""

    def test_trailersOnly(self) -> None:
        """Headers that end the stream; 200 and what went wrong."""
        reply = plainReplies().make(infoOf(GRPC, method=b"POST"), 503, b"no 100% \xc3\xa9")

        self.assertEqual((reply.status, reply.body), (200, b""))
        self.assertEqual(reply.headers[b":status"], b"200")
        self.assertEqual(
            pairs(reply),
            [
                (b"content-type", b"application/grpc"),
                (b"grpc-status", b"14"),
                (b"grpc-message", b"no 100%25 %C3%A9"),
            ],
        )

    def test_status(self) -> None:
        """That of the caller wins; one in the headers over that."""
        info = infoOf(GRPC)
        told = plainReplies().make(info, 503, b"", (), 8)
        given = plainReplies().make(info, 503, b"", ((b"grpc-status", b"5"),), 8)

        self.assertEqual(told.headers[b"grpc-status"], b"8")
        self.assertEqual(given.headers[b"grpc-status"], b"5")
        self.assertNotIn(b"grpc-message", told.headers)

    def test_head(self) -> None:
        """No message."""
        reply = plainReplies().make(infoOf(GRPC, method=b"HEAD"), 503, b"orig")

        self.assertNotIn(b"grpc-message", reply.headers)

    def test_noLength(self) -> None:
        """Even if the caller brought one."""
        reply = plainReplies().make(infoOf(GRPC), 201, b"", ((b"content-length", b"3"),))

        self.assertNotIn(b"content-length", reply.headers)


class MapperTests(SynchronousTestCase):
    """mappers."""

    def test_everything(self) -> None:
        """Headers see the old status; the body is taken as it is."""
        info = infoOf(path=b"/404")
        reply = makeReplies(mappers=MAPPERS).make(info, 404, b"orig")

        self.assertEqual((reply.status, info.responseCode), (410, 410))
        self.assertEqual(reply.headers[b":status"], b"410")
        self.assertEqual(
            pairs(reply),
            [
                *((b"content-type", b"x/y"), (b"x-a", b"404|404|/404")),
                (b"content-length", b"20"),
            ],
        )
        self.assertEqual(reply.body, b"gone %RESPONSE_CODE%")

    def test_json(self) -> None:
        """With its newline, and its type."""
        reply = makeReplies(mappers=MAPPERS, body_format=FORMAT).make(infoOf(), 503, b"orig")

        self.assertEqual(reply.headers[b"content-type"], b"application/json")
        self.assertEqual(reply.body, b'{"b":"orig","c":503,"d":"direct_response","f":"-"}\n')

    def test_emptyBody(self) -> None:
        """Is a body too."""
        reply = makeReplies(mappers=MAPPERS).make(infoOf(), 403, b"orig")
        formatted = makeReplies(mappers=MAPPERS, body_format=FORMAT).make(infoOf(), 403, b"orig")

        self.assertEqual((reply.body, pairs(reply)), (b"", []))
        self.assertEqual(formatted.body, b"[|403|-|-]\n")

    def test_onlyStatus(self) -> None:
        """The first that matches is the only one."""
        reply = makeReplies(mappers=MAPPERS).make(infoOf(), 418, b"orig")

        self.assertEqual((reply.status, reply.body), (503, b"orig"))
        self.assertEqual(reply.headers[b"content-type"], b"text/plain")

    def test_byRequest(self) -> None:
        """A filter may look at the request; a format brings its content type."""
        reply = makeReplies(mappers=MAPPERS).make(infoOf((b"x-h", b"q")), 200, b"orig")

        self.assertEqual((reply.body, reply.headers[b"content-type"]), (b"<hdr>", b"text/html"))

    def test_none(self) -> None:
        """What no mapper is for is as it was."""
        reply = makeReplies(mappers=MAPPERS).make(infoOf(), 200, b"orig")

        self.assertEqual((reply.status, reply.body), (200, b"orig"))

    def test_unreadableRequest(self) -> None:
        """Filters and formats do without it."""
        info = infoOf()
        info.requestHeaders = None

        reply = makeReplies(mappers=MAPPERS, body_format=FORMAT).make(info, 400, b"Bad Request")

        self.assertEqual(reply.body, b"[Bad Request|400|-|-]\n")

    def test_grpc(self) -> None:
        """The mapped status is what is translated; JSON loses its newline, text does not."""
        replies = makeReplies(mappers=MAPPERS, body_format=FORMAT)
        gone = replies.make(infoOf(GRPC, path=b"/404"), 404, b"orig").headers
        json = replies.make(infoOf(GRPC), 503, b"orig").headers

        self.assertEqual(gone[b"grpc-status"], b"2")
        # The content type that was there is the request's to see, and gRPC's in the end.
        self.assertEqual(
            gone[b"grpc-message"], b"[gone %25RESPONSE_CODE%25|410|x/y|404|404|/404]%0A"
        )
        self.assertEqual(gone[b"content-type"], b"application/grpc")
        self.assertEqual(
            json[b"grpc-message"], b'{"b":"orig","c":503,"d":"direct_response","f":"-"}'
        )


class FormatTests(SynchronousTestCase):
    """body_format."""

    def test_contentTypes(self) -> None:
        """A mapper's wins, the format's wins over the reply's own, which wins over the usual."""
        own = ((b"content-type", b"my/ct"),)
        every = makeReplies(mappers=MAPPERS, body_format=FORMAT)
        usual = makeReplies(body_format=text("%LOCAL_REPLY_BODY%"))
        for replies, status, more, expected in (
            (every, 404, (), b"x/y"),
            (every, 200, (), b"a/b"),
            (every, 200, own, b"a/b"),
            (usual, 200, own, b"my/ct"),
            (usual, 200, (), b"text/plain"),
        ):
            reply = replies.make(infoOf(), status, b"orig", more)
            self.assertEqual(reply.headers[b"content-type"], expected)

    def test_seesTheReply(self) -> None:
        """Its status, its body, its headers."""
        replies = makeReplies(body_format=FORMAT)
        more = ((b"content-type", b"my/ct"), (b"x-a", b"1"))

        self.assertEqual(replies.make(infoOf(), 200, b"orig", more).body, b"[orig|200|my/ct|1]\n")

    def test_emptyBodiesAreFormatted(self) -> None:
        """So that they have a length; HEAD tells it."""
        replies = makeReplies(body_format={"json_format": {"b": "%LOCAL_REPLY_BODY%"}})
        reply = replies.make(infoOf(method=b"HEAD"), 404, b"")

        self.assertEqual(reply.headers[b"content-length"], b"9")
        self.assertEqual(reply.headers[b"content-type"], b"application/json")

    def test_bytesPass(self) -> None:
        """What is no UTF-8 comes out as it went in."""
        replies = makeReplies(body_format=text("<%LOCAL_REPLY_BODY%>"))

        self.assertEqual(replies.make(infoOf(), 200, b"\xff\xc3\xa9").body, b"<\xff\xc3\xa9>")

    def test_mistakes(self) -> None:
        """Formats and headers are looked at when it is built."""
        self.assertRaises(ConfigError, makeReplies, body_format=text("%NOPE%"))
        bad = [{"filter": ofStatus(1), "headers_to_add": [header(":path", "x")]}]
        self.assertRaises(ConfigError, makeReplies, mappers=bad)
