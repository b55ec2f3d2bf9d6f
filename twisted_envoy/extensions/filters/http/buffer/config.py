"""The buffer filter's factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.http.buffer.filter import Buffer
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.http import IHTTPFilterFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IHTTPFilterFactory)
class BufferFactory:
    """Builds the maker of Buffer filters."""

    typeURL = "envoy.extensions.filters.http.buffer.v3.Buffer"
    routeTypeURL = "envoy.extensions.filters.http.buffer.v3.BufferPerRoute"
    category = "filters.http"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        return partial(Buffer, config.max_request_bytes)

    def buildRoute(self, config: View, context: Any) -> int:
        """Bytes; 0 when the filter is switched off there."""
        if config.which("override") == "disabled":
            config.disabled  # noqa: B018  it can only be true
            return 0
        size: int = config.buffer.max_request_bytes
        return size
