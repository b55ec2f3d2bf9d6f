"""The workloads, with what is asked of this proxy: work done a second of CPU, Envoy's being 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from benchmarks.side_by_side.loads import (
    Done,
    h2load,
    readH2load,
    readTCP,
    readWrk,
    run,
    tcpLoad,
    wrk,
)

BIG = 1 << 20
"""Bytes of the large answer."""


@dataclass(frozen=True)
class Settings:
    """
    How long and where.

    Attributes:
        seconds: of one load that is not a bulk transfer.
        size: bytes of a bulk transfer.
        processors: of the load and of what is behind the proxies.
    """

    seconds: float
    size: int
    processors: tuple[int, ...]


Load = Callable[[int, Settings], Done]


@dataclass(frozen=True)
class Workload:
    """
    One kind of load on one kind of proxy.

    Attributes:
        kind: of proxy, as bootstraps.proxies.
        unit: of an operation.
        load: takes the proxy's port.
        least, goal: of the ratio to Envoy; 0 where nothing is asked.
        client: the protocol that the load speaks.
    """

    name: str
    what: str
    kind: str
    unit: str
    load: Load
    least: float = 0.0
    goal: float = 0.0
    client: str = "tcp"


def _bulk(direction: str) -> Load:
    return lambda port, how: readTCP(
        run(tcpLoad("bulk", port, direction, how.size), how.processors)
    )


def _many(what: str, count: int) -> Load:
    return lambda port, how: readTCP(run(tcpLoad(what, port, count, how.seconds), how.processors))


def _wrk(
    count: int = 64, path: str = "/", tls: bool = False, close: bool = False, script: str = ""
) -> Load:
    def load(port: int, how: Settings) -> Done:
        words = wrk(port, how.seconds, count, path, tls, script)
        if close:
            words[1:1] = ["-H", "Connection: close"]
        done = readWrk(run(words, how.processors))
        return replace(done, operations=done.operations * BIG / 1e9) if path != "/" else done

    return load


def _h2load(port: int, how: Settings) -> Done:
    return readH2load(run(h2load(port, how.seconds), how.processors))


def _workload(
    name: str, what: str, kind: str, load: Load, least: float = 0.0, goal: float = 0.0
) -> Workload:
    ends = {"down": "GB", "up": "GB", "big": "GB", "conn": "connection"}
    unit = ends.get(name.rpartition("_")[2], "request")
    client = "h2" if load is _h2load else "h1"
    if kind in ("tcp", "internal"):
        unit, client = ("message" if unit == "request" else unit), "tcp"
    return Workload(name, what, kind, unit, load, least, goal, client)


_ALL = (
    _workload("tcp_down", "bytes to the client", "tcp", _bulk("down"), 1.0, 1.2),
    _workload("tcp_up", "bytes to the server", "tcp", _bulk("up"), 1.0, 1.2),
    _workload("tcp_pp1", "64 bytes and back, 1 connection", "tcp", _many("messages", 1)),
    _workload("tcp_pp64", "64 bytes and back, 64", "tcp", _many("messages", 64), 1.0, 1.2),
    _workload("tcp_conn", "connect, 64 bytes, close", "tcp", _many("connections", 16), 1.0, 1.2),
    _workload("int_down", "bytes to the client, over a hop", "internal", _bulk("down"), 1.0, 1.3),
    _workload("int_up", "bytes to the server, over a hop", "internal", _bulk("up"), 1.0, 1.3),
    _workload(
        "int_pp64", "64 bytes and back, 64, over a hop", "internal", _many("messages", 64), 1.3, 1.6
    ),
    _workload(
        "int_conn",
        "connect, 64 bytes, close, over a hop",
        "internal",
        _many("connections", 16),
        1.4,
        1.6,
    ),
    _workload("h1_get", "HTTP/1.1, short answers", "http", _wrk(), 1.2, 1.5),
    _workload("h1_big", "HTTP/1.1, 1 MiB each", "http", _wrk(8, "/big"), 1.0, 1.4),
    _workload("h1_vary", "the same, no two heads alike", "http", _wrk(script="vary.lua")),
    _workload("h1_log", "h1_get with a log, routes, filters", "http log", _wrk()),
    _workload("h1_direct", "answered by the proxy", "direct", _wrk(), 1.0, 2.0),
    _workload("h1_dlog", "h1_direct with the same", "direct log", _wrk()),
    _workload("h2_h1", "HTTP/2 in front, HTTP/1.1 behind", "http", _h2load, 1.2, 1.6),
    _workload("h2_log", "h2_h1 with a log, routes, filters", "http log", _h2load),
    _workload("h2_h2", "HTTP/2 on both sides", "http2", _h2load, 1.2, 1.6),
    _workload("h2_direct", "HTTP/2, answered by the proxy", "direct", _h2load, 1.2, 2.0),
    _workload("h2_dlog", "h2_direct with a log, routes, filters", "direct log", _h2load),
    _workload("connect_h1", "GET in CONNECT over HTTP/2", "connect", _wrk(), 1.6, 2.2),
    _workload("connect_h2", "the same from HTTP/2", "connect", _h2load, 1.9, 2.6),
    _workload("tls_get", "TLS, short answers", "tls", _wrk(tls=True), 0.6, 1.0),
    _workload("tls_conn", "TLS handshakes", "tls", _wrk(16, tls=True, close=True), 0.5, 1.0),
    _workload("tls_big", "TLS, 1 MiB each", "tls", _wrk(8, "/big", tls=True), 0.45, 1.0),
)
WORKLOADS = {one.name: one for one in _ALL}
