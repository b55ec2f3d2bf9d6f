"""
Asks a host over TCP: does it take a connection, does it answer as it should?

Envoy: source/extensions/health_checkers/tcp
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure as TwistedFailure
from zope.interface import implementer

from twisted_envoy.upstream.health.checker import Report
from twisted_envoy.upstream.health.payload import matches
from twisted_envoy.upstream.health.settings import Failure
from twisted_envoy.values import dataclass

_MOST = 64 * 1024


@dataclass(frozen=True, slots=True)
class TCPCheck:
    """
    What the config says.

    Attributes:
        send: said on each check. receive: parts of the answer, in order; without any, the
            connection alone is the answer.
    """

    send: bytes = b""
    receive: tuple[bytes, ...] = ()


@implementer(IHalfCloseableProtocol)
class _Connection(Protocol):
    """Collects what the host says."""

    transport: Any

    def __init__(self, probe: TCPProbe) -> None:
        self.probe: TCPProbe | None = probe
        self.data = b""

    def dataReceived(self, data: bytes) -> None:
        if self.probe is not None:
            self.data = (self.data + data)[-_MOST:]
            self.probe.received()

    def readConnectionLost(self) -> None:
        self.close()

    def writeConnectionLost(self) -> None:
        """Nobody half-closes it."""

    def connectionLost(self, reason: TwistedFailure | None = None) -> None:
        self._gone()

    def close(self) -> None:
        """Close, and tell the probe as if the host had done so."""
        self.transport.loseConnection()
        self._gone()

    def _gone(self) -> None:
        probe, self.probe = self.probe, None
        if probe is not None:
            probe.lost()


class TCPProbe:
    """
    One host's.

    Args:
        endpoint: connects to it.
        reuse: keep the connection for the next check.
    """

    def __init__(
        self, endpoint: IStreamClientEndpoint, check: TCPCheck, reuse: bool, report: Report
    ) -> None:
        self._endpoint = endpoint
        self._check = check
        self._reuse = reuse
        self._report = report
        self._connection: _Connection | None = None
        self._connecting: Deferred[Any] | None = None

    def check(self) -> None:
        if self._connection is not None:
            self._connection.data = b""
            self._connection.transport.write(self._check.send)
            return
        connecting = self._endpoint.connect(_factoryOf(lambda: _Connection(self)))
        self._connecting = connecting
        connecting.addCallbacks(self._connected, self._notConnected)

    def giveUp(self) -> None:
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.cancel()
        self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.probe = None
            connection.transport.loseConnection()

    def _connected(self, connection: _Connection) -> None:
        if self._connecting is None:
            connection.transport.abortConnection()
            return
        self._connecting = None
        if connection.probe is None:
            self._report.failed(Failure.NETWORK)
            return
        self._connection = connection
        if self._check.send:
            connection.transport.write(self._check.send)
        if not self._check.receive:
            self._drop()
            self._report.succeeded()
        elif connection.data:
            self.received()

    def _notConnected(self, reason: TwistedFailure) -> None:
        if self._connecting is not None:
            self._connecting = None
            self._report.failed(Failure.NETWORK)

    def received(self) -> None:
        """The host has said something more."""
        connection = self._connection
        if connection is None or not matches(self._check.receive, connection.data):
            return
        connection.data = b""
        if not self._reuse:
            self._drop()
        self._report.succeeded()

    def lost(self) -> None:
        """The host has closed."""
        if self._connection is not None:
            self._connection = None
            self._report.lost()


def _factoryOf(make: Any) -> Factory:
    factory = Factory()
    factory.noisy = False
    factory.buildProtocol = lambda addr: make()  # type: ignore[method-assign]
    return factory
