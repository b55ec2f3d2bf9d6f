"""A Listener in memory, without a bootstrap."""

from __future__ import annotations

from itertools import count

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock

from twisted_envoy.interfaces.network import Verdict
from twisted_envoy.interfaces.sockets import ConnectOptions, ListenOptions
from twisted_envoy.internal import (
    InternalAddress,
    InternalClientEndpoint,
    InternalServerEndpoint,
    getRegistry,
)
from twisted_envoy.network.chain_match import FilterChainIndex
from twisted_envoy.network.filter_chain import FilterChain
from twisted_envoy.network.link import Link
from twisted_envoy.network.listener import Listener, ListenerInfo, ListenerSettings
from twisted_envoy.network.listener_stats import ListenerStats
from twisted_envoy.stats.scope import Store
from twisted_envoy.testing import MemorySockets, Peer

WEB = IPv4Address("TCP", "127.0.0.1", 80)
HOP = InternalAddress("hop")


class Keeping(Link):
    """A terminal filter that keeps what it gets."""

    def connectionMade(self):
        self.data = b""
        self.ended = False
        self.lost = None

    def dataReceived(self, data):
        self.data += data

    def readConnectionLost(self):
        self.ended = True

    def connectionLost(self, reason):
        self.lost = reason


class Wanting:
    """A listener filter that wants so many bytes, and takes some of them away."""

    def __init__(self, wanted, consumed=0, reject=False):
        self.maxReadBytes = wanted
        self._consumed = consumed
        self._reject = reject
        self.shown = []

    def feed(self, data, streamInfo):
        self.shown.append(data)
        if len(data) < self.maxReadBytes:
            return Verdict.NEED_MORE, 0
        if self._reject:
            return Verdict.REJECT, "no"
        streamInfo.requestedServerName = "seen"
        return Verdict.DONE, self._consumed


class Log:
    """Keeps the flags of each record."""

    def __init__(self):
        self.records = []

    def log(self, context):
        self.records.append((list(context.streamInfo.responseFlags), context.streamInfo.endTime))


class World:
    """
    One listener named `web`, and clients of it.

    Attributes:
        logged: the StreamInfo of each record of the listener's access log.
        links: the terminal filter of each connection that got a chain.
        stats: of the listener, by name, those that are not 0.
    """

    def __init__(self, matches=True, address=WEB, **fields):
        self.clock = Clock()
        self.registry = getRegistry(self.clock)
        self.sockets = MemorySockets(self.registry.turn)
        self.store = Store()
        self.links = []
        self.logged = []
        fields.setdefault("accessLogs", (self,))
        chain = FilterChain("chain", None, (self.make,))
        chains = fields.pop("chains", None) or FilterChainIndex([chain] if matches else [])
        settings = ListenerSettings(
            ListenerInfo("web"), (address,), address is HOP, "web", chains, **fields
        )
        stats = ListenerStats(self.store.scope("listener.web."))
        self.listener = Listener(settings, None, stats, self.clock, count(1).__next__)
        self.address = address
        if address is HOP:
            endpoint = InternalServerEndpoint(self.clock, "hop")
        else:
            endpoint = self.sockets.serverEndpoint(address, ListenOptions())
        self.listening = self.listener.listen([endpoint])

    def log(self, context):
        """The access log of the listener."""
        self.logged.append(context.streamInfo)

    def make(self):
        self.links.append(Keeping())
        return self.links[-1]

    def settle(self):
        self.registry.turn.pump(self.clock)

    def connecting(self, passthrough=None):
        factory = Factory.forProtocol(Peer)
        factory.noisy = False
        if self.address is HOP:
            endpoint = InternalClientEndpoint(self.clock, "hop", passthrough=passthrough)
        else:
            endpoint = self.sockets.clientEndpoint(self.listener.address, ConnectOptions())
        connecting = endpoint.connect(factory)
        self.settle()
        return connecting

    def connect(self, passthrough=None):
        made = []
        self.connecting(passthrough).addCallback(made.append)
        return made[0]

    @property
    def stats(self):
        return {
            one.name.removeprefix("listener.web."): one.value
            for one in self.store.numbers()
            if one.value and "worker" not in one.name
        }
