"""The factory of request ids that are UUIDs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.http.edge.request_id import UUIDRequestID
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class UUIDRequestIDFactory:
    """Builds what gives requests UUIDs."""

    typeURL = "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"
    category = "request_id"
    descriptors = b""

    def build(self, config: View, context: Any) -> UUIDRequestID:
        config.moot("use_request_id_for_trace_sampling", "there is no tracing")
        return UUIDRequestID(config.pack_trace_reason is not False)
