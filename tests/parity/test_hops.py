"""Internal listeners: what a hop carries, and how ends and failures cross it."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import cluster, echo, listener, logTo, tcpProxy, typed
from tests.bootstraps import setFilterState as state
from tests.parity.peers import Served, resetAfterData
from tests.parity.peers import echo as echoOrigin
from tests.parity.support import LOG, ParityTestCase, Side, served

STATE = (
    LOG + " state=%FILTER_STATE(once:PLAIN)%,%FILTER_STATE(through:PLAIN)%,"
    "%FILTER_STATE(own:PLAIN)%,%FILTER_STATE(through)% up=%UPSTREAM_FILTER_STATE(through:PLAIN)% "
    "metadata=%DYNAMIC_METADATA(test.host)%,%DYNAMIC_METADATA(test.cluster:who)% "
    "id=%DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID%"
)
RAW = typed("raw", "transport_sockets.raw_buffer.v3.RawBuffer")


def passing(*names: tuple[str, str]) -> dict[str, Any]:
    """An internal_upstream socket that passes (kind, name) of metadata."""
    return typed(
        "internal",
        "transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
        transport_socket=RAW,
        passthrough_metadata=[{"kind": {kind: {}}, "name": name} for kind, name in names],
    )


def hop(name: str, to: str, *before: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An internal listener with a proxy to a cluster and a log of its name."""
    proxy = tcpProxy(to, name, access_log=logTo(f"{name}.log", STATE), **fields)
    return listener(name, "internal:", *before, proxy)


def ingress(name: str, to: str, *before: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The same on a socket."""
    proxy = tcpProxy(to, name, access_log=logTo(f"{name}.log", STATE), **fields)
    return listener(name, "127.0.0.1:0", *before, proxy, stat_prefix=name)


class HopTests(ParityTestCase):
    """Chains of one or two hops."""

    origins: ClassVar[dict[str, Served | None]] = {
        "echo": echoOrigin,
        "resetting": resetAfterData,
        "refusing": None,
    }

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        host = {
            "endpoint": {
                "address": {
                    "envoy_internal_address": {"server_listener_name": "mid", "endpoint_id": "e1"}
                }
            },
            "metadata": {"filter_metadata": {"test.host": {"who": "host", "deep": {"a": [1]}}}},
        }
        carried = cluster(
            "mid",
            load_assignment={"cluster_name": "mid", "endpoints": [{"lb_endpoints": [host]}]},
            metadata={"filter_metadata": {"test.cluster": {"who": "cluster"}}},
            transport_socket=passing(
                ("host", "test.host"), ("cluster", "test.cluster"), ("host", "absent")
            ),
        )
        names = (
            "refusingHop",
            "twiceHop",
            "unmatched",
            "echoHop",
            "resetHop",
            "idleHop",
            "missingHop",
        )
        clusters = [cluster(name, f"127.0.0.1:{port}") for name, port in ports.items()]
        clusters += [carried, cluster("last", "internal:last", transport_socket=passing())]
        clusters += [cluster(name, f"internal:{name}") for name in names]
        clusters += [cluster("nobody", "internal:nobody")]
        onlyPort1 = {"filter_chain_match": {"destination_port": 1}, "filters": [echo()]}
        return served(
            [
                ingress(
                    "state",
                    "mid",
                    state("once", "1", "ONCE"),
                    state("through", "2", "TRANSITIVE"),
                    state("own", "3"),
                ),
                hop("mid", "last"),
                hop("last", "echo"),
                ingress("refused", "refusingHop"),
                hop("refusingHop", "refusing"),
                ingress("twice", "twiceHop"),
                hop("twiceHop", "refusing", max_connect_attempts=2),
                ingress("missing", "nobody", max_connect_attempts=2),
                ingress("missingBehind", "missingHop"),
                hop("missingHop", "nobody"),
                ingress("noChain", "unmatched"),
                listener("unmatched", "internal:", filter_chains=[onlyPort1]),
                ingress("echo", "echoHop"),
                listener("echoHop", "internal:", echo()),
                ingress("reset", "resetHop"),
                hop("resetHop", "resetting"),
                ingress("idle", "idleHop"),
                hop("idleHop", "echo", idle_timeout="0.2s"),
            ],
            clusters,
        )

    def test_stateAndMetadata(self) -> None:
        """What each hop's log shows of the state and metadata that came with the connection."""

        def scenario(side: Side) -> object:
            client = side.connect("state")
            client.send(b"x")
            first = client.receive(1)
            client.end()
            return first, client.rest(), [side.program.lines(f"{n}.log", 1) for n in HOPS]

        self.same(scenario, r"^(tcp|cluster)\.(state|mid|last)\.", "state.log")

    def test_resetCrosses(self) -> None:
        """An origin's reset reaches the client."""

        def scenario(side: Side) -> object:
            client = side.connect("reset")
            client.send(b"x")
            first = client.receive(4)
            client.send(b"y")
            return first, client.rest(), side.program.lines("resetHop.log", 1)

        self.same(scenario, r"^(tcp|cluster)\.(reset|resetHop|resetting)\.", "reset.log")

    def test_refusedBehindTheHop(self) -> None:
        """It fails before it is confirmed: the hop is a connect failure to its caller."""

        def scenario(side: Side) -> object:
            return side.connect("refused").rest(), side.program.lines("refusingHop.log", 1)

        self.same(scenario, r"^(tcp|cluster|listener)\.refused|\.refusingHop\.", "refused.log")

    def test_refusedTwiceBehindTheHop(self) -> None:
        """It fails after it is confirmed: the hop is lost to its caller."""

        def scenario(side: Side) -> object:
            return side.connect("twice").rest(), side.program.lines("twiceHop.log", 1)

        self.same(scenario, r"^(tcp|cluster|listener)\.twice|\.twiceHop\.", "twice.log")

    def test_missingListener(self) -> None:
        """Nobody listens under that name."""
        self.same(
            lambda side: side.connect("missing").rest(),
            r"^(tcp\.missing|cluster\.nobody)\.",
            "missing.log",
        )

    def test_missingBehindTheHop(self) -> None:
        """Nobody listens behind a hop: it is confirmed to its caller before it knows."""

        def scenario(side: Side) -> object:
            ended = side.connect("missingBehind").rest()
            return ended, side.program.lines("missingHop.log", 1)

        stats = r"^(tcp|cluster|listener)\.missingBehind|\.missingHop\."
        self.same(scenario, stats, "missingBehind.log")

    def test_noChainMatches(self) -> None:
        """No chain of the hop's listener matches."""
        self.same(
            lambda side: side.connect("noChain").rest(),
            r"^(tcp\.noChain|cluster\.unmatched|listener\.envoy_internal_unmatched)\.",
            "noChain.log",
        )

    def test_echoBehindAHop(self) -> None:
        """A filter that answers, behind a hop."""

        def scenario(side: Side) -> object:
            client = side.connect("echo")
            client.send(b"one")
            first = client.receive(3)
            client.send(b"two")
            second = client.receive(3)
            client.end()
            return first, second, client.rest()

        self.same(scenario, r"^(tcp\.echo|cluster\.echoHop)\.", "echo.log")

    def test_innerIdle(self) -> None:
        """The inner proxy's time is over: a loss to the outer one."""

        def scenario(side: Side) -> object:
            client = side.connect("idle")
            client.send(b"x")
            first = client.receive(1)
            return first, client.rest(), side.program.lines("idleHop.log", 1)

        self.same(scenario, r"^(tcp|cluster)\.(idle|idleHop)\.", "idle.log")

    def test_pages(self) -> None:
        """Internal addresses on the admin pages."""

        def scenario(side: Side) -> object:
            listeners = sorted(side.program.admin("/listeners").splitlines())
            clusters = side.program.admin("/clusters").splitlines()
            hosts = sorted(line for line in clusters if "envoy://" in line and "::cx" not in line)
            return listeners, [line for line in hosts if "::rq" not in line]

        self.same(scenario)


HOPS = ("mid", "last")
