"""HTTP filters in a whole connection manager, in memory."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http.manager import HELLO, ORIGIN, ROUTER, bootstrap
from twisted_envoy.testing import MemoryEnvoy, Peer

_TYPES = "type.googleapis.com/"
_LOG = "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %RESPONSE_FLAGS%"
ALWAYS = {"numerator": 100}
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def typed(typeURL: str, **fields: Any) -> dict[str, Any]:
    """An Any of a config."""
    return {"@type": _TYPES + typeURL, **fields}


def named(name: str, typeURL: str, **fields: Any) -> dict[str, Any]:
    """A filter of a config."""
    return {"name": name, "typed_config": typed(typeURL, **fields)}


class FilterCase(SynchronousTestCase):
    """
    One envoy with filters before the router, and an origin that answers what it is told to.

    Attributes:
        answer: what the origin writes when a request has come; b"" for nothing.
    """

    answer = OK

    def start(
        self,
        *filters: dict[str, Any],
        route: dict[str, Any] | None = None,
        virtualHost: dict[str, Any] | None = None,
        table: dict[str, Any] | None = None,
        runtime: dict[str, Any] | None = None,
        log: str = _LOG,
        node: dict[str, Any] | None = None,
        direct: bool = False,
        **manager: Any,
    ) -> MemoryEnvoy:
        """
        Run it.

        Args:
            route: configs of the route /r. virtualHost, table: of the levels above it.
            direct: whether /d is answered with `hello`.
        """
        config = json.loads(bootstrap([], list(filters), **manager))
        resources = config["static_resources"]
        hcm = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        hcm["http_filters"] = [*filters, ROUTER]
        format = {"text_format_source": {"inline_string": log + "\n"}}
        hcm["access_log"][0]["typed_config"]["log_format"] = format
        everything = {"route": {"cluster": "origin"}}
        host = hcm["route_config"]["virtual_hosts"][0]
        host["routes"] = [
            {"match": {"prefix": "/r"}, "typed_per_filter_config": route or {}, **everything},
            {"match": {"prefix": "/"}, **everything},
        ]
        if direct:
            host["routes"].insert(0, {**HELLO, "match": {"prefix": "/d"}})
        host["typed_per_filter_config"] = virtualHost or {}
        hcm["route_config"]["typed_per_filter_config"] = table or {}
        resources["clusters"].append({"name": "empty", "type": "STATIC"})
        config["layered_runtime"] = {
            "layers": [{"name": "static", "static_layer": runtime or {}}, {"name": "admin"}]
        }
        config["layered_runtime"]["layers"][1]["admin_layer"] = {}
        if node is not None:
            config["node"] = node
        self.envoy = envoy = MemoryEnvoy(json.dumps(config, indent=1))
        self.addCleanup(envoy.stop)
        self.origin = envoy.listen(ORIGIN)
        return envoy

    def send(self, data: bytes, client: Peer | None = None) -> Peer:
        """Send these bytes; the origin answers a request that reached it whole."""
        client = self.envoy.connect("web") if client is None else client
        before = [len(one.received) for one in self.origin.connections]
        client.write(data)
        self.envoy.settle()
        self.reply(before)
        return client

    def reply(self, before: list[int]) -> None:
        """Answer on the connections on which something came."""
        for index, one in enumerate(self.origin.connections):
            old = before[index] if index < len(before) else 0
            if len(one.received) > old and self.answer:
                one.write(self.answer)
        self.envoy.settle()

    def get(self, path: str = "/", *headers: str, client: Peer | None = None) -> bytes:
        """What is answered to a GET."""
        lines = "".join(f"{header}\r\n" for header in headers)
        return self.send(f"GET {path} HTTP/1.1\r\nhost: h\r\n{lines}\r\n".encode(), client).received

    def asked(self) -> bytes:
        """All that the origin was sent, joined."""
        return b"".join(one.received for one in self.origin.connections)

    def log(self) -> list[str]:
        """The lines of the access log."""
        return self.envoy.lines("log")
