"""
How a TLS connection's own direction ends, and who produces for it.

    asked for               done when nothing is written any more and no producer is left
    loseWriteConnection     close_notify; reading goes on
    loseConnection          close_notify, and the wire is closed
    resetConnection         close_notify, and the wire is reset

During the handshake all of it waits, but a close with nothing to send is done at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.logger import Logger

from twisted_envoy.extensions.transport_sockets.tls.handshake import GONE
from twisted_envoy.extensions.transport_sockets.tls.pending import PendingWrites

if TYPE_CHECKING:
    from twisted_envoy.codec.tls_record import TLSRecord
    from twisted_envoy.extensions.transport_sockets.tls.transport import TLSTransport

_log = Logger("connection")


class Outgoing:
    """
    Of one connection.

    Args:
        transport: its TLSTransport. record: its TLS.
        post: runs a call when the current event has ended.

    Attributes:
        pending: what is written before the handshake is done.
        producer: who produces, None for nobody; streaming: as a push producer.
        isEnding: an end was asked for; endSent: nothing may be written any more.
        isResetting: the wire is to be reset at the end.
    """

    __slots__ = (
        *("_post", "_record", "_transport", "endSent", "isEnding", "isResetting", "pending"),
        *("producer", "streaming"),
    )

    def __init__(
        self, transport: TLSTransport, record: TLSRecord, post: Callable[[Any], None]
    ) -> None:
        self._transport: Any = transport
        self._record = record
        self._post = post
        self.pending = PendingWrites()
        self.producer: Any = None
        self.streaming = True
        self.isEnding = False
        self.endSent = False
        self.isResetting = False

    def keep(self, data: bytes) -> None:
        """Keep what is written before the handshake is done."""
        self.pending.add(data, self.producer if self.streaming else None)

    def register(self, producer: Any, streaming: bool) -> None:
        """Somebody produces; paused at once when too much waits."""
        if self.producer is not None:
            raise RuntimeError("another producer is registered")
        self.producer = producer
        self.streaming = streaming
        if self._record.isOpen:
            self._transport.wire.registerProducer(producer, streaming)
        elif streaming:
            self.pending.check(producer)

    def unregister(self) -> None:
        """Nobody produces any more; an end that waited for it goes on."""
        self.producer = self.pending.producer = None
        if self._record.isOpen:
            self._transport.wire.unregisterProducer()
        self.finish()

    def stop(self, fromWire: bool = False) -> None:
        """
        Tell the producer that nothing will be taken any more.

        Args:
            fromWire: the wire is to forget it, too.
        """
        producer, self.producer = self.producer, None
        if producer is not None:
            if fromWire:
                self._transport.wire.unregisterProducer()
            producer.stopProducing()

    def drop(self) -> None:
        """Forget what was kept, and the transport: it is lost."""
        self._transport = GONE
        self.endSent = True
        self.producer = None
        self.pending.drop()

    def opened(self, before: Any) -> None:
        """
        The handshake is done: the wire has the producer from now on, and what was kept.

        Args:
            before: who produced before anybody was told; a later one is with the wire already.
        """
        wire = self._transport.wire
        if before is not None and self.producer is before:
            wire.registerProducer(before, self.streaming)
        pending = self.pending
        self._transport.write(pending.take())
        paused, pending.producer = pending.producer, None
        if paused is not None and self.producer is paused:
            if wire.bufferedBytes <= pending.limit:
                paused.resumeProducing()

    def finish(self) -> None:
        """Do what was asked for, if it can be done by now."""
        transport = self._transport
        if not self.isEnding or self.producer is not None or transport.disconnected:
            return
        if self._record.isOpen:
            if self.isResetting:
                self.endSent = True  # a reset is no end of the stream
            else:
                self._sendEnd()
        elif self.pending.size or not transport.disconnecting:
            return  # when it is open
        if transport.disconnecting:
            if self.isResetting:
                transport.wire.resetConnection()
            else:
                transport.wire.loseConnection()

    def _sendEnd(self) -> None:
        if self.endSent:
            return
        self.endSent = True
        ended = self._record.end()
        if ended:
            self._transport.wire.write(ended)
        self._post(self._tellWriteEnded)

    def _tellWriteEnded(self) -> None:
        transport = self._transport
        if transport.disconnecting or not IHalfCloseableProtocol.providedBy(transport.protocol):
            return
        try:
            transport.protocol.writeConnectionLost()
        except Exception:
            _log.failure("a protocol raised; the connection is closed")
            transport.abortConnection()
