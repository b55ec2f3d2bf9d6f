"""Requests that are carried over a pooled connection without a stream of the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.http import IStreamDecoder, IStreamEncoder
from twisted_envoy.upstream.http.settings import HTTP1
from twisted_envoy.upstream.http.stream import PoolStream

if TYPE_CHECKING:
    from twisted_envoy.codec.h2.requested import Requested
    from twisted_envoy.codec.h2.stream import H2Stream
    from twisted_envoy.upstream.http.connection import PooledConnection


def carry(
    connection: PooledConnection,
    requested: Requested,
    value: bytes,
    decoder: IStreamDecoder,
    carrier: Any,
) -> H2Stream:
    """
    Send a request over HTTP/2; only while it is READY and its codec is not full.

    Args:
        value, decoder, carrier: H2ClientCodec.carry's.
    """
    connection.countStream()
    try:
        stream: H2Stream = connection.codec.carry(requested, value, decoder, carrier)
    except Exception:
        connection.streamOver()
        raise
    return stream


def handOver(
    connection: PooledConnection, upstream: Any, decoder: IStreamDecoder
) -> tuple[IStreamEncoder, IStreamDecoder]:
    """
    Whatever comes for a request that was carried is for a user from now on.

    Args:
        upstream: the codec's stream. decoder: the user's.
    Returns:
        The user's encoder, and who is told what comes meanwhile.
    """
    if connection.protocol == HTTP1:
        upstream.codec.whole = None
        upstream.decodedBy(decoder)
        return upstream, decoder
    stream = PoolStream(connection, decoder)
    stream.encoder = upstream
    stream.requestEnded = True
    upstream.carrier = None
    upstream.decodedBy(stream)
    return stream, stream
