"""
Headers and trailers, of requests and responses.

Envoy: HttpHeadersDataInputBase in source/common/http/matching/inputs.h
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.matchers import fieldName
from twisted_envoy.network.matching.inputs import HTTP, NOT_YET, Input
from twisted_envoy.state.stream_info import StreamInfo


@implementer(IExtensionFactory)
class HeaderInputFactory:
    """
    All values of a header in one text, with commas between them.

    Args:
        name: of the message. source: gives the headers, None while they are not there.
    """

    category = HTTP

    def __init__(self, name: str, source: Callable[[StreamInfo], HeaderMap | None]) -> None:
        self.typeURL = f"envoy.type.matcher.v3.{name}"
        self._source = source

    def build(self, config: Any, context: Any) -> Input:
        source = self._source
        name = fieldName(config.header_name)

        def get(info: StreamInfo) -> object:
            headers = source(info)
            if headers is None:
                return NOT_YET
            value = headers.joined(name)
            return None if value is None else value.decode("utf-8", "surrogateescape")

        return get


HEADER_INPUTS = (
    HeaderInputFactory("HttpRequestHeaderMatchInput", lambda info: info.requestHeaders),
    HeaderInputFactory("HttpRequestTrailerMatchInput", lambda info: info.requestTrailers),
    HeaderInputFactory("HttpResponseHeaderMatchInput", lambda info: info.responseHeaders),
    HeaderInputFactory("HttpResponseTrailerMatchInput", lambda info: info.responseTrailers),
)
