"""
What a route look-up costs with 5 and with 5,000 virtual hosts, paths and prefixes.

    PYTHONPATH=. python benchmarks/bench_routes.py

The acceptance: with 5,000 at most 3 times as much as with 5. Building is shown too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random
from time import perf_counter
from typing import Any

from twisted.internet.task import Clock

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.config.bootstrap import decodeText, envoyPlans
from twisted_envoy.config.extensions import Extensions
from twisted_envoy.config.load import Text
from twisted_envoy.config.view import viewOf
from twisted_envoy.http.routes.table import RouteTable, buildRouteTable
from twisted_envoy.server.runtime import Runtime
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.scope import Store

FEW, MANY = 5, 5000
LIMIT = 3.0
ROUNDS, REQUESTS = 7, 2000


class Clusters:
    """Knows every cluster."""

    def isKnown(self, name: str) -> bool:
        return True


class Context:
    """What building needs of an IFactoryContext."""

    def __init__(self) -> None:
        self.reactor = Clock()
        self.runtime = Runtime()
        self.clusters = Clusters()
        self.extensions = Extensions()
        self.stats = Store()


def hosts(count: int) -> str:
    """A virtual host for each of so many exact domains."""
    return "name: r\nvirtual_hosts:" + "".join(
        f"\n- {{name: v{n}, domains: [h{n}.test], "
        f"routes: [{{match: {{prefix: /}}, route: {{cluster: a}}}}]}}"
        for n in range(count)
    )


def routes(count: int, kind: str, text: str) -> str:
    """One virtual host with so many routes."""
    return "name: r\nvirtual_hosts:\n- name: v\n  domains: ['*']\n  routes:" + "".join(
        f"\n  - {{match: {{{kind}: {text.format(n=n)}}}, route: {{cluster: a}}}}"
        for n in range(count)
    )


def build(yaml: str) -> tuple[RouteTable, float]:
    """The table, and the seconds that building took, without reading the text."""
    plan = envoyPlans().find("envoy.config.route.v3.RouteConfiguration")
    assert plan is not None
    record, _ = decodeText(Text("bench", yaml), plan, [])
    begin = perf_counter()
    table = buildRouteTable(viewOf(record), Context())
    return table, perf_counter() - begin


def request(host: str, path: str) -> HeaderMap:
    """The headers of a GET."""
    pairs = ((b":method", b"GET"), (b":authority", host.encode()), (b":path", path.encode()))
    return HeaderMap(pairs)


def nanoseconds(table: RouteTable, requests: list[HeaderMap]) -> float:
    """The best time of one look-up."""
    info = RequestInfo(StreamInfo(0.0), 0.0)
    match = table.match
    best = float("inf")
    for _ in range(ROUNDS):
        begin = perf_counter()
        for headers in requests:
            match(headers, info, 0)
        best = min(best, perf_counter() - begin)
    assert all(match(headers, info, 0) is not None for headers in requests)
    return best / len(requests) * 1e9


CASES: dict[str, tuple[Callable[[int], str], Callable[[int], HeaderMap]]] = {
    "exact hosts": (hosts, lambda n: request(f"h{n}.test", "/x")),
    "exact paths": (
        lambda count: routes(count, "path", "/service/{n}"),
        lambda n: request("h", f"/service/{n}?q=1"),
    ),
    "prefixes": (
        lambda count: routes(count, "prefix", "/service/{n}/"),
        lambda n: request("h", f"/service/{n}/some/thing"),
    ),
    "separated prefixes": (
        lambda count: routes(count, "path_separated_prefix", "/service/{n}"),
        lambda n: request("h", f"/service/{n}/some/thing"),
    ),
}


def ratios() -> dict[str, float]:
    """Per case, what a look-up over many costs beside one over few; prints a table."""
    random = Random(1)
    found: dict[str, Any] = {}
    print(f"{'':20} {FEW:>8} {MANY:>8}   ratio   build of {MANY}")
    for name, (yaml, ask) in CASES.items():
        costs = []
        for count in (FEW, MANY):
            table, seconds = build(yaml(count))
            costs.append(
                nanoseconds(table, [ask(random.randrange(count)) for _ in range(REQUESTS)])
            )
        found[name] = costs[1] / costs[0]
        print(
            f"{name:20} {costs[0]:5.0f} ns {costs[1]:5.0f} ns   {found[name]:5.2f}"
            f"   {seconds * 1000:6.0f} ms"
        )
    return found


if __name__ == "__main__":
    sys.exit(any(ratio > LIMIT for ratio in ratios().values()))
