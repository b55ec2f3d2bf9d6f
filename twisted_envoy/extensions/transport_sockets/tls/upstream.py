"""TLS of connections to hosts."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, NamedTuple

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


_NOTHING = ("", (), ())


class Wanted(NamedTuple):
    """
    What one connection asks for.

    Attributes:
        name: of the server; "" for none. protocols: offered.
        subjectNames: the certificate must have one of them; empty: as the config says.
    """

    name: str
    protocols: tuple[bytes, ...] = ()
    subjectNames: tuple[str, ...] = ()


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
        self._sessions: list[tuple[tuple[str, tuple[str, ...]], SSL.Session, bool]] = []
        self._hasALPN = hasALPN
        self._checksName = checksName
        self._scratch = Scratch()

    def connectorFor(
        self, host: IHost, options: TransportSocketOptions, passthrough: object | None = None
    ) -> IStreamClientEndpoint:
        name = host.hostname if self._byHost and host.hostname else self._serverName
        endpoint = self._raw.connectorFor(host, options, passthrough)
        offered = options.onlyProtocols or (() if self._hasALPN else options.protocols)
        wanted = Wanted(name, offered, options.subjectNames)
        if options.serverName:
            wanted = wanted._replace(name=options.serverName)
        elif host.serverName and not options.subjectNames:
            asked = wanted.name if literalKind(host.serverName) is not None else host.serverName
            wanted = wanted._replace(name=asked, subjectNames=(host.serverName,))
        return TLSEndpoint(endpoint, self, wanted)

    def hashKey(self, options: TransportSocketOptions) -> Hashable:
        below = self._raw.hashKey(options)
        wanted = (options.serverName, options.subjectNames, options.onlyProtocols)
        return below if wanted == _NOTHING else (below, *wanted)

    def placeOnWire(
        self,
        place: Callable[[IUpstreamTransportSocketFactory], IUpstreamTransportSocketFactory],
    ) -> IUpstreamTransportSocketFactory:
        self._raw = place(self._raw)
        return self

    def newRecord(self, wanted: Wanted) -> TLSRecord:
        """The TLS of a new connection."""
        context = self._contexts.current()[0]
        if context is not self._context:
            self._context = context
            self._sessions.clear()
        record = newRecord(context, False, self._scratch)
        if wanted.protocols:
            record.connection.set_alpn_protos(list(wanted.protocols))
        name = wanted.name
        record.verdict.wantedNames = wanted.subjectNames
        if self._checksName and not wanted.subjectNames:
            record.verdict.wantedName = name
        if name:
            record.connection.set_tlsext_host_name(name.encode("latin-1", "replace"))
        self._resume(record, name)
        return record

    def _resume(self, record: TLSRecord, name: str) -> None:
        """Go on with the last session of such a server; one of TLS 1.3 is for one connection."""
        wanted = (name, record.verdict.wantedNames)  # another name's was never verified
        for kept in reversed(self._sessions):
            key, session, isForOne = kept
            if key == wanted:
                record.connection.set_session(session)
                if isForOne:
                    self._sessions.remove(kept)
                return

    @property
    def trusts(self) -> bool:
        """A server that is accepted has been verified."""
        return self._contexts.value[1].trusts

    def remember(self, record: TLSRecord, name: str) -> None:
        """Keep an open connection's session for the next ones to the server of that name."""
        most = self._maxSessions
        session = record.connection.get_session() if most else None
        if session is not None:
            isForOne = record.connection.get_protocol_version() == SSL.TLS1_3_VERSION
            self._sessions.append(((name, record.verdict.wantedNames), session, isForOne))
            del self._sessions[:-most]


@implementer(IStreamClientEndpoint)
class TLSEndpoint:
    """
    Connects and shakes hands.

    Args:
        endpoint: of the wire.
        socket: whose it is.
        wanted: of the server.
    """

    __slots__ = ("_endpoint", "_socket", "wanted")

    def __init__(
        self, endpoint: IStreamClientEndpoint, socket: UpstreamTLS, wanted: Wanted
    ) -> None:
        self._endpoint = endpoint
        self._socket = socket
        self.wanted = wanted

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        """
        Connect.

        Returns:
            Fires when the handshake is done; fails as the wire does, or with TLSProblem.
        """
        record = self._socket.newRecord(self.wanted)
        name = self.wanted.name
        return _Attempt(self._socket, record, name, protocolFactory).start(self._endpoint)


@implementer(IProtocolFactory)
class _Attempt:
    """One connection from its beginning until it is open or has failed; the wire's factory."""

    noisy = False

    __slots__ = (
        *("_address", "_connecting", "_done", "_factory", "_name", "_over", "_record", "_socket"),
        "_tls",
    )

    def __init__(
        self, socket: UpstreamTLS, record: TLSRecord, name: str, factory: IProtocolFactory
    ) -> None:
        self._name = name
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
            socket.remember(self._record, self._name)
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
        self._socket.remember(self._record, self._name)

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
