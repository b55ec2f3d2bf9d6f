"""Network filters, filter chains and limits of connections."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import (
    cluster,
    directResponse,
    echo,
    listener,
    logTo,
    setFilterState,
    tcpProxy,
    typed,
)
from tests.parity.peers import Served
from tests.parity.peers import echo as echoOrigin
from tests.parity.support import ParityTestCase, Side, served

LOG = (
    "flags=%RESPONSE_FLAGS% details=%RESPONSE_CODE_DETAILS% rx=%BYTES_RECEIVED% tx=%BYTES_SENT% "
    "close=%DOWNSTREAM_LOCAL_CLOSE_REASON% chain=%FILTER_CHAIN_NAME% type=%ACCESS_LOG_TYPE% "
    "detected=%DOWNSTREAM_DETECTED_CLOSE_TYPE%,%UPSTREAM_DETECTED_CLOSE_TYPE%"
)


def logged(name: str, *filters: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A listener whose own log has its name."""
    log = logTo(f"{name}.log", LOG)
    return listener(name, "127.0.0.1:0", *filters, stat_prefix=name, access_log=log, **fields)


def chain(answer: str, name: str = "", **match: Any) -> dict[str, Any]:
    """A filter chain that answers with a text."""
    return {"name": name, "filter_chain_match": match, "filters": [directResponse(answer)]}


LIMIT = typed(
    "limit",
    "filters.network.connection_limit.v3.ConnectionLimit",
    stat_prefix="l",
    max_connections=1,
)


NOT_OURS = {"source_address": {"address": "192.0.2.1", "port_value": 0}}
UPSTREAM = logTo(
    "unbound.proxy.log",
    "%RESPONSE_FLAGS% %UPSTREAM_HOST% %UPSTREAM_TRANSPORT_FAILURE_REASON% "
    "%DOWNSTREAM_LOCAL_CLOSE_REASON%",
)


class FilterTests(ParityTestCase):
    """One listener for each test."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": echoOrigin}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        limits = {"envoy.resource_limits.listener.few.connection_limit": 1}
        return served(
            [
                logged("echo", echo()),
                logged("answer", directResponse("hello")),
                logged("nothing", filter_chains=[{"name": "none"}]),
                logged("limited", LIMIT, tcpProxy(access_log=logTo("proxy.log", LOG))),
                logged("chosen", setFilterState("envoy.tcp_proxy.cluster", "origin", **KEY), NOPE),
                logged(
                    "matched",
                    filter_chains=[
                        chain("port", "port", destination_port=1),
                        chain("loopback", "local", source_type="SAME_IP_OR_LOOPBACK"),
                        chain("name", "name", server_names=["example.org"]),
                    ],
                ),
                logged(
                    "prefixes",
                    filter_chains=[
                        chain("wide", "wide", prefix_ranges=[prefix("0.0.0.0", 0)]),
                        chain("exact", "exact", prefix_ranges=[prefix("127.0.0.1", 32)]),
                        chain("net", "net", prefix_ranges=[prefix("127.0.0.0", 8)]),
                    ],
                ),
                logged(
                    "fallback",
                    filter_chains=[chain("never", destination_port=1)],
                    default_filter_chain={"name": "rest", "filters": [directResponse("rest")]},
                ),
                logged("noMatch", filter_chains=[chain("never", destination_port=1)]),
                logged("few", echo()),
                logged("unbound", tcpProxy("unbound", "unbound", access_log=UPSTREAM)),
            ],
            [
                cluster("origin", f"127.0.0.1:{ports['origin']}"),
                cluster("unbound", "127.0.0.1:9", upstream_bind_config=NOT_OURS),
            ],
            layered_runtime={"layers": [{"name": "static", "static_layer": limits}]},
        )

    def _answer(self, name: str) -> None:
        self.same(
            lambda side: side.connect(name).rest(), rf"^(listener|tcp)\.{name}\.", f"{name}.log"
        )

    def test_echo(self) -> None:
        """What comes goes back."""

        def scenario(side: Side) -> object:
            client = side.connect("echo")
            client.send(b"one")
            first = client.receive(3)
            client.end()
            return first, client.rest()

        self.same(scenario, r"^listener\.echo\.", "echo.log")

    def test_sourceAddress(self) -> None:
        """An upstream connection that cannot come from where it shall has failed on our side."""
        self.same(
            lambda side: side.connect("unbound").rest(),
            r"^(tcp|cluster)\.unbound\.",
            "unbound.proxy.log",
        )

    def test_directResponse(self) -> None:
        """A text, and the end."""
        self._answer("answer")

    def test_noFilters(self) -> None:
        """A chain without filters closes."""
        self._answer("nothing")

    def test_chainOfASource(self) -> None:
        """A chain that matches the source's type."""
        self._answer("matched")

    def test_longestPrefix(self) -> None:
        """The longest prefix of the destination."""
        self._answer("prefixes")

    def test_defaultChain(self) -> None:
        """No chain matches: the default one."""
        self._answer("fallback")

    def test_noChain(self) -> None:
        """None matches, and there is no default."""
        self._answer("noMatch")

    def test_connectionLimit(self) -> None:
        """The second connection is closed; when the first is gone, there is room again."""

        def scenario(side: Side) -> object:
            first = side.connect("limited")
            first.send(b"1")
            got = [first.receive(1), side.connect("limited").rest()]
            first.end()
            got.append(first.rest())
            side.program.lines("proxy.log", 2)
            third = side.connect("limited")
            third.send(b"3")
            got.append(third.receive(1))
            third.end()
            return got, third.rest()

        self.same(scenario, r"^(connection_limit|listener\.limited)\.", "proxy.log", 3)

    def test_listenersLimit(self) -> None:
        """A listener's own limit."""

        def scenario(side: Side) -> object:
            first = side.connect("few")
            first.send(b"1")
            got = [first.receive(1), side.connect("few").rest()[0]]
            first.end()
            return got, first.rest()

        self.same(scenario, r"^listener\.few\.", "few.log")

    def test_clusterFromFilterState(self) -> None:
        """set_filter_state chooses the proxy's cluster."""

        def scenario(side: Side) -> object:
            client = side.connect("chosen")
            client.send(b"x")
            first = client.receive(1)
            client.end()
            return first, client.rest()

        self.same(scenario, r"^(tcp\.chosen|listener\.chosen)\.", "chosen.log")


KEY = {"factory_key": "envoy.tcp_proxy.cluster"}
NOPE = tcpProxy("nobody", "chosen")


def prefix(address: str, length: int) -> dict[str, Any]:
    """A config.core.v3.CidrRange."""
    return {"address_prefix": address, "prefix_len": length}
