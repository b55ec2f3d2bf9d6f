"""The factory of detection by a header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.detection import Detected, Detector, readAddress
from twisted_envoy.http.edge.refusal import Refusal, undetected
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.state.stream_info import StreamInfo

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_FORBIDDEN = 403


@implementer(IExtensionFactory)
class CustomHeaderFactory:
    """Builds detectors that read an address from a header."""

    typeURL = "envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig"
    category = "http.original_ip_detection"
    descriptors = b""

    def build(self, config: View, context: Any) -> Detector:
        name = config.header_name.lower().encode()
        trusted: bool = config.allow_extension_to_set_address_as_trusted
        missing: Detected | Refusal = Detected(None, False)
        if config.reject_with_status is not None:
            missing = undetected(_readStatus(config.reject_with_status))

        def detect(headers: HeaderMap, connection: StreamInfo) -> Detected | Refusal:
            value = headers.get(name)
            address = None if value is None else readAddress(value)
            return missing if address is None else Detected(address, trusted)

        return detect


def _readStatus(view: View) -> int:
    """The status of an envoy.type.v3.HttpStatus; 403 for one that says no error."""
    view.code  # noqa: B018  read: its number is in the message
    code: int = view.message.code  # type: ignore[attr-defined]
    return code if code >= 400 else _FORBIDDEN
