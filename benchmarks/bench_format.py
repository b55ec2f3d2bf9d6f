"""
What a formatted line costs: Envoy's default access log line, the same where only the time and the
id are new, and a header made of one command.

    python -m benchmarks.bench_format

The best of many short runs counts; exits 1 when a budget is broken.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from twisted.internet.address import IPv4Address

from twisted_envoy.access_log.stamp import Stamp
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.formatter.sameness import ANSWER
from twisted_envoy.formatter.text import DEFAULT_FORMAT, compileText
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

ROUNDS = 200
LINES = 200
ADDRESS = IPv4Address("TCP", "127.0.0.1", 1)
BUDGETS = {"default line": 12.0, "stamped line": 1.0, "header": 1.0}
"""Microseconds."""


def request() -> FormatContext:
    """A request that was answered."""
    info = RequestInfo(StreamInfo(1795400112.374098, ADDRESS, ADDRESS, 1), 1795400112.374098)
    info.protocol, info.responseCode = "HTTP/1.1", 200
    info.bytesSent, info.endTime = 1024, info.startTime + 0.01
    info.requestHeaders = HeaderMap(
        [
            (b":method", b"GET"),
            (b":path", b"/index.html?a=b"),
            (b":authority", b"example.com"),
            (b"user-agent", b"curl/8.0"),
            (b"x-request-id", b"a7742207-012c-4ab8-b53d-ed97f48b80d6"),
        ]
    )
    info.responseHeaders = HeaderMap([(b"x-envoy-upstream-service-time", b"3")])
    return FormatContext(info, "DownstreamEnd", info.endTime)


def microseconds(function: Callable[[FormatContext], object], context: FormatContext) -> float:
    """Of one call, at best."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(LINES):
            function(context)
        best = min(best, time.perf_counter() - began)
    return best / LINES * 1e6


def stamped(context: FormatContext) -> Callable[[FormatContext], None]:
    """What writes default lines like that of a record, to nowhere."""
    stamp = Stamp(_drop, compileText(DEFAULT_FORMAT).partsAlike(context, ANSWER))
    now, uuid = context.streamInfo.startTime, context.streamInfo.requestHeaders[b"x-request-id"]
    return lambda context: stamp.write(now, uuid)


def _drop(line: bytes) -> None:
    pass


def main() -> int:
    """Print the table."""
    context = request()
    lines: dict[str, Callable[[FormatContext], object]] = {
        "default line": compileText(DEFAULT_FORMAT),
        "stamped line": stamped(context),
        "header": compileText("%REQ(X-REQUEST-ID)%"),
    }
    failed = 0
    for name, line in lines.items():
        took = microseconds(line, context)
        failed |= took > BUDGETS[name]
        print(f"{name:14} {took:7.2f} us   budget {BUDGETS[name]:5.1f} us")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
