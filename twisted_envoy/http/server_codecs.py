"""
The codecs of clients' connections.

Envoy: HttpConnectionManagerConfig::createCodec
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_envoy.codec.h1.server import H1ServerCodec
from twisted_envoy.codec.h2.server import H2ServerCodec
from twisted_envoy.codec.http import CodecOutput
from twisted_envoy.network.link import Link

if TYPE_CHECKING:
    from twisted_envoy.http.server_connection import ServerConnection


def makeHTTP1(connection: ServerConnection, output: CodecOutput) -> H1ServerCodec:
    """The codec of a connection that speaks HTTP/1.1; it counts."""
    settings = connection.settings
    settings.stats.downstream_cx_http1_total.value += 1
    settings.stats.downstream_cx_http1_active.value += 1
    http1 = settings.http1 if connection.info.tls is None else settings.http1Secured
    codec = H1ServerCodec(
        connection,
        output,
        http1,
        settings.limits,
        _Reading(connection),
        settings.http1Stats,
        settings.heads,
    )
    codec.answers = connection
    return codec


def makeHTTP2(connection: ServerConnection, output: CodecOutput) -> H2ServerCodec:
    """The same for HTTP/2."""
    settings = connection.settings
    settings.stats.downstream_cx_http2_total.value += 1
    settings.stats.downstream_cx_http2_active.value += 1
    codec = H2ServerCodec(
        connection, output, settings.http2, settings.limits, settings.http2Stats, settings.seconds
    )
    if not codec.tellsCore:  # the reference core sends no whole answers
        codec.answers = connection
    return codec


@implementer(IPushProducer)
class _Reading:
    """The codec's view of the connection's reading."""

    __slots__ = ("pauseProducing", "resumeProducing", "stopProducing")

    def __init__(self, connection: ServerConnection) -> None:
        self.pauseProducing = partial(Link.pauseProducing, connection)
        self.resumeProducing = partial(Link.resumeProducing, connection)
        self.stopProducing = partial(Link.stopProducing, connection)
