"""
A connection inside TLS: to its protocol a transport, to the wire below a protocol.

    state         event                         next
    handshaking   writes, ends, closes          kept until it is open
    handshaking   the handshake is done         open; what was kept is done
    handshaking   anything wrong, end, loss     lost
    open          plaintext                     dataReceived
    open          close_notify, or an end       readConnectionLost, or a close as TCP does
    open          loseWriteConnection           close_notify; reading goes on
    open          loseConnection                close_notify, and the wire is closed
    open          a record is wrong             lost (ConnectionLost), after an alert
    any           abortConnection               the wire is reset

Nothing waits for the peer's close_notify. As in Envoy our own is all that a half-close sends, and
the wire's end without one is an end of stream. A handshake goes on while reading is paused.

Envoy: Extensions::TransportSockets::Tls::SslSocket
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, IProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.codec.tls_record import TLSProblem, TLSRecord, TLSTruncated
from twisted_envoy.extensions.transport_sockets.tls.handshake import NOBODY, HandshakeObserver
from twisted_envoy.extensions.transport_sockets.tls.pending import PendingWrites
from twisted_envoy.internal.end import failureOf
from twisted_envoy.internal.interfaces import IHalfCloseTransport
from twisted_envoy.network.link import NO_TRANSPORT, dropped

_log = Logger("connection")


@implementer(IHalfCloseTransport, IProtocol, IHalfCloseableProtocol)
class TLSTransport:
    """
    One connection inside TLS.

    Args:
        record: its TLS.
        observer: is told of the handshake.
        post: runs a call when the current event has ended.

    Attributes:
        protocol: receives the events; may be replaced at any moment.
        connection: OpenSSL's.
        hops, passthrough: see IInternalTransport; of a socket 0 and None.
        tls: what is known of the connection's TLS, an object of the observer's.
        dataReceived: what the wire calls.
        disconnecting: a close was asked for; disconnected: it is done.
    """

    __slots__ = (
        *("__weakref__", "_endSent", "_endWaits", "_ending", "_held", "_lost", "_observer"),
        *("_paused", "_pending", "_post", "_producer", "_readEnded", "_record", "_resetting"),
        *("_streaming", "_wire", "dataReceived", "disconnected", "disconnecting", "protocol"),
        *("connection", "hops", "passthrough", "tls", "write"),
    )

    def __init__(
        self, record: TLSRecord, observer: HandshakeObserver, post: Callable[[Any], None]
    ) -> None:
        self._record = record
        self._observer: HandshakeObserver = observer
        self._post = post
        self._wire: Any = NO_TRANSPORT
        self.connection = record.connection
        self.hops = 0
        self.passthrough: object = None
        self.protocol: Any = NOBODY
        self.tls: Any = None
        self._pending = PendingWrites()
        self._producer: Any = None
        self._streaming = True
        self._paused = False
        self._held: list[bytes] = []
        self._endWaits = False
        self._readEnded = False
        self._ending = False
        self._endSent = False
        self._resetting = False
        self._lost: Exception | None = None
        self.disconnecting = False
        self.disconnected = False
        self.write: Callable[[bytes], None] = self._keep
        self.dataReceived: Callable[[bytes], None] = self._handshake

    # What the wire calls.

    def makeConnection(self, transport: Any) -> None:
        """Begin over this wire; a client says hello at once."""
        self._wire = transport
        self.hops = getattr(transport, "hops", 0)
        self.passthrough = getattr(transport, "passthrough", None)
        self._handshake(b"")

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection does everything."""

    def _handshake(self, data: bytes) -> None:
        """Bytes while the handshake is not done."""
        record = self._record
        try:
            plain = record.feed(data)
        except TLSProblem as problem:
            self._fail(problem)
            return
        reply = record.pull()
        if reply:
            self._wire.write(reply)
        if record.isOpen:
            self._opened()
            if not self.disconnected:
                self._deliver(plain)

    def _opened(self) -> None:
        """The handshake is done: do what waited for it."""
        self.dataReceived = self._receive
        self.write = self._encrypt
        wire = self._wire
        producer = self._producer
        self._observer.handshakeDone(self)
        if producer is not None and self._producer is producer:
            wire.registerProducer(producer, self._streaming)
        pending = self._pending
        self._encrypt(pending.take())
        paused, pending.producer = pending.producer, None
        if paused is not None and self._producer is paused:
            if wire.bufferedBytes <= pending.limit:
                paused.resumeProducing()
        if self._paused and not self.disconnecting:
            wire.pauseProducing()
        self._finish()

    def _receive(self, data: bytes) -> None:
        """Bytes once it is open."""
        record = self._record
        try:
            plain = record.feed(data)
        except TLSProblem as problem:
            self._fail(problem)
            return
        if not plain:  # a message of TLS itself, which may want an answer
            reply = record.pull()
            if reply:
                self._wire.write(reply)
        self._deliver(plain)

    def _deliver(self, plain: bytes) -> None:
        if plain and not self._readEnded and not self.disconnecting:
            if self._paused or self._held:
                self._held.append(plain)
            else:
                self.protocol.dataReceived(plain)
        record = self._record
        if record.peerEnded:
            self._peerEnded()
        elif record.broken is not None:
            self._fail(record.broken)

    def readConnectionLost(self) -> None:
        """The end of the wire's stream."""
        if self._record.isOpen:
            self._peerEnded()
        else:
            self._fail(TLSTruncated())

    def writeConnectionLost(self) -> None:
        """Never asked for."""

    def connectionLost(self, reason: Failure) -> None:
        """The wire is gone."""
        if self.disconnected:
            return
        self.disconnected = self.disconnecting = True
        self._wire = NO_TRANSPORT
        self._endSent = True
        self.dataReceived = self.write = dropped
        producer, self._producer = self._producer, None
        wasOpen = self._record.isOpen
        self._pending.drop()
        if wasOpen:
            self._observer.tlsClosed(self)
        else:
            if producer is not None:
                producer.stopProducing()
            if self._lost is None:
                problem = reason.value
                wasReset = isinstance(problem, ConnectionLost)
                wasReset = wasReset and not isinstance(problem, ConnectionAborted)
                self._observer.tlsFailed(self, TLSTruncated(wasReset))
        if self._lost is not None and isinstance(reason.value, ConnectionDone) and wasOpen:
            reason = failureOf(self._lost)
        protocol, self.protocol = self.protocol, NOBODY
        self._held.clear()
        protocol.connectionLost(reason)

    def _peerEnded(self) -> None:
        if self._readEnded or self.disconnecting:
            return
        if self._paused or self._held:
            self._endWaits = True
            return
        self._readEnded = True
        if IHalfCloseableProtocol.providedBy(self.protocol):
            self.protocol.readConnectionLost()
            return
        producer = self._producer
        if producer is not None:
            self.unregisterProducer()
            producer.stopProducing()
        self.loseConnection()

    def _fail(self, problem: TLSProblem) -> None:
        """It cannot go on; an alert goes out, what was kept is dropped."""
        if self._lost is not None:
            return
        self._lost = ConnectionLost(str(problem))
        self._endSent = True
        self.dataReceived = dropped
        self._observer.tlsFailed(self, problem)
        wire = self._wire
        alert = self._record.pull()
        if alert:
            wire.write(alert)
        producer, self._producer = self._producer, None
        if producer is not None:
            wire.unregisterProducer()
            producer.stopProducing()
        self.disconnecting = True
        wire.loseConnection()

    def pauseProducing(self) -> None:
        """Hand on nothing more, the end of stream included."""
        self._paused = True
        if self._record.isOpen:
            self._wire.pauseProducing()

    def resumeProducing(self) -> None:
        """Hand on what comes."""
        if not self._paused or self.disconnecting:
            return
        self._paused = False
        if self._held or self._endWaits:
            self._post(self._deliverHeld)
        if self._record.isOpen:
            self._wire.resumeProducing()

    def stopProducing(self) -> None:
        """Close, as in twisted.internet.tcp."""
        self.loseConnection()

    def _deliverHeld(self) -> None:
        held = self._held
        try:
            while held and not (self._paused or self.disconnecting):
                self.protocol.dataReceived(held.pop(0))
            if self._endWaits and not (held or self._paused):
                self._endWaits = False
                self._peerEnded()
        except Exception:
            self._fault()

    def _fault(self) -> None:
        _log.failure("a protocol raised; the connection is closed")
        self.abortConnection()

    def _keep(self, data: bytes) -> None:
        """Write before it is open; who took this method then goes on using it."""
        if self._record.isOpen:
            self._encrypt(data)
            return
        if self._lost is not None or self.disconnected or not data:
            return
        self._pending.add(data, self._producer if self._streaming else None)

    def _encrypt(self, data: bytes) -> None:
        """Write once it is open."""
        if not data or self._endSent:
            return
        try:
            records = self._record.send(data)
        except TLSProblem as problem:
            self._fail(problem)
            return
        self._wire.write(records)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write all of them as one."""
        self.write(b"".join(iovec))

    @property
    def bufferedBytes(self) -> int:
        """Bytes written and not yet taken by the wire's peer."""
        size: int = self._wire.bufferedBytes
        return size + self._pending.size

    def setWriteBufferLimit(self, limit: int) -> None:
        """See IHalfCloseTransport."""
        self._pending.limit = limit
        self._wire.setWriteBufferLimit(limit)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """See IConsumer; a closing connection stops the producer at once."""
        if self.disconnecting:
            producer.stopProducing()
            return
        if self._producer is not None:
            raise RuntimeError("another producer is registered")
        self._producer = producer
        self._streaming = streaming
        if self._record.isOpen:
            self._wire.registerProducer(producer, streaming)
        elif streaming:
            self._pending.check(producer)

    def unregisterProducer(self) -> None:
        """Forget the producer; an end that waited for it goes on."""
        self._producer = self._pending.producer = None
        if self._record.isOpen:
            self._wire.unregisterProducer()
        self._finish()

    def loseWriteConnection(self) -> None:
        """Send close_notify once all that was written is out (and a producer has gone)."""
        if not (self._ending or self.disconnecting):
            self._ending = True
            self._finish()

    def loseConnection(self) -> None:
        """Close once all that was written is out (and a registered producer has gone)."""
        if not self.disconnecting:
            self.disconnecting = self._ending = True
            self._finish()

    def resetConnection(self) -> None:
        """Reset the connection once all that was written is out (and a producer has gone)."""
        if not self.disconnected:
            self._resetting = True
            if self.disconnecting:
                self._wire.resetConnection()
            else:
                self.loseConnection()

    def abortConnection(self) -> None:
        """Drop what is buffered and reset the connection."""
        if not self.disconnected:
            self.disconnecting = True
            self._pending.drop()
            self._wire.abortConnection()

    def giveUpHandshake(self) -> bool:
        """Close if the handshake is not done by now; tell whether that was so."""
        if self._record.isOpen or self.disconnected or self._lost is not None:
            return False
        self._fail(TLSTruncated())
        return True

    def _finish(self) -> None:
        """Do what was asked for, if it can be done by now."""
        if not self._ending or self._producer is not None or self.disconnected:
            return
        if self._record.isOpen:
            if not self._endSent:
                self._endSent = True
                ended = self._record.end()
                if ended:
                    self._wire.write(ended)
                self._post(self._tellWriteEnded)
        elif self._pending.size or not self.disconnecting:
            return  # when it is open
        if self.disconnecting:
            if self._resetting:
                self._wire.resetConnection()
            else:
                self._wire.loseConnection()

    def _tellWriteEnded(self) -> None:
        if self.disconnecting or not IHalfCloseableProtocol.providedBy(self.protocol):
            return
        try:
            self.protocol.writeConnectionLost()
        except Exception:
            self._fault()

    def getPeer(self) -> IAddress:
        """The wire's other end."""
        return self._wire.getPeer()  # type: ignore[no-any-return]

    def getHost(self) -> IAddress:
        """The wire's end here."""
        return self._wire.getHost()  # type: ignore[no-any-return]
