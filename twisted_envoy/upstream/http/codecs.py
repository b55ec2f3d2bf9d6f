"""The codecs of a cluster's connections, by protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from twisted_envoy.upstream.http.settings import HTTP1, HTTP2, UpstreamHTTPSettings

if TYPE_CHECKING:
    from twisted_envoy.codec.h1.client import H1ClientCodec
    from twisted_envoy.codec.h2.client import H2ClientCodec
    from twisted_envoy.codec.http import CodecOutput
    from twisted_envoy.stats.scope import Scope
    from twisted_envoy.upstream.stats import ClusterStats


def clientCodecs(
    settings: UpstreamHTTPSettings, scope: Scope, seconds: Callable[[], float]
) -> Mapping[str, Callable[[Any, CodecOutput, Any], Any]]:
    """
    What makes the codec of a connection, its output and its transport.

    Args:
        scope: `cluster.<name>.`; the stats of a codec are made with its first connection, as
            Envoy's are. So is a codec imported: a cluster of TCP needs none.
        seconds: the reactor's clock.
    """
    made: dict[str, Any] = {}

    def http1(connection: Any, output: CodecOutput, transport: Any) -> H1ClientCodec:
        if HTTP1 not in made:
            from twisted_envoy.codec.h1.answers import KnownAnswers
            from twisted_envoy.codec.h1.client import H1ClientCodec
            from twisted_envoy.codec.h1.memo import REQUEST_HOLES, HeadMemo
            from twisted_envoy.http.stats import HTTP1Stats

            HTTP1Stats(scope.scope("http1."))
            answers = KnownAnswers(settings.http1, settings.limits)
            made[HTTP1] = H1ClientCodec, HeadMemo(REQUEST_HOLES), answers
        make, heads, answers = made[HTTP1]
        codec: H1ClientCodec = make(
            connection, output, settings.http1, settings.limits, transport, heads, answers
        )
        return codec

    def http2(connection: Any, output: CodecOutput, transport: Any) -> H2ClientCodec:
        if HTTP2 not in made:
            from twisted_envoy.codec.h2.client import H2ClientCodec
            from twisted_envoy.http.h2_stats import HTTP2Stats

            made[HTTP2] = H2ClientCodec, HTTP2Stats(scope.scope("http2."))
        make, stats = made[HTTP2]
        codec: H2ClientCodec = make(
            connection, output, settings.http2, settings.limits, stats, seconds
        )
        return codec

    return {HTTP1: http1, HTTP2: http2}


def negotiated(tls: Any, stats: ClusterStats) -> str:
    """
    The protocol that ALPN has chosen for a connection, which is counted.

    Args:
        tls: of the connection; None without.
    """
    if tls is not None and tls.applicationProtocol == "h2":
        stats.upstream_cx_http2_total.value += 1
        return HTTP2
    stats.upstream_cx_http1_total.value += 1
    return HTTP1
