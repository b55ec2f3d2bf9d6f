"""The factory of the PROXY protocol upstream."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.proxy_protocol import readAddedTLVs, readPassThrough
from twisted_envoy.extensions.transport_sockets.proxy_protocol.header import HeaderSettings
from twisted_envoy.extensions.transport_sockets.proxy_protocol.socket import (
    HeaderOnWire,
    UpstreamProxyProtocol,
)
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.interfaces.transport_sockets import IUpstreamTransportSocketFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class UpstreamProxyProtocolFactory:
    """Builds UpstreamProxyProtocol around the nested transport socket."""

    typeURL = "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport"
    category = "transport_sockets"

    def build(self, config: View, context: Any) -> UpstreamProxyProtocol:
        nested = config.transport_socket
        inner: Any = context.build(nested, self.category)
        if not IUpstreamTransportSocketFactory.providedBy(inner):
            kind = nested.typed_config.typeName
            raise nested.error(
                f"Didn't find a registered implementation for '{nested.name}' "
                f"with type URL: '{kind}'"
            )
        config.moot("tlv_as_pool_key", "TLVs of the config are the same for a host's pools")
        config.moot("allow_unspecified_address", "what has no IP address gets no header either way")
        header = config.config
        settings = HeaderSettings(
            version="V1" if header is None else header.version,
            passes=readPassThrough(None if header is None else header.pass_through_tlvs),
            added=() if header is None else readAddedTLVs(header.added_tlvs, context),
            exceeded=context.scope.counter("upstream.proxyprotocol.v2_tlvs_exceed_max_length"),
            seconds=context.reactor.seconds,
        )
        return UpstreamProxyProtocol(inner.placeOnWire(partial(HeaderOnWire, settings)))
