"""The factory of the HTTP inspector."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.listener.http_inspector.filter import (
    HTTPInspector,
    HTTPInspectorStats,
)
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class HTTPInspectorFactory:
    """Builds the maker of HTTPInspectors; there is nothing to configure."""

    typeURL = "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector"
    category = "filters.listener"
    descriptors = b""

    def build(self, config: View, context: Any) -> Callable[[], HTTPInspector]:
        return partial(HTTPInspector, HTTPInspectorStats(context.stats.scope("http_inspector.")))
