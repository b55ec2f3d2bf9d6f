"""Answers that are cut, near and behind a hop, and requests of one line."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import INTERNAL, addressOf, cluster, listener, logTo, tcpProxy
from tests.parity.exchanges import get
from tests.parity.managers import ManagerTestCase, direct, manager, route
from tests.parity.peers import Peer, Served
from tests.parity.support import Side, served

CUT = {
    b"/length": b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc",
    b"/chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc",
    b"/head": b"HTTP/1.1 200 OK\r\ncontent-le",
    b"/nothing": b"",
}
LINES = (b"GET /\r\n", b"GET /\n", b"GET  / \r\n", b"POST /x\r\n", b"get /\r\n", b"GET /\r\n\r\n")


def cutting(peer: Peer) -> object:
    """Says a part, and closes."""
    asked = peer.some().split(b" ")
    if len(asked) > 1:
        peer.send(CUT[asked[1]])
    peer.close()
    return None


def hop(name: str, target: str) -> dict[str, Any]:
    """A cluster whose host is an internal listener."""
    made = cluster(name, "127.0.0.1:1")
    endpoint = {"address": addressOf(f"internal:{target}")}
    made["load_assignment"]["endpoints"] = [{"lb_endpoints": [{"endpoint": endpoint}]}]
    return made


BROKEN = (
    *(b"garbage\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"),
    *(b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x00\x00"),
    b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"z" * 30,
)


class CutTests(ManagerTestCase):
    """One listener for each way to the origin."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": cutting}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        inner = manager("inner", [route()])
        del inner["address"]
        inner["internal_listener"] = {}
        old = {"accept_http_10": True}
        named = {**old, "default_host_for_http_10": "dflt"}
        logged = manager("logged", [direct()])
        logged["access_log"] = logTo("logged.connections.log", "%RESPONSE_FLAGS%")
        listeners = [
            logged,
            manager("near", [route()]),
            manager("http", [route("byHTTP")]),
            manager("tcp", [route("byTCP")]),
            manager("old", [direct()], http_protocol_options=old),
            manager("named", [direct()], http_protocol_options=named),
            inner,
            listener("pipe", "internal:", tcpProxy("origin", "pipe")),
        ]
        clusters = [
            cluster("origin", f"127.0.0.1:{ports['origin']}"),
            hop("byHTTP", "inner"),
            hop("byTCP", "pipe"),
        ]
        return served(listeners, clusters, bootstrap_extensions=[INTERNAL])

    def test_cut(self) -> None:
        """Each is a fault of the cluster's that is nearest to it, and of those before."""
        paths = [path.decode() for path in CUT]
        for name in ("near", "http", "tcp"):
            self.compared(name, {path: get(path) for path in paths}, stats="cx_protocol_error")

    def test_flags(self) -> None:
        """A connection's log says that its client spoke no HTTP."""

        def scenario(side: Side) -> object:
            for index, data in enumerate(BROKEN, 1):
                self.talked(side, "logged", {"": data})
                lines = side.program.lines("logged.connections.log", index)
            return lines

        self.same(scenario)

    def test_lines(self) -> None:
        """Without a version nothing is waited for."""
        for name in ("old", "named"):
            self.compared(name, {repr(line): line for line in LINES})
