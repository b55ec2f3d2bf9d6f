"""The factory of HttpProtocolOptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.codec.settings import HTTP1Settings, HTTP2Settings
from twisted_envoy.errors import UnsupportedField
from twisted_envoy.http.protocol_options import (
    readCommonOptions,
    readHTTP1Options,
    readHTTP2Options,
)
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.upstream.http.settings import (
    HTTP1,
    HTTP2,
    UpstreamHTTPSettings,
    readServerNames,
)

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_CODEC = "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"


@implementer(IExtensionFactory)
class HTTPProtocolOptionsFactory:
    """Builds UpstreamHTTPSettings."""

    typeURL = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    category = "upstreams.http"
    descriptors = b""

    def build(self, config: View, context: Any) -> UpstreamHTTPSettings:
        common = readCommonOptions(config.common_http_protocol_options)
        kind = config.which("upstream_protocol_options")
        if kind == "explicit_http_config":
            protocol, http1, http2 = _explicit(config.explicit_http_config, context)
        elif kind == "use_downstream_protocol_config":
            protocol, http1, http2 = "", *_both(config.use_downstream_protocol_config, context)
        else:
            protocol, http1, http2 = HTTP1, *_both(config.auto_config, context)
        _filters(config.http_filters)
        return UpstreamHTTPSettings.of(
            protocol,
            http1,
            http2,
            common,
            kind == "auto_config",
            readServerNames(config.upstream_http_protocol_options),
        )


def _explicit(config: View, context: Any) -> tuple[str, HTTP1Settings, HTTP2Settings]:
    kind = config.which("protocol_config")
    if kind == "http_protocol_options":
        http1 = readHTTP1Options(config.http_protocol_options, context)
        return HTTP1, http1, HTTP2Settings()
    if kind == "http2_protocol_options":
        http2 = readHTTP2Options(config.http2_protocol_options, context)
        return HTTP2, HTTP1Settings(), http2
    raise _noHTTP3(config)


def _both(config: View, context: Any) -> tuple[HTTP1Settings, HTTP2Settings]:
    if config.has("http3_protocol_options"):
        raise _noHTTP3(config)
    return (
        readHTTP1Options(config.http_protocol_options, context),
        readHTTP2Options(config.http2_protocol_options, context),
    )


def _noHTTP3(config: View) -> UnsupportedField:
    return UnsupportedField(
        config.path,
        "HTTP/3 is not implemented by twisted_envoy",
        config.position("http3_protocol_options"),
    )


def _filters(filters: tuple[View, ...]) -> None:
    """The codec alone is as good as none; a filter before it is not implemented."""
    if not filters:
        return
    last = filters[-1]
    if last.typed_config is None or last.typed_config.typeName != _CODEC:
        raise last.error(
            f"The codec filter is the only valid terminal upstream HTTP filter, use '{_CODEC}'"
        )
    last.name  # noqa: B018  says nothing
    last.typed_config.take()
    for other in filters[:-1]:
        raise UnsupportedField(
            other.path, "upstream HTTP filters are not implemented", other.position()
        )
