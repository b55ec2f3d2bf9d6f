"""
A wrapping protocol of Twisted, standing in a chain.

    toward the wire                                       toward the application
    chain <-- LowerHalf <-- transport [ wrapper ] wrappedProtocol --> UpperHalf --> chain

The wrapper sees a transport below and a protocol above, as ever. The link writes what the chain
writes into the wrapper and gives it what comes from the wire; the two halves take what comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IHalfCloseableProtocol,
    IProtocolFactory,
    IPushProducer,
    ITransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.network.link import NO_TRANSPORT, Link, dropped
from twisted_envoy.network.read_gate import ReadGate

if TYPE_CHECKING:
    from twisted_envoy.state.stream_info import StreamInfo

_FIRST_REASON = 1 << 16


@implementer(IHalfCloseableProtocol)
class UpperHalf(Protocol):
    """The protocol that the wrapper wraps: delivers into the chain."""

    def __init__(self, link: Link) -> None:
        self.link: Link | None = link

    def dataReceived(self, data: bytes) -> None:
        if self.link is not None:
            self.link.deliver(data)

    def readConnectionLost(self) -> None:
        if self.link is not None:
            self.link.deliverEnd()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.link = None

    def writeConnectionLost(self) -> None:
        """Nobody above has to know."""


class UpperFactory(Factory):
    """
    The factory that the wrapping factory wraps.

    Attributes:
        link: for whom a protocol is being built.
    """

    noisy = False
    link: Link

    def buildProtocol(self, addr: IAddress | None) -> UpperHalf:
        return UpperHalf(self.link)


@implementer(ITransport, IConsumer, IPushProducer)
class LowerHalf:
    """
    The transport that the wrapper stands on: the chain below.

    Attributes:
        link: None once the connection is gone; then every verb is a silent no-op.
        reason: for which this wrapper shuts the chain's gate.
        closedFromAbove: the chain above asked for the close that comes through the wrapper.
    """

    __slots__ = ("closedFromAbove", "link", "reason")

    def __init__(self, link: Link) -> None:
        self.link: Link | None = link
        self.reason = _FIRST_REASON << link.index
        self.closedFromAbove = False

    @property
    def _below(self) -> Any:
        return NO_TRANSPORT if self.link is None else self.link.transport

    @property
    def _gate(self) -> ReadGate | None:
        return None if self.link is None else self.link.chain.gate

    @property
    def streamInfo(self) -> StreamInfo | None:
        return None if self.link is None else self.link.chain.streamInfo

    @property
    def disconnecting(self) -> bool:
        return self.link is None

    def write(self, data: bytes) -> None:
        self._below.write(data)

    def writeSequence(self, data: Any) -> None:
        self._below.writeSequence(data)

    def loseWriteConnection(self) -> None:
        self._below.loseWriteConnection()

    def loseConnection(self) -> None:
        below = self._below
        if not self.closedFromAbove:
            # The wrapper's own will: what is registered above would be waited for in vain.
            below.unregisterProducer()
        below.loseConnection()

    def abortConnection(self) -> None:
        self._below.abortConnection()

    def resetConnection(self) -> None:
        self._below.resetConnection()

    def getPeer(self) -> IAddress:
        address: IAddress = self._below.getPeer()
        return address

    def getHost(self) -> IAddress:
        address: IAddress = self._below.getHost()
        return address

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self._below.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        self._below.unregisterProducer()

    def pauseProducing(self) -> None:
        if self._gate is not None:
            self._gate.shut(self.reason)

    def resumeProducing(self) -> None:
        if self._gate is not None:
            self._gate.open(self.reason)

    def stopProducing(self) -> None:
        self.loseConnection()


class TwistedWrapper(Link):
    """
    One connection's wrapper.

    A factory that builds no protocol for the connection refuses it: the connection is closed.

    Args:
        factory: the wrapping factory of all connections. upperFactory: what it wraps.
    """

    __slots__ = ("_factory", "_lower", "_receive", "_upperFactory", "_wrapper")

    def __init__(self, factory: IProtocolFactory, upperFactory: UpperFactory) -> None:
        self._factory: Any = factory
        self._upperFactory = upperFactory
        self._wrapper: Any = None
        self._receive: Callable[[bytes], None] = dropped

    def connectionMade(self) -> None:
        self._upperFactory.link = self
        wrapper: Any = self._factory.buildProtocol(self.chain.streamInfo.remoteAddress)
        del self._upperFactory.link
        if wrapper is None:
            self.hold()
            self.transport.loseConnection()
            return
        self._wrapper = wrapper
        self._lower = LowerHalf(self)
        self._receive = wrapper.dataReceived
        wrapper.makeConnection(self._lower)

    def dataReceived(self, data: bytes) -> None:
        self._receive(data)

    def readConnectionLost(self) -> None:
        if IHalfCloseableProtocol.providedBy(self._wrapper):
            self._wrapper.readConnectionLost()
        else:
            self.deliverEnd()

    def connectionLost(self, reason: Failure) -> None:
        wrapper, self._wrapper = self._wrapper, None
        if wrapper is None:
            return
        self._receive = dropped
        try:
            wrapper.connectionLost(reason)
        finally:
            self._lower.link = None

    # What the chain above does to its transport.

    @property
    def _standsOn(self) -> Any:
        return self.transport if self._wrapper is None else self._wrapper

    def write(self, data: bytes) -> None:
        self._standsOn.write(data)

    def loseWriteConnection(self) -> None:
        self._standsOn.loseWriteConnection()

    def loseConnection(self) -> None:
        if self._wrapper is not None:
            self._lower.closedFromAbove = True
        self._standsOn.loseConnection()

    def abortConnection(self) -> None:
        self._standsOn.abortConnection()

    def resetConnection(self) -> None:
        self._standsOn.resetConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self._standsOn.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        self._standsOn.unregisterProducer()
