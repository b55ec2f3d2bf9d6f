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
    open          the peer's alert              closed, as after its end
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
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.codec.tls_record import TLSProblem, TLSRecord, TLSTruncated
from twisted_envoy.extensions.transport_sockets.tls.handshake import NOBODY, HandshakeObserver
from twisted_envoy.extensions.transport_sockets.tls.incoming import Incoming
from twisted_envoy.extensions.transport_sockets.tls.outgoing import Outgoing
from twisted_envoy.internal.end import failureOf
from twisted_envoy.internal.interfaces import IHalfCloseTransport
from twisted_envoy.network.link import NO_TRANSPORT, dropped


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
        connection: OpenSSL's. wire: what it is over.
        hops, passthrough: see IInternalTransport; of a socket 0 and None.
        tls: what is known of the connection's TLS, an object of the observer's.
        dataReceived: what the wire calls.
        disconnecting: a close was asked for; disconnected: it is done.
    """

    __slots__ = (
        *("__weakref__", "_incoming", "_lost", "_observer", "_outgoing", "_record", "connection"),
        *("dataReceived", "disconnected", "disconnecting", "hops", "passthrough", "protocol"),
        *("tls", "wire", "write"),
    )

    def __init__(
        self, record: TLSRecord, observer: HandshakeObserver, post: Callable[[Any], None]
    ) -> None:
        self._record = record
        self._observer: HandshakeObserver = observer
        self._incoming = Incoming(self, post)
        self._outgoing = Outgoing(self, record, post)
        self.wire: Any = NO_TRANSPORT
        self.connection = record.connection
        self.hops = 0
        self.passthrough: object = None
        self.protocol: Any = NOBODY
        self.tls: Any = None
        self._lost: Exception | None = None
        self.disconnecting = False
        self.disconnected = False
        self.write: Callable[[bytes], None] = self._keep
        self.dataReceived: Callable[[bytes], None] = self._handshake

    # What the wire calls.

    def makeConnection(self, transport: Any) -> None:
        """Begin over this wire; a client says hello at once."""
        self.wire = self._record.verdict.wire = transport
        self.hops = getattr(transport, "hops", 0)
        self.passthrough = getattr(transport, "passthrough", None)
        if not self._record.isServer:
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
        if not record.hasTickets:
            self._push()
        if record.isOpen:
            self._opened()
            if not self.disconnected:
                self._deliver(plain)

    def _opened(self) -> None:
        """The handshake is done: do what waited for it."""
        self.dataReceived = self._receive
        self.write = self._encrypt
        outgoing = self._outgoing
        producer = outgoing.producer
        self._observer.handshakeDone(self)
        outgoing.opened(producer)
        if self._incoming.isPaused and not self.disconnecting:
            self.wire.pauseProducing()
        outgoing.finish()

    def _receive(self, data: bytes) -> None:
        """Bytes once it is open."""
        try:
            plain = self._record.feed(data)
        except TLSProblem as problem:
            self._fail(problem)
            return
        if not plain:  # a message of TLS itself, which may want an answer
            self._push()
        self._deliver(plain)

    def _deliver(self, plain: bytes) -> None:
        if plain:
            self._incoming.deliver(plain)
        record = self._record
        if record.peerEnded:
            self._incoming.end()
        elif record.broken is not None:
            self._fail(record.broken)

    def _push(self) -> None:
        """Send what TLS itself has to say."""
        reply = self._record.pull()
        if reply:
            self.wire.write(reply)

    def readConnectionLost(self) -> None:
        """The end of the wire's stream."""
        if self._record.isOpen:
            self._incoming.end()
        else:
            self._fail(TLSTruncated())

    def writeConnectionLost(self) -> None:
        """Never asked for."""

    def connectionLost(self, reason: Failure) -> None:
        """The wire is gone."""
        if self.disconnected:
            return
        self.disconnected = self.disconnecting = True
        self.wire = self._record.verdict.wire = NO_TRANSPORT
        outgoing = self._outgoing
        self.dataReceived = self.write = dropped
        lost = self._lost
        if self._record.isOpen:
            self._observer.tlsClosed(self)
            if lost is None and _isReset(reason.value):
                self._observer.tlsFailed(self, TLSTruncated(True))
            if lost is not None and isinstance(reason.value, ConnectionDone):
                reason = failureOf(lost)
        else:
            outgoing.stop()
            if lost is None:
                wasReset = _isReset(reason.value)
                self._observer.tlsFailed(self, TLSTruncated(wasReset))
                if wasReset:  # what the observer was told, as in Envoy; nobody else has begun
                    reason = failureOf(ConnectionDone())
        protocol, self.protocol = self.protocol, NOBODY
        self._incoming.drop()
        outgoing.drop()
        protocol.connectionLost(reason)

    def _fail(self, problem: TLSProblem) -> None:
        """It cannot go on; an alert goes out, what was kept is dropped."""
        if self._lost is not None:
            return
        closed = self._record.isOpen and problem.isAlert
        self._lost = ConnectionDone() if closed else ConnectionLost(str(problem))
        self._outgoing.endSent = True
        self.dataReceived = dropped
        self._observer.tlsFailed(self, problem)
        self._push()
        if closed:
            self._incoming.end()
        wire = self.wire
        self._outgoing.stop(fromWire=True)
        self.disconnecting = True
        wire.loseConnection()

    # What the protocol calls.

    def pauseProducing(self) -> None:
        """Hand on nothing more, the end of stream included."""
        self._incoming.isPaused = True
        if self._record.isOpen:
            self.wire.pauseProducing()

    def resumeProducing(self) -> None:
        """Hand on what comes."""
        if not self._incoming.isPaused or self.disconnecting:
            return
        self._incoming.resume()
        if self._record.isOpen:
            self.wire.resumeProducing()

    def stopProducing(self) -> None:
        """Close, as in twisted.internet.tcp."""
        self.loseConnection()

    def closeAsTCP(self) -> None:
        """The peer has ended, which the protocol cannot be told of."""
        producer = self._outgoing.producer
        if producer is not None:
            self.unregisterProducer()
            producer.stopProducing()
        self.loseConnection()

    def _keep(self, data: bytes) -> None:
        """Write before it is open; who took this method then goes on using it."""
        if self._record.isOpen:
            self._encrypt(data)
        elif self._lost is None and not self.disconnected and data:
            self._outgoing.keep(data)

    def _encrypt(self, data: bytes) -> None:
        """Write once it is open."""
        if not data or self._outgoing.endSent:
            return
        try:
            records = self._record.send(data)
        except TLSProblem as problem:
            self._fail(problem)
            return
        self.wire.write(records)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write all of them as one."""
        self.write(b"".join(iovec))

    @property
    def bufferedBytes(self) -> int:
        """Bytes written and not yet taken by the wire's peer."""
        size: int = self.wire.bufferedBytes
        return size + self._outgoing.pending.size

    def setWriteBufferLimit(self, limit: int) -> None:
        """See IHalfCloseTransport."""
        self._outgoing.pending.limit = limit
        self.wire.setWriteBufferLimit(limit)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """See IConsumer; a closing connection stops the producer at once."""
        if self.disconnecting:
            producer.stopProducing()
        else:
            self._outgoing.register(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer; an end that waited for it goes on."""
        self._outgoing.unregister()

    def loseWriteConnection(self) -> None:
        """Send close_notify once all that was written is out (and a producer has gone)."""
        if not (self._outgoing.isEnding or self.disconnecting):
            self._outgoing.isEnding = True
            self._outgoing.finish()

    def loseConnection(self) -> None:
        """Close once all that was written is out (and a registered producer has gone)."""
        if not self.disconnecting:
            self.disconnecting = self._outgoing.isEnding = True
            self._outgoing.finish()

    def resetConnection(self) -> None:
        """Reset the connection once all that was written is out (and a producer has gone)."""
        if not self.disconnected:
            self._outgoing.isResetting = True
            if self.disconnecting:
                self.wire.resetConnection()
            else:
                self.loseConnection()

    def abortConnection(self) -> None:
        """Drop what is buffered and reset the connection."""
        if not self.disconnected:
            self.disconnecting = True
            self._outgoing.pending.drop()
            self.wire.abortConnection()

    def giveUpHandshake(self) -> bool:
        """Close if the handshake is not done by now; tell whether that was so."""
        if self._record.isOpen or self.disconnected or self._lost is not None:
            return False
        self._fail(TLSTruncated())
        return True

    def getPeer(self) -> IAddress:
        """The wire's other end."""
        return self.wire.getPeer()  # type: ignore[no-any-return]

    def getHost(self) -> IAddress:
        """The wire's end here."""
        return self.wire.getHost()  # type: ignore[no-any-return]


def _isReset(problem: BaseException | None) -> bool:
    """Whether the wire ended neither in good order nor by our own doing."""
    return isinstance(problem, ConnectionLost) and not isinstance(problem, ConnectionAborted)
