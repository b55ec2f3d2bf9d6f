"""A TCP proxy between sockets: bytes, order of ends, failures, counters, log lines."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import cluster, listener, logTo, tcpProxy
from tests.parity.peers import (
    Served,
    digest,
    echo,
    greet,
    greetAndListen,
    resetAfterData,
    silent,
)
from tests.parity.support import LOG, ParityTestCase, Side, served


def proxied(name: str, to: str | None = None, **fields: Any) -> dict[str, Any]:
    """A listener and a proxy of that name, to a cluster, with a log of that name."""
    proxy = tcpProxy(to or name, name, access_log=logTo(f"{name}.log", LOG), **fields)
    return listener(name, "127.0.0.1:0", proxy, stat_prefix=name)


def counted(name: str) -> str:
    """A pattern of the stats of a listener, its proxy and its cluster."""
    return rf"^(listener|tcp|cluster)\.{name}\."


class ProxyTests(ParityTestCase):
    """One listener, one cluster and one origin for each test."""

    origins: ClassVar[dict[str, Served | None]] = {
        **{name: echo for name in ("echo", "closes", "resets", "idle", "aged", "weighted")},
        **{name: echo for name in ("early", "logged", "half", "limited")},
        "digest": digest,
        "greet": greet,
        "greetAndListen": greetAndListen,
        "silent": silent,
        "resetsUs": resetAfterData,
        "refused": None,
        "thrice": None,
        "backoff": None,
    }

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        clusters = [cluster(name, f"127.0.0.1:{port}") for name, port in ports.items()]
        clusters += [
            cluster("empty"),
            cluster("halfBad", f"127.0.0.1:{ports['refused']}", f"127.0.0.1:{ports['half']}"),
            cluster(
                "full",
                f"127.0.0.1:{ports['echo']}",
                circuit_breakers={"thresholds": [{"max_connections": 0}]},
            ),
            cluster(
                "noPending",
                f"127.0.0.1:{ports['echo']}",
                circuit_breakers={"thresholds": [{"max_pending_requests": 0}]},
            ),
            cluster("noPipe", "/nonexistent/socket"),
        ]
        special: dict[str, dict[str, Any]] = {
            "idle": {"idle_timeout": "0.2s"},
            "aged": {"max_downstream_connection_duration": "0.2s"},
            "thrice": {"max_connect_attempts": 3},
            "backoff": {
                "max_connect_attempts": 2,
                "backoff_options": {"base_interval": "0.01s"},
            },
            "early": {"upstream_connect_mode": "ON_DOWNSTREAM_DATA", "max_early_data_bytes": 64},
            "logged": {
                "access_log_options": {
                    "flush_access_log_on_start": True,
                    "flush_access_log_on_connected": True,
                }
            },
        }
        listeners = [proxied(name, **special.get(name, {})) for name in ports if name != "weighted"]
        weights = {"clusters": [{"name": "weighted", "weight": 3}]}
        listeners += [
            proxied("weighted", None, weighted_clusters=weights),
            proxied("empty"),
            proxied("unknown", "nobody"),
            proxied("halfBad", max_connect_attempts=2),
            proxied("full"),
            proxied("noPending"),
            proxied("noPipe"),
        ]
        for made in listeners:
            if made["name"] == "weighted":
                del made["filter_chains"][0]["filters"][0]["typed_config"]["cluster"]
        return served(listeners, clusters)

    def _compared(self, name: str, scenario: Any, lines: int = 1) -> Any:
        return self.same(scenario, counted(name), f"{name}.log", lines)

    def test_halfClose(self) -> None:
        """The client ends first; the origin's last words still arrive."""

        def scenario(side: Side) -> object:
            client = side.connect("echo")
            client.send(b"x")
            first = client.receive(1)
            client.end()
            return first, client.rest(), side.seen("echo", 1)

        self.assertEqual(self._compared("echo", scenario)[1], [b"bye", "FIN"])

    def test_clientCloses(self) -> None:
        """A client that closes whole."""

        def scenario(side: Side) -> object:
            client = side.connect("closes")
            client.send(b"x")
            client.receive(1)
            client.close()
            return side.seen("closes", 1)

        self._compared("closes", scenario)

    def test_clientResets(self) -> None:
        """A reset goes on to the origin."""

        def scenario(side: Side) -> object:
            client = side.connect("resets")
            client.send(b"x")
            client.receive(1)
            client.reset()
            return side.seen("resets", 1)

        self.assertEqual(self._compared("resets", scenario), [[1, "RST"]])

    def test_originResets(self) -> None:
        """A reset goes on to the client, behind the bytes."""

        def scenario(side: Side) -> object:
            client = side.connect("resetsUs")
            client.send(b"x")
            first = client.receive(4)
            client.send(b"y")
            return first, client.rest()

        self.assertEqual(self._compared("resetsUs", scenario), [b"part", [b"", "RST"]])

    def test_originCloses(self) -> None:
        """The origin closes early; the client gets everything and an end of stream."""

        def scenario(side: Side) -> object:
            client = side.connect("greet")
            got = client.rest()
            client.close()
            return got, side.seen("greet", 1)

        self._compared("greet", scenario)

    def test_originEndsFirst(self) -> None:
        """The origin half-closes; it still hears the client."""

        def scenario(side: Side) -> object:
            client = side.connect("greetAndListen")
            first = client.receive(5)
            client.send(b"still here")
            client.end()
            return first, client.rest(), side.seen("greetAndListen", 1)

        self.same(scenario, r"^tcp\.greetAndListen\.downstream_cx", "greetAndListen.log")

    def test_manyBytes(self) -> None:
        """Every byte arrives before the end of stream."""

        def scenario(side: Side) -> object:
            client = side.connect("digest")
            client.send(b"\xa5" * 3_000_000)
            client.end()
            return client.rest(), side.seen("digest", 1)

        self.assertEqual(self._compared("digest", scenario)[0], [b"3000000", "FIN"])

    def test_silentOrigin(self) -> None:
        """Nothing comes back but the end."""

        def scenario(side: Side) -> object:
            client = side.connect("silent")
            client.send(b"hello?")
            client.end()
            return client.rest(), side.seen("silent", 1)

        self._compared("silent", scenario)

    def _closedAtOnce(self, name: str) -> None:
        self.assertEqual(self._compared(name, lambda side: side.connect(name).rest()), [b"", "FIN"])

    def test_refused(self) -> None:
        """Nobody listens there."""
        self._closedAtOnce("refused")

    def test_refusedThrice(self) -> None:
        """Three attempts."""
        self._closedAtOnce("thrice")

    def test_refusedWithBackoff(self) -> None:
        """Two attempts, some time between them."""
        self._closedAtOnce("backoff")

    def test_noHost(self) -> None:
        """A cluster without hosts."""
        self._closedAtOnce("empty")

    def test_unknownCluster(self) -> None:
        """A cluster that nobody configured."""
        self._closedAtOnce("unknown")

    def test_connectionsExhausted(self) -> None:
        """The circuit breaker of connections."""
        self._closedAtOnce("full")

    def test_pendingExhausted(self) -> None:
        """The circuit breaker of pending requests."""
        self._closedAtOnce("noPending")

    def test_missingPipe(self) -> None:
        """A Unix socket that is not there: the connect fails at once."""
        self._closedAtOnce("noPipe")

    def test_retryReachesTheOtherHost(self) -> None:
        """One of two hosts refuses, whichever comes first: every client is served."""

        def scenario(side: Side) -> object:
            got = []
            for _ in range(2):
                client = side.connect("halfBad")
                client.send(b"x")
                client.end()
                got.append(client.rest())
            return got, side.seen("half", 2)

        self.same(scenario, r"^(tcp\.halfBad\.|cluster\.halfBad\.membership)")

    def test_idle(self) -> None:
        """An idle connection is closed on both sides."""

        def scenario(side: Side) -> object:
            client = side.connect("idle")
            client.send(b"x")
            return client.rest(), side.seen("idle", 1)

        self._compared("idle", scenario)

    def test_tooOld(self) -> None:
        """So is one that is too old."""

        def scenario(side: Side) -> object:
            client = side.connect("aged")
            client.send(b"x")
            return client.rest(), side.seen("aged", 1)

        self._compared("aged", scenario)

    def test_weighted(self) -> None:
        """The only one of the weighted clusters."""

        def scenario(side: Side) -> object:
            client = side.connect("weighted")
            client.send(b"x")
            client.end()
            return client.rest()

        self._compared("weighted", scenario)

    def test_connectOnData(self) -> None:
        """The upstream connection waits for the client's first bytes, which it gets."""

        def scenario(side: Side) -> object:
            client = side.connect("early")
            before = side.program.stats(r"^cluster\.early\.upstream_cx_total$")
            client.send(b"early")
            got = client.receive(5)
            client.end()
            return before, got, client.rest(), side.seen("early", 1)

        self._compared("early", scenario)

    def test_recordTypes(self) -> None:
        """A record at the start, one when connected, one at the end."""

        def scenario(side: Side) -> object:
            client = side.connect("logged")
            client.send(b"x")
            client.receive(1)
            client.end()
            return client.rest()

        self._compared("logged", scenario, lines=3)
