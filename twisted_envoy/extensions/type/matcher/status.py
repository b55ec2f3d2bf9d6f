"""
The status of a response.

Envoy: source/common/http/matching/status_code_input.h
"""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.matching.inputs import HTTP, NOT_YET, Input
from twisted_envoy.state.stream_info import StreamInfo


@implementer(IExtensionFactory)
class StatusInputFactory:
    """`200`"""

    typeURL = "envoy.type.matcher.v3.HttpResponseStatusCodeMatchInput"
    category = HTTP

    def build(self, config: Any, context: Any) -> Input:
        return _status


@implementer(IExtensionFactory)
class StatusClassInputFactory:
    """`2xx`"""

    typeURL = "envoy.type.matcher.v3.HttpResponseStatusCodeClassMatchInput"
    category = HTTP

    def build(self, config: Any, context: Any) -> Input:
        return _statusClass


def _status(info: StreamInfo) -> object:
    headers = info.responseHeaders
    if headers is None:
        return NOT_YET
    status: bytes | None = headers.get(b":status")
    return None if status is None else status.decode("latin-1")


def _statusClass(info: StreamInfo) -> object:
    status = _status(info)
    if not isinstance(status, str):
        return status
    return f"{status[0]}xx" if len(status) == 3 and status[0] in "12345" else None
