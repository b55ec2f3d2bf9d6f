"""The factory of the TLS inspector."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.listener.tls_inspector.filter import (
    TLSInspector,
    TLSInspectorSettings,
    TLSInspectorStats,
)
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_MOST = 16384


@implementer(IExtensionFactory)
class TLSInspectorFactory:
    """Builds the maker of TLSInspectors."""

    typeURL = "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
    category = "filters.listener"

    def build(self, config: View, context: Any) -> Callable[[], TLSInspector]:
        config.moot("initial_read_buffer_size", "bytes are looked at as they come")
        most = config.max_client_hello_size
        settings = TLSInspectorSettings(
            TLSInspectorStats(context.stats.scope("tls_inspector.")),
            _MOST if most is None else most,
            config.close_connection_on_client_hello_parsing_errors,
            bool(config.enable_ja3_fingerprinting),
            bool(config.enable_ja4_fingerprinting),
        )
        return partial(TLSInspector, settings)
