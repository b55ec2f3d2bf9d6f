"""Pages of the admin interface."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from tests.bootstraps import cluster, listener, tcpProxy
from tests.parity.peers import Served, echo
from tests.parity.support import ParityTestCase, Side, served

DROPPED = {
    "port_value",
    "last_updated",
    "node",
    "version",
    "hot_restart_version",
    "user_agent_build_version",
}


def without(value: Any, dropped: set[str]) -> Any:
    """The same without some keys, lists of named things in the order of their names."""
    if isinstance(value, dict):
        return {key: without(one, dropped) for key, one in value.items() if key not in dropped}
    if isinstance(value, list):
        items = [without(one, dropped) for one in value]
        return sorted(items, key=lambda one: json.dumps(one, sort_keys=True))
    return value


class AdminTests(ParityTestCase):
    """A few listeners and clusters, and what is said of them."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": echo}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        origin = f"127.0.0.1:{ports['origin']}"
        return served(
            [
                listener("one", "127.0.0.1:0", tcpProxy(), stat_prefix="one"),
                listener(
                    "two",
                    "127.0.0.1:0",
                    tcpProxy(),
                    stat_prefix="two",
                    additional_addresses=[
                        {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}
                    ],
                ),
                listener("inside", "internal:", tcpProxy()),
            ],
            [
                cluster(
                    "origin",
                    origin,
                    circuit_breakers={"thresholds": [{"max_connections": 7}]},
                    metadata={"filter_metadata": {"a": {"b": 1}}},
                ),
                cluster("inner", "internal:inside/x", "internal:inside/y", alt_stat_name="other"),
                cluster("none"),
            ],
        )

    def _text(self, path: str, method: str = "GET") -> None:
        def scenario(side: Side) -> object:
            return sorted(side.program.admin(path, method).splitlines())

        self.same(scenario)

    def _json(self, path: str) -> None:
        def scenario(side: Side) -> object:
            text = side.program.admin(path)
            return without(json.loads(text), DROPPED) if text.startswith("{") else text

        self.same(scenario)

    def test_listeners(self) -> None:
        """/listeners, text and JSON."""
        self._text("/listeners")
        self._json("/listeners?format=json")

    def test_clusters(self) -> None:
        """/clusters, text and JSON."""
        self._text("/clusters")
        self._json("/clusters?format=json")

    def test_configDump(self) -> None:
        """/config_dump, whole, by resource, by mask and by name."""
        for query in (
            "",
            "?resource=static_listeners",
            "?resource=static_clusters&mask=cluster.name",
            "?resource=bootstrap",
            "?resource=static_clusters&name_regex=o.*",
        ):
            self._json(f"/config_dump{query}")

    def test_fixedPages(self) -> None:
        """Pages that say the same of every server."""
        for path in ("/ready", "/hot_restart_version", "/init_dump", "/certs"):
            self._text(path)

    def test_errors(self) -> None:
        """Pages that refuse."""
        for path, method in (
            ("/config_dump?resource=nope", "GET"),
            ("/config_dump?name_regex=(", "GET"),
            ("/stats?filter=(", "GET"),
            ("/stats?format=nope", "GET"),
            ("/quitquitquit", "GET"),
            ("/logging?nobody=debug", "POST"),
            ("/logging?level=nope", "POST"),
            ("/healthcheck/fail", "GET"),
        ):
            self._text(path, method)

    def test_stats(self) -> None:
        """/stats of a name, in each format; the values behind a reset."""

        def scenario(side: Side) -> object:
            client = side.connect("one")
            client.send(b"x")
            client.end()
            client.rest()
            pattern = r"^listener\.one\.downstream_cx_(total|destroy|active)$"
            side.program.stats(pattern)
            query = f"filter={pattern}"
            program = side.program
            before = [
                sorted(program.admin(f"/stats?{query}{more}").splitlines())
                for more in ("", "&format=json", "&usedonly", "&type=Gauges", "&format=prometheus")
            ]
            program.admin("/reset_counters", "POST")
            return before, sorted(program.admin(f"/stats?{query}").splitlines())

        self.same(scenario)

    def test_health(self) -> None:
        """A server that is told to fail says so, until it is told otherwise."""

        def scenario(side: Side) -> object:
            program = side.program
            said = []
            for path in ("/healthcheck/fail", "/ready", "/healthcheck/ok", "/ready"):
                said.append(program.admin(path, "GET" if path == "/ready" else "POST"))
            return said

        self.same(scenario)

    def test_serverInfo(self) -> None:
        """/server_info, but for what is the program's own."""
        unequal = {"uptime_current_epoch", "uptime_all_epochs", "command_line_options"}

        def scenario(side: Side) -> object:
            return without(json.loads(side.program.admin("/server_info")), DROPPED | unequal)

        self.same(scenario)
