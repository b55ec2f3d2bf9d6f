"""
What it costs a hop to pass filter state.

    python -m benchmarks.bench_state

A connection over a hop, on a clock, is made and closed: with no object at all, and with ten that
were just stored, shared in different ways, some beside others that stay. All that differs is the
passing: what is shared is collected, goes through the transport socket, is taken over by the new
connection, and shows in `%UPSTREAM_FILTER_STATE%`. A figure is the median of the differences within
a round, in time of the processor; more than the limit in any row fails the run with status 1.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from statistics import median
from typing import Any

from twisted.internet.protocol import Factory

from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
from twisted_envoy.state.filter_state import (
    FilterState,
    HashableStringObject,
    Sharing,
    StringObject,
)
from twisted_envoy.state.passthrough import Passthrough, upstreamState
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.testing import MemoryEnvoy
from twisted_envoy.testing.peer import Peer
from twisted_envoy.upstream.options import optionsOf

LIMIT = 5.0
"""Microseconds that ten objects may add to a connection."""
OBJECTS = 10
CONNECTIONS = 150
ROUNDS = 40

_ONCE, _ALWAYS, _NEVER = Sharing.ONCE, Sharing.TRANSITIVE, Sharing.NONE
ROWS: dict[str, tuple[type[StringObject], list[Sharing]]] = {
    "TRANSITIVE": (HashableStringObject, [_ALWAYS] * OBJECTS),
    "ONCE": (HashableStringObject, [_ONCE] * OBJECTS),
    "plain strings": (StringObject, [_ALWAYS] * OBJECTS),
    "both by turns": (HashableStringObject, [_ALWAYS, _ONCE] * (OBJECTS // 2)),
    "TRANSITIVE, two stay": (HashableStringObject, [_ALWAYS] * OBJECTS + [_NEVER] * 2),
    "ONCE, two stay": (HashableStringObject, [_NEVER] * 2 + [_ONCE] * OBJECTS),
}
"""What is stored in each row."""
NOTHING = (StringObject, list[Sharing]())

_TYPES = "type.googleapis.com/envoy.extensions."


def bootstrap() -> str:
    """A listener that echoes, and a cluster that leads to it with internal_upstream."""
    sockets = _TYPES + "transport_sockets."
    raw = {"name": "raw", "typed_config": {"@type": sockets + "raw_buffer.v3.RawBuffer"}}
    passing = {
        "@type": sockets + "internal_upstream.v3.InternalUpstreamTransport",
        "transport_socket": raw,
    }
    echo = {"name": "echo", "typed_config": {"@type": _TYPES + "filters.network.echo.v3.Echo"}}
    address = {"envoy_internal_address": {"server_listener_name": "hop"}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    kind = _TYPES + "bootstrap.internal_listener.v3.InternalListener"
    listener = {"name": "hop", "internal_listener": {}, "filter_chains": [{"filters": [echo]}]}
    cluster = {
        "name": "hop",
        "load_assignment": {"cluster_name": "hop", "endpoints": endpoints},
        "transport_socket": {"name": "internal", "typed_config": passing},
    }
    whole = {
        "bootstrap_extensions": [{"name": "internal", "typed_config": {"@type": kind}}],
        "static_resources": {"listeners": [listener], "clusters": [cluster]},
    }
    return json.dumps(whole, indent=1)


def stateOf(row: tuple[type[StringObject], list[Sharing]]) -> StreamInfo:
    """A connection that has a row's objects."""
    info = StreamInfo(0.0)
    make, sharings = row
    for number, sharing in enumerate(sharings):
        info.filterState.set(f"object.{number}", make(f"value {number}"), sharing=sharing)
    return info


def connections(envoy: MemoryEnvoy, row: tuple[type[StringObject], list[Sharing]]) -> float:
    """Microseconds a connection through a hop: collected, connected, shown, closed."""
    cluster: Any = envoy.server.clusters.get("hop")
    host = cluster.hosts[0]
    factory = Factory.forProtocol(Peer)
    factory.noisy = False
    infos = [stateOf(row) for _ in range(CONNECTIONS)]
    gc.collect()
    gc.disable()
    began = time.process_time()
    for info in infos:
        options: TransportSocketOptions = optionsOf(info, None, cluster)
        made: list[Any] = []
        host.tcpPool(options).connect(factory).addCallback(made.append)
        envoy.settle()
        transport = made[0].transport
        passthrough: Passthrough = transport.passthrough
        upstreamState(options.shared, passthrough)
        transport.abortConnection()
        envoy.settle()
    spent = time.process_time() - began
    gc.enable()
    return spent / CONNECTIONS * 1e6


def parts(envoy: MemoryEnvoy) -> None:
    """Where it goes: microseconds of each step with ten objects, each done for the first time."""
    cluster: Any = envoy.server.clusters.get("hop")
    host = cluster.hosts[0]
    infos = [stateOf(ROWS["TRANSITIVE"]) for _ in range(CONNECTIONS)]
    lists = [info.filterState.shared() for info in infos]
    fresh = [stateOf(ROWS["TRANSITIVE"]) for _ in range(CONNECTIONS)]
    options = [TransportSocketOptions(shared) for shared in lists]
    steps: list[tuple[str, Any, list[Any]]] = [
        ("collect what is shared", lambda info: info.filterState.shared(), fresh),
        ("options of the connection", lambda info: optionsOf(info, None, cluster), infos),
        ("a pool of its own", host.tcpPool, options),
        ("take it over", lambda shared: FilterState().adopt(shared), lists),
        ("show it", lambda shared: upstreamState(shared, None), lists),
        ("key of an HTTP pool", TransportSocketOptions.hashKey, options),
    ]
    gc.collect()
    gc.disable()
    for title, step, values in steps:
        began = time.process_time()
        for value in values:
            step(value)
        print(f"  {title:<27}{(time.process_time() - began) / CONNECTIONS * 1e6:8.2f} us")
    gc.enable()


def main() -> None:
    """All rows in turns, each round beside connections without objects."""
    envoy = MemoryEnvoy(bootstrap())
    for row in (NOTHING, *ROWS.values()):
        connections(envoy, row)
    bare: list[float] = []
    more: dict[str, list[float]] = {title: [] for title in ROWS}
    for _ in range(ROUNDS):
        for title, row in ROWS.items():
            before, full, after = (connections(envoy, one) for one in (NOTHING, row, NOTHING))
            bare += (before, after)
            more[title].append(full - (before + after) / 2)
    print(f"a connection over a hop      {median(bare):8.2f} us")
    print(f"{OBJECTS} objects more, at most {LIMIT} us")
    for title, found in more.items():
        print(f"  {title:<27}{median(found):8.2f} us")
    parts(envoy)
    if max(map(median, more.values())) > LIMIT:
        sys.exit(1)


if __name__ == "__main__":
    main()
