"""The very bytes of heads: order and case of fields, as upstreams and clients see them."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import hpack
from hyperframe.frame import HeadersFrame

from tests.bootstraps import cluster, typed
from tests.parity import h2_exchanges as h2
from tests.parity.exchanges import exchange, scrubbedText
from tests.parity.managers import ManagerTestCase, manager, protocol, route
from tests.parity.managers import http2 as speaks2
from tests.parity.peers import Peer, Served
from tests.parity.support import Side, served

_ANSWER = (
    b"HTTP/1.1 200 OK\r\nX-First: 1\r\nContent-Type: text/x\r\nSet-Cookie: a\r\nDATE: x\r\n"
    b"set-cookie: b\r\nServer: s\r\nX-Last: 2\r\nX-First: 3\r\nContent-Length: %d\r\n\r\n"
)
_LENGTH = re.compile(r"(content-length: )\d{3}", re.IGNORECASE)


def reflect(peer: Peer) -> object:
    """Give every head back as it came."""
    while True:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = peer.receive(1)
            if not more:
                return "end"
            head += more
        peer.send(_ANSWER % len(head) + head)


def added(**fields: tuple[str, str]) -> list[dict[str, Any]]:
    """Headers to add: name -> value and action."""
    return [
        {"header": {"key": name.replace("_", "-"), "value": value}, "append_action": action}
        for name, (value, action) in fields.items()
    ]


_APPEND, _OVERWRITE = "APPEND_IF_EXISTS_OR_ADD", "OVERWRITE_IF_EXISTS_OR_ADD"
_EDITS = {
    "request_headers_to_add": added(
        X_Add=("%PROTOCOL%", _APPEND), accept=("added", _APPEND), x_own=("new", _OVERWRITE)
    ),
    "response_headers_to_add": added(
        X_Add=("v", _APPEND),
        x_first=("more", _APPEND),
        set_cookie=("c", _APPEND),
        X_Last=("over", _OVERWRITE),
    ),
}
_MUTATION = typed(
    "mutation",
    "filters.http.header_mutation.v3.HeaderMutation",
    mutations={
        "request_mutations": [{"append": {"header": {"key": "x-m", "value": "1"}}}],
        "response_mutations": [{"append": {"header": {"key": "x-rm", "value": "%REQ(X-M)%|"}}}],
    },
)
_REQUESTS = {
    "many": b"GET /a HTTP/1.1\r\nX-B: 1\r\nHost: t\r\nAccept: a\r\nx-b: 2\r\nCookie: a=1\r\n"
    b"User-Agent: u\r\nCookie: b=2\r\nAccept: b\r\nX-Own: o\r\nX-Last: l\r\n\r\n",
    "forwarded": b"GET /a HTTP/1.1\r\nContent-Type: c\r\nHost: t\r\nX-Forwarded-For: 1.1.1.1\r\n"
    b"x-forwarded-proto: https\r\nX-Request-Id: mine\r\n\r\n",
    "connection": b"GET /a HTTP/1.1\r\nConnection: close, x-foo\r\nX-Foo: 1\r\nTE: trailers\r\n"
    b"Host: t\r\nKeep-Alive: 1\r\nVia: v0\r\nx-b: 1\r\n\r\n",
    "noHost": b"GET / HTTP/1.1\r\n\r\n",
    "garbage": b"garbage\r\n\r\n",
    "old": b"GET / HTTP/1.0\r\n\r\n",
}


class HeaderOrderTests(ManagerTestCase):
    """Lines of heads in their order."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": reflect}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        address = f"127.0.0.1:{ports['origin']}"
        kind = "http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig"
        proper = {"header_key_format": {"proper_case_words": {}}}
        preserved = {"header_key_format": {"stateful_formatter": typed("preserve_case", kind)}}
        rewrite = {
            "prefix_rewrite": "/new",
            "host_rewrite_literal": "other",
            "append_x_forwarded_host": True,
        }
        edited = [{**route(), **_EDITS}]
        listeners = [
            manager("plain"),
            manager("edited", edited),
            manager("edge", edited, use_remote_address=True, via="v", server_name="me"),
            manager("proper", [route("proper")], http_protocol_options=proper),
            manager("preserved", [route("preserved")], http_protocol_options=preserved),
            manager("mutated", edited, filters=[_MUTATION]),
            manager("rewritten", [route(action=rewrite)]),
        ]
        clusters = [
            cluster("origin", address),
            cluster("proper", address, **protocol({"http_protocol_options": proper})),
            cluster("preserved", address, **protocol({"http_protocol_options": preserved})),
            cluster("h2", address, **speaks2()),
        ]
        return served(listeners, clusters)

    def talked(self, side: Side, name: str, conversations: dict[str, Any]) -> Any:
        """The lines, in order."""
        answers = exchange(side.program.port(name), [[text] for text in conversations.values()])
        return {
            key: _LENGTH.sub(r"\1N", scrubbedText(heard.decode("latin-1"))).split("\r\n")
            for key, (heard, _) in zip(conversations, answers, strict=True)
        }

    def test_order(self) -> None:
        """Of requests and answers that are passed on, and of local answers."""
        names = ("plain", "edited", "edge", "proper", "preserved", "mutated", "rewritten")
        self.together(names, _REQUESTS, 0)

    def test_http2(self) -> None:
        """Clients of HTTP/2; a cookie comes last."""
        fields = [(":method", "GET"), (":path", "/a"), (":scheme", "http"), (":authority", "t")]
        more = [("x-b", "1"), ("cookie", "a=1"), ("accept", "a"), ("x-b", "2"), ("cookie", "b=2")]
        asked = h2.opening() + h2.head(1, [*fields, *more], "END_STREAM")

        def scenario(side: Side, name: str) -> Any:
            ((heard, _),) = exchange(side.program.port(name), [[asked]])
            decoder = hpack.Decoder()
            seen: list[Any] = []
            for frame in h2._frames(heard):
                if isinstance(frame, HeadersFrame):
                    seen += [
                        scrubbedText(f"\n{key}: {value}")
                        for key, value in decoder.decode(frame.data)
                    ]
                elif frame.stream_id and frame.type == 0:
                    seen += scrubbedText(frame.data.decode("latin-1")).split("\r\n")
            return [_LENGTH.sub(r"\1N", line) for line in seen if line]

        for name in ("plain", "edited", "rewritten"):
            self.same(lambda side, name=name: scenario(side, name))
