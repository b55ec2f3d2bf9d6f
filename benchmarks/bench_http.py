"""
What idle HTTP filters cost: a request through a connection manager, and a chunk of its body.

    PYTHONPATH=. python -m benchmarks.bench_http

A server in memory answers by itself, with four filters that want nothing and without. Candidates
run in turns and the median of the ratios of many short runs counts, so that they hold on a busy
machine too; the figures in microseconds are of this machine. Exits 1 when a budget is broken.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import Factory, Protocol

from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.filter_plan import FilterPlan
from twisted_envoy.testing import MemoryEnvoy

ROUNDS = 60
REQUESTS = 100
CHUNKS = 200
CHUNK = b"2000\r\n" + b"x" * 8192 + b"\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
POST = b"POST /held HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"

Run = Callable[[], float]
"""Gives seconds."""

_TYPE = "type.googleapis.com/envoy.extensions.filters."
ROUTER = {"name": "router", "typed_config": {"@type": f"{_TYPE}http.router.v3.Router"}}


def bootstrap() -> str:
    """A connection manager on 127.0.0.1:80; /held goes to a cluster that accepts and is silent."""
    routes = [
        {"match": {"prefix": "/held"}, "route": {"cluster": "silent", "timeout": "0s"}},
        {
            "match": {"prefix": "/"},
            "direct_response": {"status": 200, "body": {"inline_string": "hello"}},
        },
    ]
    manager = {
        "@type": f"{_TYPE}network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [ROUTER],
    }
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 80}}
    origin = {"socket_address": {"address": "127.0.0.1", "port_value": 81}}
    endpoint = {"endpoint": {"address": origin}}
    cluster = {
        "name": "silent",
        "load_assignment": {
            "cluster_name": "silent",
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    listener = {"name": "web", "address": address, "filter_chains": [chain]}
    return json.dumps(
        {"static_resources": {"listeners": [listener], "clusters": [cluster]}}, indent=1
    )


class Idle(HTTPFilter):
    """Wants nothing."""


class Candidate:
    """One server and its client."""

    def __init__(self, filters: int) -> None:
        self.envoy = MemoryEnvoy(bootstrap())
        chain: Any = self.envoy.server.listeners.get("web")
        settings = chain.settings.chains.find(None).makers[-1].args[0]
        settings.plan = FilterPlan([Idle] * filters + list(settings.plan.makers))
        silent = Factory.forProtocol(Protocol)
        silent.noisy = False
        self.envoy.listen("127.0.0.1:81", silent)
        self.client = self.envoy.connect("web")
        self.sender = self.envoy.connect("web")
        self.sender.write(POST)
        self.envoy.settle()

    def requests(self) -> float:
        """Seconds that one takes, from bytes to bytes."""
        write, settle = self.client.write, self.envoy.settle
        begun = time.perf_counter()
        for _ in range(REQUESTS):
            write(GET)
            settle()
        return (time.perf_counter() - begun) / REQUESTS

    def chunks(self) -> float:
        """Seconds that one of a body takes."""
        write, settle = self.sender.write, self.envoy.settle
        begun = time.perf_counter()
        for _ in range(CHUNKS):
            write(CHUNK)
            settle()
        return (time.perf_counter() - begun) / CHUNKS


def compare(what: str, bare: Run, filtered: Run, most: float) -> bool:
    """Run both in turns; print, and tell whether the ratio is within its budget."""
    pairs = [(bare(), filtered()) for _ in range(ROUNDS)]
    ratio = statistics.median(more / less for less, more in pairs)
    best = min(less for less, _ in pairs) * 1e6
    fine = ratio <= most
    verdict = "" if fine else "  TOO MUCH"
    print(f"{what:8} {best:7.1f} us, with four idle filters {ratio:.3f} (at most {most}){verdict}")
    return fine


def main() -> int:
    bare, filtered = Candidate(0), Candidate(4)
    for one in (bare, filtered):
        one.requests()
        one.chunks()
    fine = compare("request", bare.requests, filtered.requests, 1.05)
    fine = compare("chunk", bare.chunks, filtered.chunks, 1.03) and fine
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
