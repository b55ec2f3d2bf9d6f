"""Configs and connections for tests of extensions."""

from __future__ import annotations

import json
import random

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from zope.interface import implementer

from twisted_envoy.config.bootstrap import decodeText, envoyPlans
from twisted_envoy.config.load import Text
from twisted_envoy.config.rules import validate
from twisted_envoy.config.unread import unread
from twisted_envoy.config.view import viewOf
from twisted_envoy.internal import InternalClientEndpoint, Registry
from twisted_envoy.network.chain import Chain
from twisted_envoy.server.runtime import Runtime
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.scope import Store


def configOf(typeName, content=None):
    """The View of a message, given as JSON would have it."""
    plan = envoyPlans().find(typeName)
    record, unit = decodeText(Text("test.yaml", json.dumps(content or {})), plan, [])
    validate(record, unit, [])
    return viewOf(record)


def unreadFields(config):
    """The names of the fields that are set and that nobody has read."""
    return [each.path for each in unread(config)]


class Context:
    """An IFactoryContext with a clock."""

    validating = False

    def __init__(self):
        self.reactor = Clock()
        self.stats = self.scope = Store()
        self.random = random.Random(7)
        self.runtime = Runtime()


@implementer(IHalfCloseableProtocol)
class Client(Protocol):
    """Keeps what it gets."""

    def __init__(self):
        self.received = b""
        self.ended = False
        self.lost = None

    def dataReceived(self, data):
        self.received += data

    def readConnectionLost(self):
        self.ended = True

    def writeConnectionLost(self):
        pass

    def connectionLost(self, reason):
        self.lost = reason


class Connections:
    """
    Connections over the internal pair to chains made of the given makers.

    Attributes:
        chains: of all connections, in order.
    """

    def __init__(self, makers, clock=None, bufferSize=64 * 1024):
        self.clock = Clock() if clock is None else clock
        self.makers = makers
        self.chains = []
        self.registry = Registry(self.clock, bufferSize)
        factory = Factory()
        factory.noisy = False
        factory.buildProtocol = self._build
        self.registry.listen("chain", factory)

    def _build(self, address):
        info = StreamInfo(self.clock.seconds(), None, address)
        self.chains.append(Chain(self.makers, info))
        return self.chains[-1]

    def settle(self):
        """Let everything happen that takes no time."""
        self.registry.turn.pump(self.clock)

    def connect(self):
        """A connected Client."""
        connecting = self.begin()
        made = []
        connecting.addCallback(made.append)
        return made[0]

    def begin(self):
        """A settled Deferred of a Client."""
        endpoint = InternalClientEndpoint(self.clock, "chain", registry=self.registry)
        factory = Factory.forProtocol(Client)
        factory.noisy = False
        connecting = endpoint.connect(factory)
        self.settle()
        return connecting
