"""
Parameters of the query.

Envoy: HttpRequestQueryParamsDataInput in source/common/http/matching/inputs.h
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.matching.inputs import HTTP, NOT_YET, Input
from twisted_envoy.state.stream_info import StreamInfo


@implementer(IExtensionFactory)
class QueryInputFactory:
    """The first value of a parameter, decoded."""

    typeURL = "envoy.type.matcher.v3.HttpRequestQueryParamMatchInput"
    category = HTTP

    def build(self, config: Any, context: Any) -> Input:
        wanted: bytes = config.query_param.encode()

        def get(info: StreamInfo) -> object:
            headers = info.requestHeaders
            if headers is None:
                return NOT_YET
            _, question, query = headers.get(b":path", b"").partition(b"?")
            for pair in query.split(b"&") if question else ():
                name, _, value = pair.partition(b"=")
                if unquote_to_bytes(name) == wanted:
                    return unquote_to_bytes(value).decode("utf-8", "surrogateescape")
            return None

        return get
