"""
Looks at a connection's first bytes and tells which HTTP they are.

    transport protocol is known as TLS     goes on, uninspected
    HTTP                                   applicationProtocols is the one that was found
    anything else                          goes on
    64 KiB and still no line               closed

Envoy: extensions.filters.listener.http_inspector.v3.HttpInspector
"""

from __future__ import annotations

from zope.interface import implementer

from twisted_envoy.codec.http_inspector import MOST, HTTPReader, NotHTTP
from twisted_envoy.interfaces.network import IListenerFilter, Verdict
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope

_NEED_MORE = (Verdict.NEED_MORE, 0)
_DONE = (Verdict.DONE, 0)


class HTTPInspectorStats:
    """`http_inspector.*`, of all listeners together."""

    http10_found: Counter
    http11_found: Counter
    http2_found: Counter
    http_not_found: Counter
    read_error: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
        self.found = {
            "http/1.0": self.http10_found,
            "http/1.1": self.http11_found,
            "h2c": self.http2_found,
        }


@implementer(IListenerFilter)
class HTTPInspector:
    """One connection's inspection."""

    __slots__ = ("_reader", "_stats")

    maxReadBytes = MOST

    def __init__(self, stats: HTTPInspectorStats) -> None:
        self._stats = stats
        self._reader = HTTPReader()

    def feed(self, data: bytes, streamInfo: StreamInfo) -> tuple[Verdict, int | str]:
        if streamInfo.transportProtocol not in ("", "raw_buffer"):
            return _DONE
        try:
            found = self._reader.feed(data)
        except NotHTTP:
            self._stats.http_not_found.value += 1
            return _DONE
        if found is not None:
            self._stats.found[found].value += 1
            streamInfo.applicationProtocols = (found,)
            return _DONE
        if len(data) < MOST:
            return _NEED_MORE
        self._stats.read_error.value += 1
        return Verdict.REJECT, "no line"
