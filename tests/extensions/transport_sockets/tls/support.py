"""Connections inside TLS over an internal pair, both ends ours."""

from __future__ import annotations

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from zope.interface import implementer

from tests.extensions.support import configOf
from twisted_envoy.config.extensions import Extensions
from twisted_envoy.extensions.transport_sockets.tls.config import (
    DownstreamTLSFactory,
    UpstreamTLSFactory,
)
from twisted_envoy.extensions.transport_sockets.tls.upstream import TLSEndpoint, Wanted
from twisted_envoy.interfaces.extensions import Node
from twisted_envoy.internal import InternalClientEndpoint, InternalServerEndpoint, Registry
from twisted_envoy.server.runtime import Runtime
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.scope import Store

_PACKAGE = "envoy.extensions.transport_sockets.tls.v3."


class Context:
    """An IFactoryContext with a clock and internal listeners."""

    validating = False
    sockets = None
    node = Node("node", "cluster")

    def __init__(self):
        self.reactor = Clock()
        self.registry = Registry(self.reactor)
        self.stats = self.scope = Store()
        self.extensions = Extensions()
        self.runtime = Runtime()
        self.singletons = {}
        self.warnings = []

    def warn(self, problem, view=None):
        self.warnings.append(problem)

    def singleton(self, key, make):
        return self.singletons.setdefault(key, make())


def server(context, config):
    """The DownstreamTLS of a DownstreamTlsContext."""
    return DownstreamTLSFactory().build(
        configOf(_PACKAGE + "DownstreamTlsContext", config), context
    )


def client(context, config):
    """The UpstreamTLS of an UpstreamTlsContext."""
    return UpstreamTLSFactory().build(configOf(_PACKAGE + "UpstreamTlsContext", config), context)


@implementer(IHalfCloseableProtocol)
class End(Protocol):
    """Keeps what it gets."""

    def __init__(self, onMade=None):
        self.onMade = onMade
        self.received = b""
        self.events = []
        self.lost = None

    def connectionMade(self):
        if self.onMade is not None:
            self.onMade(self)

    def dataReceived(self, data):
        self.received += data

    def readConnectionLost(self):
        self.events.append("end")

    def writeConnectionLost(self):
        self.events.append("ended")

    def connectionLost(self, reason):
        self.lost = reason
        self.events.append("lost")


class PlainEnd(Protocol):
    """Knows nothing of half-closed connections."""

    lost = None
    received = b""

    def dataReceived(self, data):
        self.received += data

    def connectionLost(self, reason):
        self.lost = reason


class Pair:
    """
    A client and a server, connected.

    Attributes:
        up, down: their protocols; up is None until the handshake is done.
        problem: why there is no connection.
    """

    def __init__(
        self, context, tlsServer, tlsClient, down=None, up=None, name="server.test", names=()
    ):
        self.context = context
        self.turn = context.registry.turn
        self.streamInfo = StreamInfo(0.0)
        self.down = End() if down is None else down
        self.up = None
        self.problem = None
        self.wires = []
        end = End() if up is None else up
        listening = InternalServerEndpoint(context.reactor, "l", context.registry)
        self.port = self.now(
            listening.listen(Factory.forProtocol(lambda: _Accepting(self, tlsServer)))
        )
        endpoint = InternalClientEndpoint(context.reactor, "l", registry=context.registry)
        if tlsClient is not None:
            endpoint = TLSEndpoint(endpoint, tlsClient, Wanted(name, (), names))
        self.connecting = endpoint.connect(Factory.forProtocol(lambda: end))
        self.connecting.addCallbacks(self._connected, self._failed)

    def now(self, deferred):
        found = []
        deferred.addCallback(found.append)
        return found[0]

    def _connected(self, protocol):
        self.up = protocol

    def _failed(self, failure):
        self.problem = failure

    def pump(self):
        """Let everything that is under way happen."""
        self.turn.pump(self.context.reactor)
        return self

    def close(self):
        self.port.stopListening()


class _Accepting(Protocol):
    def __init__(self, pair, tlsServer):
        self.pair = pair
        self.tlsServer = tlsServer

    def makeConnection(self, wire):
        self.pair.wires.append(wire)
        down = self.pair.down
        if self.tlsServer is None:
            wire.protocol = down
            down.makeConnection(wire)
            return
        transport = self.tlsServer.wrap(wire, self.pair.streamInfo)
        transport.protocol = down
        down.makeConnection(transport)
