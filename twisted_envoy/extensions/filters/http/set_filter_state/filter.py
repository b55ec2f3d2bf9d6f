"""
Set filter state: apply values when a request comes.

Envoy: extensions.filters.http.set_filter_state.v3.Config
"""

from __future__ import annotations

from collections.abc import Callable

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.common.filter_state.values import FilterStateValue
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.state.filter_state import LifeSpan
from twisted_envoy.state.stream_info import FormatContext

Values = tuple[FilterStateValue, ...]


class SetFilterState(HTTPFilter):
    """
    Sets objects of one request: the filter's, then those of the route's levels.

    Args:
        clearsRoute: another route may be right for the request then.
    """

    __slots__ = ("_clearsRoute", "_seconds", "_values")

    def __init__(self, values: Values, clearsRoute: bool, seconds: Callable[[], float]) -> None:
        self._values = values
        self._clearsRoute = clearsRoute
        self._seconds = seconds

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        stream = self.stream
        context = FormatContext(stream.streamInfo, now=self._seconds())
        for values in (self._values, *stream.routeConfigs(stream.nameOf(self))):
            for value in values:
                value.apply(context, LifeSpan.FILTER_CHAIN)
        if self._clearsRoute:
            stream.clearRouteCache()
