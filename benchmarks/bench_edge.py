"""
What the edge costs a request: its checks and edits, and those of the response.

    python -m benchmarks.bench_edge

The best of many short runs counts; making the headers is not counted. Exits 1 when a plain GET with
seven headers under the default config costs more than BUDGET microseconds, the figure of a machine
that copies these headers in half a microsecond; on others the budget grows with that copy.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.config.bootstrap import decodeText, envoyPlans
from twisted_envoy.config.load import Text
from twisted_envoy.config.view import viewOf
from twisted_envoy.http.edge import Edge
from twisted_envoy.server.runtime import Runtime
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo

MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
BUDGET = 6.0
COPY = 0.5
ROUNDS = 40
REQUESTS = 1_000
GET = HeaderMap(
    (
        *((b":method", b"GET"), (b":authority", b"example.com"), (b":path", b"/up?x=1")),
        *((b"user-agent", b"curl/8"), (b"accept", b"*/*"), (b"x-a", b"1"), (b"x-b", b"2")),
    )
)
BROWSER = GET.copy()
for name, value in (
    *((b"connection", b"keep-alive"), (b"referer", b"https://example.com/a")),
    *((b"x-forwarded-for", b"1.2.3.4, 5.6.7.8"), (b"te", b"trailers")),
):
    BROWSER.add(name, value)
FRONT = {
    "use_remote_address": True,
    "normalize_path": True,
    "merge_slashes": True,
    "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT",
    "strip_any_host_port": True,
    "via": "front",
}


def makeEdge(fields: dict[str, Any]) -> Edge:
    """An Edge of a config with these fields."""
    plan = envoyPlans().find(MANAGER)
    assert plan is not None
    text = Text("bench", json.dumps({"stat_prefix": "b", **fields}))
    context = SimpleNamespace(reactor=Clock(), runtime=Runtime(), random=Random(1))
    return Edge(viewOf(decodeText(text, plan, [])[0]), context)


def best(run: Callable[[], None]) -> float:
    """Microseconds that one of REQUESTS took in the fastest of ROUNDS runs."""
    found = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        run()
        found = min(found, time.perf_counter() - begun)
    return found / REQUESTS * 1e6


def measure(fields: dict[str, Any], request: HeaderMap) -> tuple[float, float]:
    """Microseconds of the edits of a request and its response, and of copying the headers."""
    edge = makeEdge(fields)
    here = IPv4Address("TCP", "127.0.0.1", 80)
    connection = StreamInfo(0.0, here, IPv4Address("TCP", "10.0.0.1", 999))
    info = RequestInfo(connection, 0.0)
    info.protocol = "HTTP/1.1"

    def copies() -> None:
        for _ in range(REQUESTS):
            request.copy()
            response = HeaderMap()
            response[b":status"] = b"200"
            response[b"content-length"] = b"2"

    def edits() -> None:
        for _ in range(REQUESTS):
            headers = request.copy()
            response = HeaderMap()
            response[b":status"] = b"200"
            response[b"content-length"] = b"2"
            edge.prepareRequest(headers, info, connection, False)
            edge.prepareResponse(response, info, headers)

    base = best(copies)
    return best(edits) - base, base


def main() -> int:
    """Print the table; 1 when the budget is broken."""
    plain, copy = measure({}, GET)
    print(f"{'':34}{'us':>6}")
    print(f"{'copies of the headers':34}{copy:6.2f}")
    print(f"{'default config, plain GET':34}{plain:6.2f}")
    for name, fields, request in (
        ("default config, hops to clean", {}, BROWSER),
        ("front proxy, plain GET", FRONT, GET),
        ("front proxy, hops to clean", FRONT, BROWSER),
    ):
        print(f"{name:34}{measure(fields, request)[0]:6.2f}")
    return 0 if plain <= BUDGET * max(1.0, copy / COPY) else 1


if __name__ == "__main__":
    sys.exit(main())
