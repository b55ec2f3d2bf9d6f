"""The factory of internal_upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.hop_switches import readHopSwitches
from twisted_envoy.extensions.transport_sockets.internal_upstream.socket import (
    InternalUpstream,
    MetadataSource,
)
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class InternalUpstreamFactory:
    """Builds InternalUpstream around the nested transport socket."""

    typeURL = "envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport"
    category = "transport_sockets"

    def build(self, config: View, context: Any) -> InternalUpstream:
        inner: Any = context.build(config.transport_socket, self.category)
        sources = tuple(self._source(source) for source in config.passthrough_metadata)
        noMetadata = context.scope.counter("internal_upstream.no_metadata")
        return InternalUpstream(inner, sources, noMetadata, readHopSwitches(context.runtime))

    def _source(self, source: View) -> MetadataSource:
        kind = source.kind.which("kind")
        if kind not in ("host", "cluster"):
            raise source.error(f"metadata type is not supported: {kind} {{ }}", "kind")
        getattr(source.kind, kind)
        return MetadataSource(kind == "cluster", source.name)
