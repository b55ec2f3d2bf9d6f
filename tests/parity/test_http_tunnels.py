"""Upgrades and CONNECT: refused, terminated, passed on."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from tests.bootstraps import cluster
from tests.parity.exchanges import END, get
from tests.parity.h2_exchanges import asked, data, head
from tests.parity.h2_exchanges import http2 as talk2
from tests.parity.http_origins import Scripted, answer
from tests.parity.managers import ManagerTestCase, direct, host, manager, route
from tests.parity.managers import http2 as speaks2
from tests.parity.peers import Served, echo, greetAndListen
from tests.parity.support import Side, served

SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: {}\r\n\r\n"
_UPGRADE = ("connection: upgrade", "upgrade: websocket")


def connect(path: str = "somewhere:80", *headers: str, body: str = "") -> bytes:
    """A CONNECT over HTTP/1.1."""
    return get(path, f"Host: {path}", *headers, method="CONNECT", body=body)


def connect2(*headers: tuple[str, str], authority: str = "somewhere:80") -> bytes:
    """One over HTTP/2."""
    return head(1, [(":method", "CONNECT"), (":authority", authority), *headers])


def _connects(cluster: str, **config: Any) -> list[dict[str, Any]]:
    """A route for CONNECT whose upstream is TCP, and one for the rest."""
    upgrade = {"upgrade_type": "CONNECT", "connect_config": config}
    return [
        {
            "match": {"connect_matcher": {}},
            "route": {"cluster": cluster, "upgrade_configs": [upgrade]},
        },
        direct("no tunnel"),
    ]


class HTTPTunnelTests(ManagerTestCase):
    """HTTP/1.1 and HTTP/2 clients, and both kinds of origins."""

    unlike = ManagerTestCase.unlike + "|cx_destroy|delayed_close|rq_tx_reset"
    origins: ClassVar[dict[str, Served | None]] = {
        "echo": echo,
        "greet": greetAndListen,
        "refusing": None,
        "origin": Scripted(),
    }

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        clusters = [cluster(name, f"127.0.0.1:{port}") for name, port in ports.items()]
        socket = {"upgrade_configs": [{"upgrade_type": "websocket"}]}
        off = {"upgrade_configs": [{"upgrade_type": "websocket", "enabled": False}]}
        tunnel = {"upgrade_configs": [{"upgrade_type": "CONNECT"}]}
        h2 = {"http2_protocol_options": {"allow_connect": True}}
        passed = {
            "match": {"connect_matcher": {}},
            "route": {"cluster": "hop", "upgrade_configs": [{"upgrade_type": "CONNECT"}]},
        }
        clusters += [
            cluster("hop", "internal:hop"),
            cluster("hop2", "internal:hop", **speaks2(options={"allow_connect": True})),
            cluster("sockets2", "internal:wsHop", **speaks2(options={"allow_connect": True})),
        ]
        inner = manager("inner", _connects("echo"), **tunnel, **h2)
        sockets = manager("inners", [route()], **socket, **h2)
        listeners = [
            manager("sockets", [route(action={"timeout": "0.3s"})], **socket),
            manager("off", [route()], **off),
            manager("none", [route()]),
            manager("byRoute", [route(action=socket)]),
            manager("offByRoute", [route(action=off)], **socket),
            manager("up", [route("sockets2")], **socket),
            *[
                manager(name, _connects(name), **tunnel, **h2)
                for name in ("echo", "greet", "refusing")
            ],
            manager(
                "posts",
                [
                    {
                        "match": {"prefix": "/"},
                        "route": {
                            "cluster": "echo",
                            "upgrade_configs": [
                                {"upgrade_type": "CONNECT", "connect_config": {"allow_post": True}}
                            ],
                        },
                    }
                ],
                **tunnel,
                **h2,
            ),
            manager(
                "proxied",
                _connects("echo", proxy_protocol_config={"version": "V1"}),
                **tunnel,
                **h2,
            ),
            manager("passed", [passed, direct()], **tunnel, **h2),
            manager("passedOn", [{**passed, "route": {"cluster": "origin"}}], **tunnel),
            manager(
                "connectsOrSockets",
                _connects("echo"),
                upgrade_configs=[*tunnel["upgrade_configs"], *socket["upgrade_configs"]],
            ),
            manager(
                "passed2",
                [{**passed, "route": {**passed["route"], "cluster": "hop2"}}],
                **tunnel,
                **h2,
            ),
            manager(
                "domains",
                config={"virtual_hosts": [host("one", "one.test:443", routes=_connects("echo"))]},
                **tunnel,
            ),
            manager("unrouted", [direct("only direct")], **tunnel),
        ]
        for one, name in ((inner, "hop"), (sockets, "wsHop")):
            one.pop("address")
            listeners.append({**one, "name": name, "internal_listener": {}})
        return served(listeners, clusters)

    def talked(self, side: Side, name: str, conversations: dict[str, Any]) -> Any:
        """Over HTTP/2 when the name of the conversation ends in 2."""
        port = side.program.port(name)
        second = {key: one for key, one in conversations.items() if key.endswith("2")}
        first = {key: one for key, one in conversations.items() if key not in second}
        answers: dict[str, Any] = {}
        if first:
            answers.update(super().talked(side, name, first))
        if second:
            answers.update(talk2(port, second))
        return answers

    def test_upgrades(self) -> None:
        """Who may upgrade, and to what."""
        text = SWITCHED.format("websocket")
        conversations = {
            "echo": [get("/", *_UPGRADE, answer((text, "!echo"))), b"abc"],
            "atOnce": get("/", *_UPGRADE, answer((text, "!echo"))) + b"abc",
            "ends": [get("/", *_UPGRADE, answer((text, "!echo"))), b"abc", END],
            "originEnds": get("/", *_UPGRADE, answer((text + "bye", "!close"))),
            "refused": get(
                "/", *_UPGRADE, answer("HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno")
            ),
            "cased": [
                get(
                    "/",
                    "Connection: keep-alive, Upgrade",
                    "Upgrade: WebSocket",
                    answer((text, "!echo")),
                ),
                b"abc",
            ],
            "other": get("/", "connection: upgrade", "upgrade: other", answer("x")),
            "unconnected": get("/", "upgrade: websocket"),
            "h2c": get(
                "/",
                "connection: upgrade, http2-settings",
                "upgrade: h2c",
                "http2-settings: AAMAAABkAAQCAAAAAAIAAAAA",
            ),
            "hangs": get("/", *_UPGRADE, answer("!hang")),
        }
        self.compared("sockets", conversations, 0)
        for name in ("off", "none", "byRoute", "offByRoute"):
            self.compared(name, {key: conversations[key] for key in ("echo", "other")}, 0)

    def test_upgradesUp(self) -> None:
        """A WebSocket that goes on over HTTP/2."""
        text = SWITCHED.format("websocket")
        self.compared(
            "up",
            {
                "echo": [get("/", *_UPGRADE, answer((text, "!echo"))), b"abc"],
                "refused": get(
                    "/", *_UPGRADE, answer("HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno")
                ),
            },
            0,
        )

    def test_terminated(self) -> None:
        """CONNECT to a TCP origin, over both protocols."""
        conversations = {
            "echo": [connect(), b"abc"],
            "atOnce": connect(body="abc"),
            "ends": [connect(), b"abc", END],
            "post": get("/", "content-length: 1", method="POST", body="a"),
            "length": [connect("a:1", "content-length: 0"), b"abc"],
            "noPort": [connect("somewhere"), b"abc"],
            "echo2": [connect2(), data(1, b"abc")],
            "ends2": [connect2(), data(1, b"abc", "END_STREAM")],
        }
        self.compared("echo", conversations, 0)
        self.compared("greet", {"one": connect(), "one2": connect2()}, 0)
        self.compared("refusing", {"one": connect(), "one2": connect2()}, 0)

    def test_upgradeOfConnect(self) -> None:
        """A CONNECT that asks for an upgrade, too."""
        upgrades = {
            name: [connect("a:1", "connection: upgrade", f"upgrade: {name}"), b"abc"]
            for name in ("websocket", "other")
        }
        self.compared("connectsOrSockets", upgrades, 0)

    def test_options(self) -> None:
        """allow_post, a proxy header, domains, and no route for CONNECT."""
        self.compared(
            "posts",
            {
                "post": [get("/", "transfer-encoding: chunked", method="POST", body="1\r\na\r\n")],
                "get": get("/"),
                "connect": [connect(), b"abc"],
                "post2": [head(1, asked("/", method="POST")), data(1, b"abc")],
            },
            0,
        )
        self.same(
            lambda side: _portless(self.talked(side, "proxied", {"one": [connect(), b"abc"]}))
        )
        self.compared(
            "domains", {"one": [connect("one.test:443"), b"abc"], "other": connect("b:443")}, 0
        )
        self.compared("unrouted", {"one": connect()}, 0)
        self.compared("none", {"one": connect(), "ws": get("/", *_UPGRADE)}, 0)

    def test_passed(self) -> None:
        """CONNECT that is passed on, and terminated behind it."""
        conversations = {
            "echo": [connect(), b"abc"],
            "ends": [connect(), b"abc", END],
            "get": get("/"),
            "echo2": [connect2(), data(1, b"abc")],
        }
        self.compared("passed", conversations, 0)
        answers = {
            str(status): [connect("a:1", answer((f"HTTP/1.1 {status} X\r\n\r\n", "!echo"))), b"abc"]
            for status in (200, 201, 204)
        }
        self.compared("passedOn", answers, 0)
        del conversations["get"]
        self.compared("passed2", conversations, 0)


def _portless(answers: dict[str, list[str]]) -> list[str]:
    """The first conversation without ports, which a proxy header has bare."""
    return [re.sub(r"\b\d{4,5}\b", "PORT", line) for line in answers["one"]]
