"""
One request on a pooled HTTP/2 connection: what stands between its owner and the codec.

It knows whether the exchange is whole and tells the connection when it is over, exactly once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import IStreamDecoder, IStreamEncoder, Reset

if TYPE_CHECKING:
    from twisted_envoy.upstream.http.connection import PooledConnection
    from twisted_envoy.upstream.stats import ClusterStats

_OURS = frozenset({Reset.LOCAL, Reset.PROTOCOL_ERROR, Reset.OVERLOAD_MANAGER})
_CONNECTIONS = frozenset(
    {
        Reset.CONNECTION_TERMINATION,
        Reset.LOCAL_CONNECTION_FAILURE,
        Reset.REMOTE_CONNECTION_FAILURE,
        Reset.CONNECTION_TIMEOUT,
    }
)


def countReset(stats: ClusterStats, reason: Reset) -> None:
    """An HTTP/2 stream ended before its time; HTTP/1.1 has no such counters in Envoy."""
    if reason is Reset.REMOTE:
        stats.upstream_rq_rx_reset.value += 1
    elif reason is Reset.REMOTE_NO_ERROR:
        stats.upstream_rq_rx_reset_no_error.value += 1
    elif reason in _OURS:
        stats.upstream_rq_tx_reset.value += 1
    elif reason in _CONNECTIONS:
        stats.upstream_rq_pending_failure_eject.value += 1


@implementer(IStreamDecoder, IStreamEncoder)
class PoolStream:
    """
    The codec's decoder and the user's encoder.

    Args:
        connection: where the request goes over.
        decoder: the user's.

    Attributes:
        encoder: the codec's; set before the user has the stream.
        requestEnded, responseEnded: all of it went through.
        over: both have ended, or it was reset.
        whole: both have ended, and it was not reset before.
    """

    __slots__ = (
        "_connection",
        "_decoder",
        "encoder",
        "over",
        "requestEnded",
        "responseEnded",
        "whole",
    )

    encoder: Any

    def __init__(self, connection: PooledConnection, decoder: IStreamDecoder) -> None:
        self._connection = connection
        self._decoder = decoder
        self.requestEnded = False
        self.responseEnded = False
        self.over = False
        self.whole = False

    def _ended(self) -> None:
        """One direction has, and everybody was told."""
        if self.requestEnded and self.responseEnded and not self.over:
            self.over = self.whole = True
            self._connection.streamOver()

    # IStreamEncoder, for the user.

    @property
    def streamID(self) -> int:
        return self.encoder.streamID  # type: ignore[no-any-return]

    @property
    def headerBytes(self) -> int:
        return self.encoder.headerBytes  # type: ignore[no-any-return]

    @property
    def wireBytes(self) -> int:
        return self.encoder.wireBytes  # type: ignore[no-any-return]

    @property
    def receivedHeaderBytes(self) -> int:
        return self.encoder.receivedHeaderBytes  # type: ignore[no-any-return]

    @property
    def receivedWireBytes(self) -> int:
        return self.encoder.receivedWireBytes  # type: ignore[no-any-return]

    def encode1xx(self, headers: HeaderMap) -> None:
        """Part of the interface; only servers do this."""

    def encodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        if endStream:
            self.requestEnded = True
            self.encoder.encodeHeaders(headers, True)
            self._ended()
        else:
            self.encoder.encodeHeaders(headers, False)

    def encodeData(self, data: bytes, endStream: bool) -> None:
        if endStream:
            self.requestEnded = True
            self.encoder.encodeData(data, True)
            self._ended()
        else:
            self.encoder.encodeData(data, False)

    def encodeTrailers(self, trailers: HeaderMap) -> None:
        self.requestEnded = True
        self.encoder.encodeTrailers(trailers)
        self._ended()

    def resetStream(self, reason: Reset) -> None:
        if not self.over:
            self.over = True
            self.encoder.resetStream(reason)
            self._connection.streamReset(reason)

    def registerProducer(self, producer: IPushProducer | None) -> None:
        self.encoder.registerProducer(producer)

    def pauseReading(self) -> None:
        self.encoder.pauseReading()

    def resumeReading(self) -> None:
        self.encoder.resumeReading()

    def setBufferLimit(self, limit: int) -> None:
        self.encoder.setBufferLimit(limit)

    # IStreamDecoder, for the codec.

    def decode1xx(self, headers: HeaderMap) -> None:
        self._decoder.decode1xx(headers)

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        if endStream:
            self.responseEnded = True
            self._decoder.decodeHeaders(headers, True)
            self._ended()
        else:
            self._decoder.decodeHeaders(headers, False)

    def decodeData(self, data: bytes, endStream: bool) -> None:
        if endStream:
            self.responseEnded = True
            self._decoder.decodeData(data, True)
            self._ended()
        else:
            self._decoder.decodeData(data, False)

    def decodeTrailers(self, trailers: HeaderMap) -> None:
        self.responseEnded = True
        self._decoder.decodeTrailers(trailers)
        self._ended()

    def streamReset(self, reason: Reset, details: str) -> None:
        if not self.over:
            self.over = True
            self._connection.streamReset(reason)
            self._decoder.streamReset(reason, details)

    def streamFailed(self, error: Any) -> None:
        """Part of the interface; only servers do this."""
