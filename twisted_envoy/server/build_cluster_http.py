"""
The HTTP of a cluster: HttpProtocolOptions, or the older fields of the cluster itself.

Envoy: createOptions and ClusterInfoImpl in source/common/upstream/upstream_impl.cc
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twisted_envoy.http.protocol_options import (
    readCommonOptions,
    readHTTP1Options,
    readHTTP2Options,
)
from twisted_envoy.server.context import FactoryContext
from twisted_envoy.upstream.http.codecs import clientCodecs
from twisted_envoy.upstream.http.settings import (
    HTTP1,
    HTTP2,
    UpstreamHTTP,
    UpstreamHTTPSettings,
    readServerNames,
)

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.interfaces.transport_sockets import IUpstreamTransportSocketFactory

_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_KNOWN_OPTIONS = (
    _HTTP_OPTIONS,
    "envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions",
    "envoy.filters.",
)
_OLD = (
    "http_protocol_options",
    "http2_protocol_options",
    "common_http_protocol_options",
    "upstream_http_protocol_options",
    "protocol_selection",
)
_HALF_CLOSE = "twisted_envoy.http1_tunnel_half_close"


def buildUpstreamHTTP(
    config: View, transportSocket: IUpstreamTransportSocketFactory, context: FactoryContext
) -> UpstreamHTTP:
    """
    Read what a cluster says of HTTP.

    Args:
        context: the cluster's, with its scope.
    Raises:
        ConfigError: as Envoy.
    """
    options = _typedOptions(config)
    if options is None:
        _checkOld(config)
        settings = _old(config, context)
    else:
        for field in _OLD:
            config.moot(field, "HttpProtocolOptions stands in their place")
        factory, view = context.extensions.openAny(options, "", "upstreams.http", config)
        settings = factory.build(view, context)
    if settings.automatic and not getattr(transportSocket, "supportsALPN", False):
        raise config.error(
            f"ALPN configured for cluster {config.name} which has a non-ALPN transport socket",
            "typed_extension_protocol_options",
        )
    settings = _withMaxRequests(config, settings)
    reactor = context.reactor
    return UpstreamHTTP(
        settings,
        clientCodecs(settings, context.scope, reactor.seconds),
        reactor,
        context.registry.turn.post,
        context.nextID,
        context.random,
        context.runtime.boolean(_HALF_CLOSE, False),
    )


def _typedOptions(config: View) -> Any:
    """
    The AnyView of HttpProtocolOptions; None without.

    Envoy refuses names that nobody registered; what is not HTTP's stays unread.
    """
    message: Any = config.message
    found = None
    for name in sorted(message.typed_extension_protocol_options):
        if not name.startswith(_KNOWN_OPTIONS):
            problem = (
                "Didn't find a registered network or http filter or protocol options "
                f"implementation for name: '{name}'"
            )
            raise config.error(problem, "typed_extension_protocol_options")
        if name.startswith("envoy.extensions.upstreams."):
            options: Any = config.typed_extension_protocol_options[name]
            if options.typeName == _HTTP_OPTIONS:
                found = options
            else:
                options.open()
    return found


def _checkOld(config: View) -> None:
    message: Any = config.message
    both = message.HasField("http_protocol_options") and message.HasField("http2_protocol_options")
    if both and config.protocol_selection == "USE_CONFIGURED_PROTOCOL":
        raise config.error(
            "cluster: Both HTTP1 and HTTP2 options may only be configured with non-default "
            "'protocol_selection' values"
        )


def _old(config: View, context: FactoryContext) -> UpstreamHTTPSettings:
    http2 = config.http2_protocol_options
    protocol = HTTP1 if http2 is None else HTTP2
    if config.protocol_selection == "USE_DOWNSTREAM_PROTOCOL":
        protocol = ""
    return UpstreamHTTPSettings.of(
        protocol,
        readHTTP1Options(config.http_protocol_options, context),
        readHTTP2Options(http2, context),
        readCommonOptions(config.common_http_protocol_options),
        serverNames=readServerNames(config.upstream_http_protocol_options),
    )


def _withMaxRequests(config: View, settings: UpstreamHTTPSettings) -> UpstreamHTTPSettings:
    """max_requests_per_connection may be said in two places, but only in one of them."""
    old = config.max_requests_per_connection
    if old is None:
        return settings
    common = settings.common
    if common.maxRequestsPerConnection is not None:
        raise config.error(
            "Only one of max_requests_per_connection from Cluster or HttpProtocolOptions can be "
            "specified",
            "max_requests_per_connection",
        )
    return replace(settings, common=replace(common, maxRequestsPerConnection=old))
