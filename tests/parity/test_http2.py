"""HTTP/2 on both sides."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import cluster
from tests.parity.exchanges import END
from tests.parity.exchanges import get as get1
from tests.parity.h2_exchanges import (
    MAGIC,
    asked,
    data,
    get,
    head,
    http2,
    opening,
    raw,
    reset,
)
from tests.parity.h2_origin import H2Origin
from tests.parity.http_origins import Scripted, answer
from tests.parity.managers import ManagerTestCase, direct, manager, protocol, route
from tests.parity.managers import http2 as speaks2
from tests.parity.peers import Served
from tests.parity.support import Side, served


def does(words: str, *headers: tuple[str, str], path: str = "/") -> bytes:
    """A request that tells the origin what to do."""
    return get(1, path, ("x-do", words), *headers)


def script(*steps: str) -> tuple[str, str]:
    """A header for the HTTP/1.1 origin."""
    return ("x-answer", answer(steps).removeprefix("x-answer: "))


class HTTP2Tests(ManagerTestCase):
    """Clients of HTTP/2, origins of both kinds."""

    origins: ClassVar[dict[str, Served | None]] = {
        "origin": Scripted(),
        "h2": H2Origin(),
        "narrow": H2Origin({3: 1}),
    }

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        origin = f"127.0.0.1:{ports['origin']}"
        origin2 = f"127.0.0.1:{ports['h2']}"
        once = {"common_http_protocol_options": {"max_requests_per_connection": 1}}
        clusters = [
            cluster("origin", origin),
            cluster("fresh", origin, **protocol(**once)),
            cluster("h2", origin2, **speaks2(**once)),
            cluster("narrow", f"127.0.0.1:{ports['narrow']}", **speaks2()),
        ]
        few = {"max_concurrent_streams": 2}
        errors = {"override_stream_error_on_invalid_http_message": True}
        connects = {"allow_connect": True}
        listeners = [
            *[
                manager(name, [direct(prefix="/direct"), route("fresh")])
                for name in ("requests", "refused", "frames", "answers")
            ],
            manager("plain", [direct(prefix="/direct"), route("fresh")], codec_type="HTTP2"),
            *[manager(name, [route("h2")]) for name in ("both", "resets", "up")],
            manager("narrow", [route("narrow")]),
            manager(
                "few", [route("fresh", action={"timeout": "0.3s"})], http2_protocol_options=few
            ),
            manager("errors", [route("fresh")], http2_protocol_options=errors),
            manager(
                "connects",
                [route("h2")],
                http2_protocol_options=connects,
                upgrade_configs=[{"upgrade_type": "websocket"}],
            ),
            manager("noConnects", [route("h2")]),
            manager(
                "once",
                [route("fresh")],
                common_http_protocol_options={"max_requests_per_connection": 2},
            ),
            manager(
                "small",
                [route("fresh")],
                max_request_headers_kb=1,
                common_http_protocol_options={
                    "max_headers_count": 8,
                    "headers_with_underscores_action": "REJECT_REQUEST",
                },
            ),
        ]
        return served(listeners, clusters)

    def talked(self, side: Side, name: str, conversations: dict[str, Any]) -> Any:
        """Over HTTP/2, unless the name of the listener says otherwise."""
        if name == "up":
            return super().talked(side, name, conversations)
        return http2(side.program.port(name), conversations)

    def test_requests(self) -> None:
        """Requests of every kind, and what the origin sees of them."""
        said: Any = self.compared(
            "requests",
            {
                "get": get(1, "/a?b"),
                "direct": get(1, "/direct"),
                "head": head(1, asked("/direct", method="HEAD"), "END_STREAM"),
                "two": get(1, "/1") + get(3, "/2"),
                "post": head(1, asked(method="POST")) + data(1, b"abc", "END_STREAM"),
                "length": head(1, asked("/", ("content-length", "3"), method="POST"))
                + data(1, b"abc", "END_STREAM"),
                "padded": head(1, asked(method="POST")) + raw(0, 9, 1, b"\x03abc\0\0\0"),
                "emptyEnd": head(1, asked(method="POST"))
                + data(1, b"abc")
                + data(1, b"", "END_STREAM"),
                "trailers": head(1, asked(method="POST"))
                + data(1, b"abc")
                + head(1, [("x-t", "1")], "END_STREAM"),
                "cookies": get(1, "/", ("cookie", "a=1"), ("cookie", "b=2")),
                "host": head(
                    1,
                    [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "h.test")],
                    "END_STREAM",
                ),
                "both": get(1, "/", ("host", "other")),
                "https": head(1, [*asked()[:1], (":scheme", "https"), *asked()[2:]], "END_STREAM"),
                "te": get(1, "/", ("te", "trailers")),
                "expect": head(1, asked("/direct", ("expect", "100-continue"), method="POST")),
                "early": head(1, asked("/direct", method="POST")),
                "reset": [head(1, asked(method="POST")), reset(1), get(3)],
                "halfGone": [head(1, asked(method="POST")), END],
                "gone": [get(1), END],
                "options": head(1, asked("*", method="OPTIONS"), "END_STREAM"),
                "absolute": get(1, "http://x/y"),
                "query": get(1, "?x"),
                "fragment": get(1, "/a#b"),
                "priority": raw(2, 0, 1, b"\0\0\0\0\x10") + get(1),
                "ping": raw(6, 0, 0, b"12345678") + get(1, "/direct"),
                "goaway": get(1, "/direct") + raw(7, 0, 0, b"\0" * 8),
                "unknownFrame": raw(99, 0, 0, b"xyz") + get(1, "/direct"),
            },
            0,
        )
        self.assertIn("END", said["two"]["3"])

    def test_refused(self) -> None:
        """Heads that are no heads: the stream or the connection ends."""
        good = asked()
        conversations = {
            "upper": get(1, "/", ("X-A", "1")),
            "connection": get(1, "/", ("connection", "close")),
            "keepAlive": get(1, "/", ("keep-alive", "1")),
            "transferEncoding": get(1, "/", ("transfer-encoding", "chunked")),
            "te": get(1, "/", ("te", "gzip")),
            "noMethod": head(1, good[1:], "END_STREAM"),
            "noScheme": head(1, [good[0], *good[2:]], "END_STREAM"),
            "noPath": head(1, [*good[:2], good[3]], "END_STREAM"),
            "emptyPath": get(1, ""),
            "twoPaths": head(1, [*good, (":path", "/b")], "END_STREAM"),
            "lastPseudo": head(1, [*good[:3], ("x-a", "1"), good[3]], "END_STREAM"),
            "unknownPseudo": get(1, "/", (":other", "1")),
            "status": get(1, "/", (":status", "200")),
            "emptyName": get(1, "/", ("", "1")),
            "badName": get(1, "/", ("x a", "1")),
            "nul": get(1, "/", ("x-a", "a\0b")),
            "newline": get(1, "/", ("x-a", "a\nb")),
            "blanks": get(1, "/", ("x-a", " a ")),
            "badMethod": head(1, asked(method="G T"), "END_STREAM"),
            "badAuthority": head(1, asked(authority="a b"), "END_STREAM"),
            "userInfo": head(1, asked(authority="u@h"), "END_STREAM"),
            "shortBody": head(1, asked("/", ("content-length", "5"), method="POST"))
            + data(1, b"abc", "END_STREAM"),
            "longBody": head(1, asked("/", ("content-length", "2"), method="POST"))
            + data(1, b"abc", "END_STREAM"),
            "badLength": head(1, asked("/", ("content-length", "x"), method="POST"), "END_STREAM"),
            "pseudoTrailer": head(1, asked(method="POST"))
            + head(1, [(":path", "/")], "END_STREAM"),
        }
        self.together(["refused", "errors"], conversations)

    def test_limits(self) -> None:
        """Heads that are too much, requests that are too many."""
        self.compared(
            "small",
            {
                "big": get(1, "/", ("x-a", "a" * 1100)),
                "many": get(1, "/", *[(f"x-{at}", "1") for at in range(6)]),
                "underscore": get(1, "/", ("x_a", "1")),
                "good": get(1),
            },
            0,
        )
        self.compared("once", {"three": [get(1), get(3), get(5)]}, 0)
        hang = script("!hang")
        self.compared("few", {"three": get(1, "/1", hang) + get(3, "/2", hang) + get(5, "/3")}, 0)

    def test_frames(self) -> None:
        """Frames that end a connection, as far as both do it alike."""
        conversations: dict[str, Any] = {
            "noPreface": MAGIC + get(1),
            "bigFrame": raw(0, 0, 1, b"a" * 16385),
            "badPing": raw(6, 0, 0, b"short"),
            "badSettings": raw(4, 0, 0, b"12345"),
            "oddContinuation": raw(9, 4, 1, b""),
            "badBlock": raw(1, 5, 1, b"\xff\xff\xff\xff\xff\xff"),
        }
        self.same(lambda side: self.talked(side, "frames", conversations))

    def test_answers(self) -> None:
        """Answers of an HTTP/1.1 origin."""

        def of(*steps: str, method: str = "GET") -> bytes:
            return head(1, asked("/", script(*steps), method=method), "END_STREAM")

        self.compared(
            "answers",
            {
                "chunked": of(
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
                ),
                "trailers": of(
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
                    "2\r\nab\r\n0\r\nx: 1\r\n\r\n"
                ),
                "empty": of("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
                "204": of("HTTP/1.1 204 x\r\n\r\n"),
                "304": of("HTTP/1.1 304 x\r\ncontent-length: 5\r\n\r\n"),
                "head": of("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", method="HEAD"),
                "cut": of("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab", "!close"),
                "closed": of("!close"),
                "noise": of("noise\r\n\r\n"),
                "hopByHop": of(
                    "HTTP/1.1 200 OK\r\nconnection: x-a\r\nx-a: 1\r\nkeep-alive: 5\r\n"
                    "upgrade: y\r\ncontent-length: 0\r\n\r\n"
                ),
                "103": of(
                    "HTTP/1.1 103 Early\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\n"
                    "content-length: 0\r\n\r\n"
                ),
                "untilClose": of("HTTP/1.1 200 OK\r\n\r\nab", "!close"),
            },
            0,
        )

    def test_bothSides(self) -> None:
        """HTTP/2 to HTTP/2."""
        post = asked("/", ("x-do", "200 data trailers"), method="POST")
        self.compared(
            "both",
            {
                "get": get(1),
                "trailers": does("200 data trailers"),
                "onlyTrailers": does("200 trailers"),
                "headOnly": does("ends204"),
                "interim": does("103 ends200"),
                "post": head(1, post) + data(1, b"abc", "END_STREAM"),
                "postTrailers": head(1, asked(method="POST"))
                + data(1, b"abc")
                + head(1, [("x-t", "1")], "END_STREAM"),
                "early": head(
                    1, asked("/", ("x-do", "200 data end"), ("x-early", "1"), method="POST")
                ),
            },
            0,
        )

    def test_resets(self) -> None:
        """Streams that the origin resets, with each code, before and behind the head."""
        self.compared(
            "resets",
            {
                **{f"code{code}": does(f"reset{code}") for code in (0, 1, 2, 3, 7, 8, 11, 13)},
                **{f"late{code}": does(f"200 data reset{code}") for code in (0, 2, 8)},
                "goaway": does("goaway 200 data end"),
                "close": does("close"),
                "lateClose": does("200 data close"),
                "goawayBehind": does("ends200 goaway"),
                **{f"client{code}": [does("200 data hang"), reset(1, code)] for code in (1, 8)},
            },
        )

    def test_up(self) -> None:
        """HTTP/1.1 to HTTP/2."""
        self.compared(
            "up",
            {
                "get": get1("/", "cookie: a=1; b=2", "te: trailers"),
                "post": get1("/", "content-length: 2", method="POST", body="ab"),
                "trailers": get1("/", "x-do: 200 data trailers"),
                "noBody": get1("/", "x-do: ends200"),
                "reset": get1("/", "x-do: reset7"),
                "lateReset": get1("/", "x-do: 200 data reset2"),
                "head": get1("/", "x-do: ends200", method="HEAD"),
                "upgrade": get1("/", "connection: upgrade", "upgrade: x"),
            },
            0,
        )

    def test_concurrency(self) -> None:
        """An origin that takes one stream at a time."""
        self.compared(
            "narrow",
            {"three": get(1, "/1") + get(3, "/2") + get(5, "/3")},
            0,
            r"^cluster\.narrow\.upstream_(cx_total|rq_total|cx_max_requests)",
        )

    def test_extendedConnect(self) -> None:
        """WebSocket over HTTP/2, where it is allowed."""
        extended = asked("/", (":protocol", "websocket"), method="CONNECT")
        extended.insert(1, extended.pop())
        self.compared("connects", {"plain": get(1)}, 0)
        self.compared("noConnects", {"plain": get(1)}, 0)

    def test_openings(self) -> None:
        """Settings of a client, and a listener that speaks only HTTP/2."""
        conversations: dict[str, Any] = {
            "smallWindow": opening({4: 5}) + get(1, "/direct"),
        }
        self.same(lambda side: self.talked(side, "plain", conversations))
