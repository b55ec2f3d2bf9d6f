"""Who closes behind a hop, and what the client in front of it sees of that."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import cluster, listener, logTo, tcpProxy, typed
from tests.parity.exchanges import END, get, http1
from tests.parity.managers import direct, manager
from tests.parity.peers import Peer, Served
from tests.parity.peers import echo as echoOrigin
from tests.parity.support import ParityTestCase, Side, served

LOG = (
    "%RESPONSE_FLAGS% %UPSTREAM_DETECTED_CLOSE_TYPE% %DOWNSTREAM_DETECTED_CLOSE_TYPE% "
    "%UPSTREAM_LOCAL_CLOSE_REASON% %DOWNSTREAM_LOCAL_CLOSE_REASON% tx=%BYTES_SENT%"
)
NOBODY: dict[str, Any] = {"action": "ALLOW", "policies": {}}
DENY = typed("deny", "filters.network.rbac.v3.RBAC", stat_prefix="deny.", rules=NOBODY)
LIMIT = typed(
    "limit",
    "filters.network.connection_limit.v3.ConnectionLimit",
    stat_prefix="limit",
    max_connections=1,
    delay="0.1s",
)


def tunnels(peer: Peer) -> object:
    """Agrees to a CONNECT; gives back what comes in it."""
    asked = peer.receive(len(b"CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n"))
    peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while data := peer.some():
        peer.send(data)
    return asked


class CloseTests(ParityTestCase):
    """A client, a TCP proxy, a hop, and a filter or a connection manager that closes."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": echoOrigin, "tunnels": tunnels}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        http = manager("http", [direct()])
        del http["address"]
        listeners = [
            listener("denied", "internal:", DENY, tcpProxy()),
            listener("limited", "internal:", LIMIT, tcpProxy()),
            {**http, "internal_listener": {}},
        ]
        clusters = [cluster("origin", f"127.0.0.1:{ports['origin']}")]
        tunnel = tcpProxy("tunnels", "tunnel", tunneling_config={"hostname": "a:1"})
        listeners.append(listener("tunnel", "internal:", tunnel))
        clusters.append(cluster("tunnels", f"127.0.0.1:{ports['tunnels']}"))
        for name in ("denied", "limited", "http", "tunnel"):
            proxy = tcpProxy(name, f"{name}Tcp")
            log = logTo(f"{name}.tcp.log", LOG)
            listeners.append(listener(f"{name}In", "127.0.0.1:0", proxy, access_log=log))
            clusters.append(cluster(name, f"internal:{name}"))
        return served(listeners, clusters)

    def _closed(self, name: str, text: bytes, lines: int = 1) -> None:
        def scenario(side: Side) -> object:
            first = side.connect(f"{name}In")
            if lines > 1:
                first.send(b"1")
                first.receive(1)
            client = side.connect(f"{name}In")
            if text:
                client.send(text)
            ended = client.rest()
            first.end()
            return ended, first.rest()

        stats = rf"^cluster\.{name}\.upstream_cx_(destroy|active)|^(deny|connection_limit)\."
        self.same(scenario, stats, f"{name}.tcp.log", 2)

    def test_denied(self) -> None:
        """RBAC at the first bytes: the client need not end, it is reset."""
        self._closed("denied", b"x")

    def test_tunnel(self) -> None:
        """A tunnel over HTTP/1.1, which the client's end ends."""

        def scenario(side: Side) -> object:
            client = side.connect("tunnelIn")
            client.send(b"x")
            first = client.receive(1)
            client.end()
            return first, client.rest()

        self.same(scenario, r"^cluster\.tunnel\.upstream_cx_(destroy|active)", "tunnel.tcp.log")

    def test_limited(self) -> None:
        """One connection too many, after a delay."""
        self._closed("limited", b"", 2)

    def test_http(self) -> None:
        """A connection manager closes after its answer, or because the client has ended."""
        conversations: dict[str, bytes | list[bytes]] = {
            "close": get("/", "Connection: close"),
            "end": [get("/"), END],
            "garbage": b"GARBAGE\r\n\r\n",
            "second": [get("/"), get("/", "Connection: close")],
        }
        self.same(
            lambda side: http1(side.program.port("httpIn"), conversations, 2.0),
            r"^cluster\.http\.upstream_cx_(destroy|active)",
            "http.tcp.log",
            len(conversations),
        )
