"""
`filter_disabled`: listener filters that some connections do not get.

A predicate is asked when it is the filter's turn, so that it sees what filters before it restored.

Envoy: config.listener.v3.ListenerFilterChainMatchPredicate
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.interfaces.network import (
    IListenerFilter,
    ITransportListenerFilter,
    Verdict,
)
from twisted_envoy.state.addresses import portOf
from twisted_envoy.state.stream_info import StreamInfo

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

Predicate = Callable[[StreamInfo], bool]


def compilePredicate(view: View) -> Predicate:
    """What a ListenerFilterChainMatchPredicate says of a connection."""
    kind = view.which("rule")
    if kind == "not_match":
        inner = compilePredicate(view.not_match)
        return lambda info: not inner(info)
    if kind in ("or_match", "and_match"):
        rules = tuple(map(compilePredicate, getattr(view, kind).rules))
        decide = any if kind == "or_match" else all
        return lambda info: decide(rule(info) for rule in rules)
    if kind == "destination_port_range":
        ports = view.destination_port_range
        return _inRange(range(ports.start, ports.end))
    anything: bool = view.any_match
    return lambda info: anything


def _inRange(ports: range) -> Predicate:
    return lambda info: portOf(info.localAddress) in ports


@implementer(ITransportListenerFilter)
class UnlessDisabled:
    """
    A filter of one connection that may not be wanted.

    Args:
        filter: the filter.
        isDisabled: asked once.
    """

    __slots__ = ("_filter", "_isAsked", "_isDisabled")

    def __init__(self, filter: IListenerFilter, isDisabled: Predicate) -> None:
        self._filter = filter
        self._isDisabled = isDisabled
        self._isAsked = False

    @property
    def maxReadBytes(self) -> int:
        """The filter's own."""
        return self._filter.maxReadBytes

    def connected(self, transport: Any) -> None:
        if ITransportListenerFilter.providedBy(self._filter):
            inner: Any = self._filter
            inner.connected(transport)

    def feed(self, data: bytes, streamInfo: StreamInfo) -> tuple[Verdict, int | str]:
        if not self._isAsked:
            self._isAsked = True
            if self._isDisabled(streamInfo):
                return Verdict.DONE, 0
        return self._filter.feed(data, streamInfo)
