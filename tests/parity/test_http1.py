"""HTTP/1.1 as clients write it: framing, keep-alive, cases, upgrades."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import cluster
from tests.parity.exchanges import END, get
from tests.parity.http_origins import OK, Scripted, answer
from tests.parity.managers import ManagerTestCase, direct, manager, protocol, route
from tests.parity.peers import Served
from tests.parity.support import served

_CASES = {
    "header_key_format": {
        "stateful_formatter": {
            "name": "preserve_case",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.http.header_formatters."
                "preserve_case.v3.PreserveCaseFormatterConfig"
            },
        }
    }
}
_PROPER: dict[str, Any] = {"header_key_format": {"proper_case_words": {}}}


def chunked(body: str, path: str = "/", *headers: str) -> bytes:
    """A POST whose body is chunked as it is written here."""
    return get(path, "Transfer-Encoding: chunked", *headers, method="POST", body=body)


class HTTP1Tests(ManagerTestCase):
    """One scripted origin behind several connection managers."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": Scripted()}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        origin = f"127.0.0.1:{ports['origin']}"
        options = protocol
        clusters = [
            cluster("origin", origin),
            cluster(
                "fresh",
                origin,
                **options(common_http_protocol_options={"max_requests_per_connection": 1}),
            ),
            cluster(
                "trailers",
                origin,
                **options({"http_protocol_options": {"enable_trailers": True}}),
            ),
            cluster("guarded", origin),
            cluster("preserved", origin, **options({"http_protocol_options": _CASES})),
            cluster("proper", origin, **options({"http_protocol_options": _PROPER})),
        ]
        listeners = [
            *[
                manager(name, [direct(prefix="/direct"), route()])
                for name in ("requests", "chunks", "local", "absolute", "expects")
            ],
            manager("answers", [route("fresh")]),
            manager("broken", [route("guarded")]),
            manager(
                "old",
                http_protocol_options={
                    "accept_http_10": True,
                    "default_host_for_http_10": "old.example",
                },
            ),
            manager(
                "trailers", [route("trailers")], http_protocol_options={"enable_trailers": True}
            ),
            manager("halfTrailers", [route("trailers")]),
            manager("preserved", [route("preserved")], http_protocol_options=_CASES),
            manager("proper", [route("proper")], http_protocol_options=_PROPER),
            manager("chunkedLength", http_protocol_options={"allow_chunked_length": True}),
            manager("relative", http_protocol_options={"allow_absolute_url": False}),
            manager("once", common_http_protocol_options={"max_requests_per_connection": 2}),
            manager(
                "underscores",
                common_http_protocol_options={"headers_with_underscores_action": "REJECT_REQUEST"},
            ),
            manager(
                "dropped",
                common_http_protocol_options={
                    "headers_with_underscores_action": "DROP_HEADER",
                    "max_headers_count": 5,
                },
                max_request_headers_kb=1,
            ),
            manager("continues", proxy_100_continue=True),
            manager("messageError", stream_error_on_invalid_http_message=True),
            manager(
                "streamError",
                http_protocol_options={"override_stream_error_on_invalid_http_message": True},
            ),
        ]
        return served(listeners, clusters)

    def test_requests(self) -> None:
        """What is read as a request, and what of it the origin sees."""
        said = self.compared(
            "requests",
            {
                "get": get("/a?b=c#d"),
                "two": get("/1") + get("/2"),
                "closes": get("/", "Connection: close"),
                "closesInList": get("/", "Connection: x-a, Close", "x-a: 1"),
                "keepAlive": get("/", "Connection: keep-alive", "Keep-Alive: 300"),
                "behindClose": get("/", "Connection: close") + get("/never"),
                "proxyConnection": get("/", "Proxy-Connection: close"),
                "length": get("/", "Content-Length: 3", method="POST", body="abc"),
                "leadingZeros": get("/", "Content-Length: 003", method="POST", body="abc"),
                "plusLength": get("/", "Content-Length: +3", method="POST", body="abc"),
                "sameLengthTwice": get("/", "Content-Length: 3", "Content-Length: 3", body="abc"),
                "listedLength": get("/", "Content-Length: 3, 3", body="abc"),
                "getWithBody": get("/", "Content-Length: 3", body="abc"),
                "deleteChunked": get(
                    "/", "Transfer-Encoding: chunked", method="DELETE", body="1\r\nx\r\n0\r\n\r\n"
                ),
                "chunkedUpper": get("/", "Transfer-Encoding: CHUNKED", body="1\r\nx\r\n0\r\n\r\n"),
                "gzipChunked": get(
                    "/", "Transfer-Encoding: gzip, chunked", body="1\r\nx\r\n0\r\n\r\n"
                ),
                "identity": get("/", "Transfer-Encoding: identity"),
                "blankValue": get("/", "x-empty:", "x-blanks:   ", "x-tab:\t a \t"),
                "blankBeforeColon": get("/", "x-a : b"),
                "nul": get("/", "x-a: b\0c"),
                "noColon": get("/", "x-a"),
                "emptyName": get("/", ": b"),
                "strangeName": get("/", "x(a): b"),
                "latin": get("/", "x-a: \xe4\xff"),
                "control": get("/", "x-a: b\x01c"),
                "tabInside": get("/", "x-a: b\tc"),
                "crInside": get("/", "x-a: b\rc"),
                "twice": get("/", "x-a: 1", "X-A: 2", "cookie: a=1", "cookie: b=2"),
                "lowerMethod": get("/", method="get"),
                "strangeMethod": get("/", method="BREW"),
                "badMethod": get("/", method="G@T"),
                "trace": get("/", method="TRACE"),
                "blanksInLine": b"GET  /  HTTP/1.1\r\nHost: test\r\n\r\n",
                "blankInPath": b"GET /a b HTTP/1.1\r\nHost: test\r\n\r\n",
                "noVersion": b"GET /\r\nHost: test\r\n\r\n",
                "http12": b"GET / HTTP/1.2\r\nHost: test\r\n\r\n",
                "http09": b"GET / HTTP/0.9\r\nHost: test\r\n\r\n",
                "http2Words": b"GET / HTTP/2.0\r\nHost: test\r\n\r\n",
                "lowerVersion": b"GET / http/1.1\r\nHost: test\r\n\r\n",
                "noPath": b"GET HTTP/1.1\r\nHost: test\r\n\r\n",
                "starGet": b"GET * HTTP/1.1\r\nHost: test\r\n\r\n",
                "highPath": b"GET /\xe4 HTTP/1.1\r\nHost: test\r\n\r\n",
                "blankLinesFirst": b"\r\n\r\n" + get("/"),
                "blankLineBetween": get("/1") + b"\r\n" + get("/2"),
            },
            0,
        )
        self.assertEqual("".join(said["two"]).count("HTTP/1.1 200 OK"), 2)

    def test_chunks(self) -> None:
        """Chunks, as strange as they may be."""
        self.compared(
            "chunks",
            {
                "upperSize": chunked("A\r\n0123456789\r\n0\r\n\r\n"),
                "zerosFirst": chunked("00000003\r\nabc\r\n000\r\n\r\n"),
                "extension": chunked("3;a=b\r\nabc\r\n0;c\r\n\r\n"),
                "quotedExtension": chunked('3;a="b;c"\r\nabc\r\n0\r\n\r\n'),
                "blankBehindSize": chunked("3 \r\nabc\r\n0\r\n\r\n"),
                "blankBeforeSize": chunked(" 3\r\nabc\r\n0\r\n\r\n"),
                "hexPrefix": chunked("0x3\r\nabc\r\n0\r\n\r\n"),
                "negative": chunked("-3\r\nabc\r\n0\r\n\r\n"),
                "noSize": chunked("\r\nabc\r\n0\r\n\r\n"),
                "letters": chunked("xyz\r\nabc\r\n0\r\n\r\n"),
                "hugeSize": chunked("fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
                "lineFeedOnly": chunked("3\nabc\n0\n\n"),
                "cutShort": [chunked("5\r\nabc"), END],
                "thenNext": chunked("3\r\nabc\r\n0\r\n\r\n") + get("/next"),
                "trailer": chunked("3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n"),
                "badTrailer": chunked("3\r\nabc\r\n0\r\nx t: 1\r\n\r\n"),
                "slow": [
                    chunked(""),
                    b"3",
                    b"\r",
                    b"\na",
                    b"bc\r\n",
                    b"0\r",
                    b"\n\r\n",
                ],
            },
            0,
        )

    def test_broken(self) -> None:
        """What cannot be read is answered at once, and leaves nothing with the upstream."""
        self.compared(
            "broken",
            {
                "noVersion": b"GET /x\r\n",
                "sameSegment": chunked("xyz\r\n"),
                "laterSegment": [chunked(""), b"xyz\r\n"],
                "badTrailer": chunked("0\r\nx t: 1\r\n\r\n"),
                "hugeSize": chunked("fffffffffffffffff\r\n"),
            },
            0,
            r"^cluster\.guarded\.upstream_rq_(active|pending_active|pending_overflow)$",
        )

    def test_answers(self) -> None:
        """What an origin may answer."""

        def of(*steps: str, method: str = "GET") -> bytes:
            return get("/", answer(steps), method=method)

        self.compared(
            "answers",
            {
                "head": of("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", method="HEAD"),
                "headChunked": of(
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", method="HEAD"
                ),
                "headNothing": of("HTTP/1.1 200 OK\r\n\r\n", "!close", method="HEAD"),
                "204": of("HTTP/1.1 204 No Content\r\n\r\n"),
                "204Length": of("HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"),
                "204Chunked": of(
                    "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                    "!close",
                ),
                "304": of("HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\netag: a\r\n\r\n"),
                "205": of("HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n"),
                "untilClose": of("HTTP/1.1 200 OK\r\n\r\nabc", "!close"),
                "chunked": of(
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                ),
                "empty": of("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
                "noReason": of("HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n"),
                "ownReason": of("HTTP/1.1 200 Fine by me\r\ncontent-length: 0\r\n\r\n"),
                "unknown": of("HTTP/1.1 299 x\r\ncontent-length: 0\r\n\r\n"),
                "600": of("HTTP/1.1 600 x\r\ncontent-length: 0\r\n\r\n"),
                "http10": of("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", "!close"),
                "http10Keep": of(
                    "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok"
                ),
                "closing": of(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok", "!close"
                ),
                "102": of("HTTP/1.1 102 Processing\r\n\r\n", OK),
                "103": of("HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n", OK),
                "cutHead": of("HTTP/1.1 200 OK\r\ncontent", "!close"),
                "cutBody": of("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab", "!close"),
                "cutChunk": of(
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab", "!close"
                ),
                "resetAtOnce": of("!reset"),
                "closeAtOnce": of("!close"),
                "noise": of("\x00\x01\x02\r\n\r\n"),
                "twoLengths": of(
                    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc"
                ),
                "badLength": of("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\nabc"),
                "both": of(
                    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n"
                    "0\r\n\r\n"
                ),
                "gzip": of("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nabc", "!close"),
                "badName": of("HTTP/1.1 200 OK\r\nx y: 1\r\ncontent-length: 0\r\n\r\n"),
                "underscore": of("HTTP/1.1 200 OK\r\nx_y: 1\r\ncontent-length: 0\r\n\r\n"),
                "upgradeUnasked": of("HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n"),
                "surplus": of(OK + "surplus"),
                "date": of(
                    "HTTP/1.1 200 OK\r\ndate: yesterday\r\nserver: own\r\nvia: x\r\n"
                    "content-length: 0\r\n\r\n"
                ),
            },
        )

    def test_local(self) -> None:
        """Direct responses and their framing."""
        self.compared(
            "local",
            {
                "get": get("/direct"),
                "head": get("/direct", method="HEAD"),
                "post": get("/direct", "Content-Length: 3", method="POST", body="abc"),
                "halfBody": get("/direct", "Content-Length: 9", method="POST", body="abc"),
                "two": get("/direct") + get("/direct", "Connection: close"),
                "expects": get(
                    "/direct", "Expect: 100-continue", "Content-Length: 3", method="POST"
                ),
            },
            0,
        )

    def test_http10(self) -> None:
        """Clients of HTTP/1.0, where they are accepted."""
        self.compared(
            "old",
            {
                "noHost": b"GET / HTTP/1.0\r\n\r\n",
                "host": b"GET / HTTP/1.0\r\nHost: here\r\n\r\n",
                "keepAlive": b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
                "keepAliveTwice": b"GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                b"GET /2 HTTP/1.0\r\n\r\n",
                "post": b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
                "chunkedAnswer": (
                    "GET / HTTP/1.0\r\n"
                    + answer(
                        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
                    )
                    + "\r\n\r\n"
                ).encode(),
                "chunkedRequest": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"1\r\na\r\n0\r\n\r\n",
            },
            0,
        )

    def test_trailers(self) -> None:
        """With enable_trailers on both sides, and on one."""
        conversations = {
            "request": chunked("1\r\na\r\n0\r\nX-T: 1\r\nx-u: 2\r\n\r\n"),
            "answer": get(
                "/",
                answer(
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n"
                    "0\r\nX-T: 1\r\n\r\n"
                ),
            ),
            "forbidden": [chunked("1\r\na\r\n"), b"0\r\ncontent-length: 5\r\n\r\n"],
            "bad": [chunked("1\r\na\r\n"), b"0\r\nbad name: 5\r\n\r\n"],
        }
        self.together(("trailers", "halfTrailers"), conversations)

    def test_cases(self) -> None:
        """Names as they were written, and in proper case."""
        conversations = {
            "own": get("/", "X-MiXed: 1", "hOst: test", "x-lower: 1"),
            "answered": get(
                "/", answer("HTTP/1.1 200 OK\r\nX-FOO-bar: 1\r\nContent-length: 0\r\n\r\n")
            ),
            "body": get("/", "CONTENT-length: 1", method="POST", body="a"),
        }
        self.together(("preserved", "proper"), conversations)

    def test_lengthAndChunks(self) -> None:
        """With allow_chunked_length the chunks win."""
        self.compared(
            "chunkedLength",
            {
                "both": chunked("1\r\na\r\n0\r\n\r\n", "/", "Content-Length: 99"),
                "bothAnd": chunked("1\r\na\r\n0\r\n\r\n", "/", "Content-Length: 1") + get("/next"),
            },
            0,
        )

    def test_absolute(self) -> None:
        """The absolute form, read and not read."""
        conversations = {
            "absolute": get("http://other:81/x?y"),
            "upper": get("HTTP://Other/x"),
            "noPath": get("http://other"),
            "query": get("http://other?x=1"),
            "https": get("https://other/x"),
            "strange": get("ftp://other/x"),
            "user": get("http://user@other/x"),
            "bad": get("http:///x"),
            "noHost": b"GET http://other/x HTTP/1.1\r\n\r\n",
        }
        self.together(("absolute", "relative"), conversations, 0)

    def test_connectionLimit(self) -> None:
        """max_requests_per_connection: the last one is told."""
        said = self.compared("once", {"three": [get("/1"), get("/2"), get("/3")]}, 2)
        self.assertEqual("".join(said["three"]).count("HTTP/1.1 200 OK"), 2)

    def test_limits(self) -> None:
        """Names with underscores, many headers, big heads."""
        self.compared(
            "underscores", {"refused": get("/", "x_a: 1"), "taken": get("/", "x-a: 1")}, 0
        )
        self.compared(
            "dropped",
            {
                "dropped": get("/", "x_a: 1"),
                "five": get("/", *[f"x-{i}: 1" for i in range(4)]),
                "six": get("/", *[f"x-{i}: 1" for i in range(5)]),
                "big": get("/", "x-a: " + "a" * 1100),
                "bigPath": get("/" + "a" * 1100),
            },
            0,
        )

    def test_continue(self) -> None:
        """100-continue: ours, or the origin's."""
        expecting = get("/", "Expect: 100-continue", "Content-Length: 3", method="POST")
        conversations = {
            "sent": [expecting, b"abc"],
            "strange": get("/", "Expect: the-unexpected"),
            "noBody": get("/", "Expect: 100-continue"),
            "answered": [
                get(
                    "/",
                    "Expect: 100-continue",
                    "Content-Length: 3",
                    "x-early: 1",
                    answer(("HTTP/1.1 100 Continue\r\n\r\n", OK)),
                    method="POST",
                )
            ],
            "refused": [
                get(
                    "/",
                    "Expect: 100-continue",
                    "Content-Length: 3",
                    "x-early: 1",
                    answer(("HTTP/1.1 417 No\r\ncontent-length: 0\r\n\r\n",)),
                    method="POST",
                )
            ],
        }
        self.together(("expects", "continues"), conversations, 0)

    def test_streamErrors(self) -> None:
        """A message that is refused and leaves the connection open."""
        self.together(
            ("messageError", "streamError"),
            {
                "noHost": b"GET / HTTP/1.1\r\n\r\n" + get("/next"),
                "twoLengths": get("/", "Content-Length: 3", "Content-Length: 4", body="abc"),
                "badName": get("/", "x y: 1"),
            },
            0,
        )
