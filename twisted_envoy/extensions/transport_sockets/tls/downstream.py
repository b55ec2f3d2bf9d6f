"""TLS of accepted connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zope.interface import implementer

from twisted_envoy.codec.tls_info import TLSInfo
from twisted_envoy.codec.tls_record import Scratch, TLSProblem, keepSession, newRecord
from twisted_envoy.extensions.common.tls.context import ServerContexts
from twisted_envoy.extensions.common.tls.rotation import Rotating
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.extensions.common.tls.verifier import Verifier
from twisted_envoy.extensions.transport_sockets.tls.transport import TLSTransport
from twisted_envoy.interfaces.transport_sockets import IDownstreamTransportSocketFactory
from twisted_envoy.state.stream_info import StreamInfo


@implementer(IDownstreamTransportSocketFactory)
class DownstreamTLS:
    """
    Puts accepted connections inside TLS.

    Args:
        contexts: OpenSSL's, and who verifies clients' certificates.
        post: runs a call when the current event has ended.
        seconds: the reactor's clock.
    """

    def __init__(
        self,
        contexts: Rotating[tuple[ServerContexts, Verifier]],
        stats: TLSStats,
        post: Callable[[Any], None],
        seconds: Callable[[], float],
    ) -> None:
        self.contexts = contexts
        self.stats = stats
        self.post = post
        self.seconds = seconds
        self._scratch = Scratch()

    def wrapper(self) -> Callable[[Any, StreamInfo], Any] | None:
        return self.wrap

    def wrap(self, wire: Any, streamInfo: StreamInfo) -> TLSTransport:
        """The transport of what is inside; the wire is its own from now on."""
        contexts, verifier = self.contexts.current()
        record = newRecord(contexts.default, True, self._scratch)
        asks = verifier.asks
        info = TLSInfo(record.connection, asks, asks)
        transport = TLSTransport(record, _Downstream(self, streamInfo, info), self.post)
        wire.protocol = transport
        transport.makeConnection(wire)
        return transport


class _Downstream:
    """Tells a connection's StreamInfo of its handshake."""

    __slots__ = ("_factory", "_info", "_streamInfo")

    def __init__(self, factory: DownstreamTLS, streamInfo: StreamInfo, info: TLSInfo) -> None:
        self._factory = factory
        self._streamInfo = streamInfo
        self._info = info
        info.begun = info.done = factory.seconds()
        streamInfo.tls = info

    def handshakeDone(self, transport: TLSTransport) -> None:
        factory = self._factory
        info = transport.tls = self._info
        info.done = factory.seconds()
        factory.stats.opened(info)
        info.opened()

    def tlsClosed(self, transport: TLSTransport) -> None:
        """Its session may go on."""
        keepSession(transport.connection)

    def tlsFailed(self, transport: TLSTransport, problem: TLSProblem) -> None:
        self._info.failed()
        self._factory.stats.failed(problem)
        reason = problem.transportFailureReason
        if reason:
            self._streamInfo.downstreamTransportFailureReason = reason
