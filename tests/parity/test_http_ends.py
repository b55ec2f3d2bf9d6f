"""How requests end that are no plain ones: upgrades, CONNECT, interim answers; and odd routes."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import cluster, listener, logTo, tcpProxy
from tests.parity import h2_exchanges as h2
from tests.parity.exchanges import END, get, http1
from tests.parity.http_origins import NO, OK, Scripted, answer
from tests.parity.managers import HTTP_LOG, ManagerTestCase, host, manager, route
from tests.parity.managers import http2 as speaks2
from tests.parity.peers import Served, silent
from tests.parity.support import Side, served

_SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
_OPENED = "HTTP/1.1 200 OK\r\n\r\n"
_HINTS = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
_CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"
_CONNECT = {"match": {"connect_matcher": {}}}
_TUNNEL_LOG = "%RESPONSE_FLAGS% %UPSTREAM_HOST% %DOWNSTREAM_LOCAL_CLOSE_REASON%"


def upgrade(*steps: str) -> bytes:
    """A WebSocket that the origin answers so."""
    return get("/", "connection: Upgrade", "upgrade: websocket", answer(steps))


def tunnel(*steps: str) -> bytes:
    """A CONNECT that the origin answers so."""
    return get("h.test:80", "Host: h.test:80", answer(steps), method="CONNECT")


def script(*steps: str) -> tuple[str, str]:
    """The header of h2 requests."""
    return ("x-answer", answer(steps)[len("x-answer: ") :])


def upgrade2(*steps: str) -> bytes:
    """The same over HTTP/2."""
    extended = h2.asked("/", (":protocol", "websocket"), method="CONNECT")
    extended.insert(1, extended.pop())
    return h2.head(1, [*extended, script(*steps)])


def tunnel2(*steps: str) -> bytes:
    """The same over HTTP/2."""
    return h2.head(1, [(":method", "CONNECT"), (":authority", "h.test:80"), script(*steps)])


def allowed(name: str, cluster: str, terminated: bool) -> dict[str, Any]:
    """A route for CONNECT."""
    upgrades: dict[str, Any] = {"upgrade_type": "CONNECT"}
    if terminated:
        upgrades["connect_config"] = {}
    action = {"cluster": cluster, "timeout": "0.5s", "upgrade_configs": [upgrades]}
    return manager(name, [{**_CONNECT, "route": action}], http2_protocol_options=_EXTENDED)


_EXTENDED = {"allow_connect": True}
_PATHS = [{"header": {"key": "x-path", "value": "%REQ(:PATH)%|%REQ(X-ENVOY-ORIGINAL-PATH)%"}}]


def redirect(prefix: str, **fields: Any) -> dict[str, Any]:
    """A redirect whose answer tells the path."""
    return {
        "match": {"prefix": prefix},
        "redirect": fields,
        "response_headers_to_add": _PATHS,
    }


class EndTests(ManagerTestCase):
    """One listener a subject; HTTP/1.1 and HTTP/2."""

    unlike = ManagerTestCase.unlike + "|cx_delayed_close|cx_destroy"
    origins: ClassVar[dict[str, Served | None]] = {
        "origin": Scripted(),
        "refuses": None,
        "silent": silent,
    }

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        address = f"127.0.0.1:{ports['origin']}"
        weights = {
            "runtime_key_prefix": "shares",
            "clusters": [{"name": "origin", "weight": 1}, {"name": "dead", "weight": 0}],
        }
        short = route(action={"timeout": "0.5s"})
        wide = {"upgrade_configs": [{"upgrade_type": "websocket"}]}
        rewrite = {"pattern": {"regex": "^/c/(.*)"}, "substitution": "/x/\\1"}
        tunnels = [
            listener(
                name,
                "127.0.0.1:0",
                tcpProxy(
                    cluster=to,
                    prefix=name,
                    idle_timeout="0.4s",
                    tunneling_config={"hostname": "h.test:80"},
                    access_log=logTo(f"{name}.log", _TUNNEL_LOG),
                ),
            )
            for name, to in (("idle1", "silent"), ("idle2", "silent2"))
        ]
        listeners = [
            manager("upgrades", [short], http2_protocol_options=_EXTENDED, **wide),
            allowed("terminated", "origin", True),
            allowed("refused", "dead", True),
            allowed("proxied", "origin", False),
            manager(
                "notAllowed",
                [{**_CONNECT, "route": {"cluster": "origin"}}],
                http2_protocol_options=_EXTENDED,
            ),
            manager("interim", [short], proxy_100_continue=True),
            manager("edge", [short], use_remote_address=True),
            manager(
                "redirects",
                [
                    redirect("/a", path_redirect="/b"),
                    redirect("/b", prefix_rewrite="/d"),
                    redirect("/c", regex_rewrite=rewrite),
                ],
                log=f"{HTTP_LOG} %REQ(:PATH)%",
            ),
            manager(
                "weights",
                config={
                    "virtual_hosts": [
                        host(
                            "all",
                            routes=[
                                {"match": {"prefix": "/"}, "route": {"weighted_clusters": weights}},
                                {"match": {"prefix": "/"}, "direct_response": {"status": 299}},
                            ],
                        )
                    ]
                },
            ),
            *tunnels,
        ]
        quiet = f"127.0.0.1:{ports['silent']}"
        clusters = [
            cluster("origin", address),
            cluster("dead", f"127.0.0.1:{ports['refuses']}"),
            cluster("silent", quiet),
            cluster("silent2", quiet, **speaks2()),
        ]
        layers = [
            {"name": "static", "static_layer": {"shares.origin": 5}},
            {"name": "admin", "admin_layer": {}},
        ]
        return served(listeners, clusters, layered_runtime={"layers": layers})

    def talked(self, side: Side, name: str, conversations: dict[str, Any]) -> Any:
        """Conversations whose names end with 2 are HTTP/2's."""
        port = side.program.port(name)
        new = {key: one for key, one in conversations.items() if key.endswith("2")}
        old = {key: one for key, one in conversations.items() if key not in new}
        return {**(http1(port, old) if old else {}), **(h2.http2(port, new) if new else {})}

    def test_upgrades(self) -> None:
        """The upstream's end cuts a WebSocket; HTTP/2 clients get CONNECT_ERROR."""
        self.compared(
            "upgrades",
            {
                "closes": upgrade(_SWITCHED, "hi", "!close"),
                "resets": upgrade(_SWITCHED, "hi", "!pause", "!reset"),
                "ends": upgrade(_SWITCHED, "hi", "!end", "!hang"),
                "gone": [upgrade(_SWITCHED, "!echo"), b"abc", END],
                "early": [upgrade(_SWITCHED, "!echo") + b"abc"],
                "unnamed": [upgrade("HTTP/1.1 101 S\r\n\r\n", "!echo"), b"x"],
                "other": upgrade(_SWITCHED.replace("websocket", "foo"), "!echo"),
                "refused": upgrade(NO),
                "silent": upgrade("!hang"),
                "noAnswer": upgrade("!close"),
                "accepted": upgrade(OK),
                "closes2": upgrade2(_SWITCHED, "hi", "!close"),
                "resets2": upgrade2(_SWITCHED, "hi", "!pause", "!reset"),
                "ends2": upgrade2(_SWITCHED, "hi", "!end", "!hang"),
                "refused2": upgrade2(NO),
                "silent2": upgrade2("!hang"),
                "noAnswer2": upgrade2("!close"),
                "accepted2": upgrade2(OK),
                "reset2": [upgrade2(_SWITCHED, "!echo"), h2.reset(1)],
                "resetAsConnect2": [upgrade2(_SWITCHED, "!echo"), h2.reset(1, 10)],
                "gone2": [upgrade2(_SWITCHED, "!echo"), END],
            },
        )

    def test_connect(self) -> None:
        """CONNECT that is terminated, passed on, refused."""
        asked = h2.data(1, get("/", answer((OK, "!close"))))
        terminated = {
            "plain": [tunnel("") + get("/", answer((OK, "!close")))],
            "gone": [tunnel(""), END],
            "closes2": [tunnel2(""), asked],
            "reset2": [tunnel2(""), h2.reset(1)],
        }
        for name in ("terminated", "refused", "notAllowed"):
            self.compared(name, terminated)
        self.compared(
            "proxied",
            {
                "echo": [tunnel(_OPENED, "!echo"), b"abc"],
                "closes": tunnel(_OPENED, "hi", "!close"),
                "ends": [tunnel(_OPENED, "hi", "!end", "!hang")],
                "refused": tunnel("HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno"),
                "noAnswer": tunnel("!close"),
                "resets": tunnel("!reset"),
                "silent": tunnel("!hang"),
                "closes2": [tunnel2(_OPENED, "hi", "!close"), h2.data(1, b"abc")],
                "resets2": tunnel2(_OPENED, "hi", "!pause", "!reset"),
                "refused2": tunnel2("HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno"),
                "noAnswer2": tunnel2("!close"),
                "silent2": tunnel2("!hang"),
            },
        )

    def test_interim(self) -> None:
        """The first interim answer is passed on, and no other."""
        asked = ("expect: 100-continue", "content-length: 3", "x-early: 1")
        conversations: dict[str, Any] = {
            "".join(name): [get("/", *asked, answer((*steps, "!pause", OK)), method="POST"), b"abc"]
            for name, steps in {
                "hintsFirst": (_HINTS, _CONTINUE),
                "hintsLater": (_CONTINUE, _HINTS),
                "twice": (_CONTINUE, _CONTINUE),
            }.items()
        }
        conversations["processing"] = get("/", answer(("HTTP/1.1 102 P\r\n\r\n", OK)))
        self.compared("interim", conversations, stats="upstream_rq_1")

    def test_edge(self) -> None:
        """An absolute URL of https over plain text."""
        urls = ("https://h.test/x", "HTTPS://h.test/x", "http://h.test/x", "ftp://h.test/x")
        self.compared("edge", {url: get(url) for url in urls})

    def test_redirects(self) -> None:
        """What is rewritten in a location is rewritten in the request."""
        self.compared("redirects", {path: get(f"/{path}/q?x=1") for path in "abc"})

    def test_weights(self) -> None:
        """When all weights are 0 the next route is taken."""
        self.compared("weights", {"some": get()})
        changed = "/runtime_modify?shares.origin=0"
        for side in self.sides:
            side.program.admin(changed, "POST")
        heard = self.compared("weights", {"none": get()}, 2)
        self.assertIn("299", heard["none"][0])

    def test_idleTunnel(self) -> None:
        """idle_timeout runs while the answer to a CONNECT is awaited."""

        def waits(side: Side, name: str) -> Any:
            peer = side.connect(name)
            end = peer.rest()
            peer.close()
            return end

        for name in ("idle1", "idle2"):
            stats = rf"^tcp\.{name}\.idle"
            self.same(lambda side, name=name: waits(side, name), stats, f"{name}.log")
