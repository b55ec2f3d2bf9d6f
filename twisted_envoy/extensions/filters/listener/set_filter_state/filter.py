"""
Set filter state: apply values when a connection is accepted, before its filter chain is chosen.

Envoy: extensions.filters.listener.set_filter_state.v3.Config
"""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import implementer

from twisted_envoy.extensions.common.filter_state.values import FilterStateValue
from twisted_envoy.interfaces.network import IListenerFilter, Verdict
from twisted_envoy.state.filter_state import LifeSpan
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

_DONE = (Verdict.DONE, 0)


@implementer(IListenerFilter)
class SetFilterState:
    """Sets objects of one connection."""

    __slots__ = ("_seconds", "_values")

    maxReadBytes = 0

    def __init__(self, values: tuple[FilterStateValue, ...], seconds: Callable[[], float]) -> None:
        self._values = values
        self._seconds = seconds

    def feed(self, data: bytes, streamInfo: StreamInfo) -> tuple[Verdict, int | str]:
        context = FormatContext(streamInfo, now=self._seconds())
        for value in self._values:
            value.apply(context, LifeSpan.CONNECTION)
        return _DONE
