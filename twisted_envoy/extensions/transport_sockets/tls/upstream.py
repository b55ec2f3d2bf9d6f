"""TLS of connections to hosts."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IProtocolFactory, IStreamClientEndpoint
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.codec.tls_info import TLSInfo
from twisted_envoy.codec.tls_record import (
    Scratch,
    TLSProblem,
    TLSRecord,
    keepSession,
    newRecord,
)
from twisted_envoy.extensions.common.tls.certificate import Certificate
from twisted_envoy.extensions.common.tls.rotation import Rotating
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.extensions.common.tls.verifier import Verifier
from twisted_envoy.extensions.transport_sockets.tls.transport import TLSTransport
from twisted_envoy.interfaces.transport_sockets import (
    IUpstreamTransportSocketFactory,
    TransportSocketOptions,
)
from twisted_envoy.internal.end import failureOf
from twisted_envoy.upstream.resolve import literalKind

if TYPE_CHECKING:
    from twisted_envoy.interfaces.upstream import IHost


@implementer(IUpstreamTransportSocketFactory)
class UpstreamTLS:
    """
    Puts connections to hosts inside TLS.

    Args:
        raw: makes the connections below.
        contexts: OpenSSL's, and who verifies servers' certificates.
        serverName: asked for; "" for none.
        byHost: the host's own name is asked for when it has one.
        post: runs a call when the current event has ended.
        maxSessions: how many are kept to go on with.
        checksName: a certificate must have the name that is asked for.
        hasALPN: the config says what to offer; else that is for pools to say.
    """

    isTLS = True
    supportsALPN = True

    def __init__(
        self,
        raw: IUpstreamTransportSocketFactory,
        contexts: Rotating[tuple[SSL.Context, Verifier, tuple[Certificate, ...]]],
        stats: TLSStats,
        post: Callable[[Any], None],
        serverName: str = "",
        byHost: bool = False,
        maxSessions: int = 1,
        hasALPN: bool = False,
        checksName: bool = False,
    ) -> None:
        self._raw = raw
        self._contexts = contexts
        self._context = contexts.value[0]
        self.stats = stats
        self.post = post
        self._serverName = serverName
        self._byHost = byHost
        self._maxSessions = maxSessions
        self._sessions: list[SSL.Session] = []
        self._hasALPN = hasALPN
        self._checksName = checksName
        self._scratch = Scratch()

    def connectorFor(
        self, host: IHost, options: TransportSocketOptions, passthrough: object | None = None
    ) -> IStreamClientEndpoint:
        name = host.hostname if self._byHost and host.hostname else self._serverName
        endpoint = self._raw.connectorFor(host, options, passthrough)
        offered = options.onlyProtocols or (() if self._hasALPN else options.protocols)
        if host.serverName:
            return TLSEndpoint(endpoint, self, host.serverName, offered, ofHost=True)
        return TLSEndpoint(endpoint, self, name, offered)

    def hashKey(self, options: TransportSocketOptions) -> Hashable:
        return self._raw.hashKey(options)

    def placeOnWire(
        self,
        place: Callable[[IUpstreamTransportSocketFactory], IUpstreamTransportSocketFactory],
    ) -> IUpstreamTransportSocketFactory:
        self._raw = place(self._raw)
        return self

    def newRecord(
        self, serverName: str, protocols: tuple[bytes, ...], ofHost: bool = False
    ) -> TLSRecord:
        """
        The TLS of a new connection.

        Args:
            ofHost: it is this host's own name, which a verified certificate must have.
        """
        context = self._contexts.current()[0]
        if context is not self._context:
            self._context = context
            self._sessions.clear()
        record = newRecord(context, False, self._scratch)
        if protocols:
            record.connection.set_alpn_protos(list(protocols))
        if serverName:
            if self._checksName or (ofHost and self.trusts):
                record.verdict.wantedName = serverName
            if not ofHost or literalKind(serverName) is None:
                record.connection.set_tlsext_host_name(serverName.encode("latin-1", "replace"))
        if self._sessions and not ofHost:  # another host's are none of its business
            record.connection.set_session(self._sessions[-1])
        return record

    @property
    def trusts(self) -> bool:
        """A server that is accepted has been verified."""
        return self._contexts.value[1].trusts

    def remember(self, connection: SSL.Connection) -> None:
        """Keep an open connection's session for the next ones."""
        most = self._maxSessions
        session = connection.get_session() if most else None
        if session is not None:
            self._sessions.append(session)
            del self._sessions[:-most]


@implementer(IStreamClientEndpoint)
class TLSEndpoint:
    """
    Connects and shakes hands.

    Args:
        endpoint: of the wire.
        socket: whose it is.
        serverName: asked for. protocols: offered. ofHost: see newRecord.
    """

    __slots__ = ("_endpoint", "_ofHost", "_protocols", "_serverName", "_socket")

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        socket: UpstreamTLS,
        serverName: str,
        protocols: tuple[bytes, ...] = (),
        ofHost: bool = False,
    ) -> None:
        self._endpoint = endpoint
        self._ofHost = ofHost
        self._protocols = protocols
        self._socket = socket
        self._serverName = serverName

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """
        Connect.

        Returns:
            Fires when the handshake is done; fails as the wire does, or with TLSProblem.
        """
        record = self._socket.newRecord(self._serverName, self._protocols, self._ofHost)
        return _Attempt(self._socket, record, protocolFactory).start(self._endpoint)


@implementer(IProtocolFactory)
class _Attempt:
    """One connection from its beginning until it is open or has failed; the wire's factory."""

    noisy = False

    __slots__ = (
        *("_address", "_connecting", "_done", "_factory", "_over", "_record", "_socket", "_tls"),
    )

    def __init__(self, socket: UpstreamTLS, record: TLSRecord, factory: IProtocolFactory) -> None:
        self._socket = socket
        self._record = record
        self._factory = factory
        self._address: Any = None
        self._tls: TLSTransport | None = None
        self._connecting: Deferred[Any] | None = None
        self._over = False
        self._done: Deferred[Any] = Deferred(self._cancel)

    def start(self, endpoint: IStreamClientEndpoint) -> Deferred[Any]:
        """Begin."""
        self._connecting = connecting = endpoint.connect(self)
        connecting.addCallbacks(lambda wire: None, self._failed)  # which keeps nothing
        return self._done

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()

    def buildProtocol(self, addr: IAddress) -> TLSTransport:
        self._address = addr
        socket = self._socket
        self._tls = TLSTransport(self._record, self, socket.post)
        return self._tls

    def handshakeDone(self, transport: TLSTransport) -> None:
        """The wire's handshake: the connection is there."""
        socket = self._socket
        info = TLSInfo(transport.connection, socket.trusts)
        transport.tls = info
        socket.stats.opened(info)
        if info.version != "TLSv1.3":
            socket.remember(transport.connection)
        if self._over:
            return
        self._over = True
        try:
            protocol: Any = self._factory.buildProtocol(self._address)
            if protocol is None:
                raise ConnectionDone()
            transport.protocol = protocol
            protocol.makeConnection(transport)
        except Exception:
            transport.abortConnection()
            self._done.errback()
            return
        self._tls = None
        self._done.callback(protocol)

    def tlsClosed(self, transport: TLSTransport) -> None:
        """The sessions of TLS 1.3 come after the handshake."""
        keepSession(transport.connection)
        self._socket.remember(transport.connection)

    def tlsFailed(self, transport: TLSTransport, problem: TLSProblem) -> None:
        """It cannot go on."""
        self._socket.stats.failed(problem)
        self._failed(failureOf(problem))

    def _failed(self, failure: Failure) -> None:
        self._tls = None
        if not self._over:
            self._over = True
            self._done.errback(failure)

    def _cancel(self, done: Deferred[Any]) -> None:
        """Nobody waits any more; the Deferred fails with CancelledError."""
        self._over = True
        if self._tls is not None:
            self._tls.abortConnection()
        elif self._connecting is not None:
            self._connecting.cancel()
