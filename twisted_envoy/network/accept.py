"""
From an accepted transport to its chain.

The acceptor is the first protocol of a connection: it makes the StreamInfo, takes over what an
internal hop passed along, lets listener filters look at the first bytes, has a filter chain chosen,
and then steps aside: the chain becomes the transport's protocol.

    state       event                          next
    new         makeConnection, listener holds held
    held        released, no filters           chain
    held        released, filters              looking
    new         makeConnection, no filters     chain
    new         makeConnection, filters        looking
    looking     bytes satisfy every filter     chain, or another listener has it
    looking     a filter rejects, end, loss    closed
    looking     a filter has all it may ask    closed: it may wait for no more
                for and is not done
    looking     listener_filters_timeout       closed, or chain when configured so
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableProtocol,
    IProtocol,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.interfaces.network import (
    IListenerFilter,
    ITransportListenerFilter,
    Verdict,
)
from twisted_envoy.state.passthrough import Passthrough
from twisted_envoy.state.stream_info import StreamInfo

if TYPE_CHECKING:
    from twisted_envoy.network.listener import Listener

_log = Logger("filter")


def infoOf(listener: Listener, transport: Any) -> StreamInfo:
    """What is known of an accepted connection, with what an internal hop passed along."""
    streamInfo = StreamInfo(
        listener.seconds(), transport.getHost(), transport.getPeer(), listener.nextID()
    )
    streamInfo.listener = listener.info
    if listener.isInternal:
        passed = transport.passthrough
        if isinstance(passed, Passthrough):
            passed.mergeInto(streamInfo)
    return streamInfo


@implementer(IProtocol, IHalfCloseableProtocol)
class DirectAcceptor:
    """
    The first protocol of all connections at which nobody looks first: it keeps nothing of them.

    Args:
        listener: accepted them.
    """

    __slots__ = ("_listener",)

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def makeConnection(self, transport: Any) -> None:
        """The connection is there: it gets its chain."""
        listener = self._listener
        listener.accepted(transport, infoOf(listener, transport))

    def takeOver(self, transport: Any, before: StreamInfo) -> None:
        """See Acceptor."""
        Acceptor(self._listener).takeOver(transport, before)

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection does everything."""

    def dataReceived(self, data: bytes) -> None:
        """Of a connection that matched no chain, and is being closed."""

    def readConnectionLost(self) -> None:
        """The same."""

    def writeConnectionLost(self) -> None:
        """The same."""

    def connectionLost(self, reason: Failure) -> None:
        """The same; it was logged when it was found out."""


@implementer(IProtocol, IHalfCloseableProtocol)
class Acceptor:
    """
    One connection before its chain.

    Args:
        listener: accepted it.
    """

    __slots__ = (
        "__weakref__",
        "_data",
        "_filters",
        "_listener",
        "_over",
        "_restored",
        "_timer",
        "streamInfo",
        "transport",
    )

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._filters: list[IListenerFilter] = []
        self._data = b""
        self._over = False
        self._restored: tuple[IAddress | None, IAddress | None] | None = None
        self._timer: IDelayedCall | None = None
        self.streamInfo: StreamInfo | None = None
        self.transport: Any = None

    def makeConnection(self, transport: Any) -> None:
        """The connection is there: go as far as possible, unless its listener holds it back."""
        self.transport = transport
        if self._listener.holding:
            self._listener.waiting(self)
            transport.pauseProducing()
        else:
            self._begin()

    def takeOver(self, transport: Any, before: StreamInfo) -> None:
        """
        Begin with a connection that another listener accepted.

        Args:
            before: what that one knows; of it only the addresses stay, as in Envoy.
        """
        self._restored = (before.localAddress, before.remoteAddress)
        transport.protocol = self
        self.makeConnection(transport)

    def released(self) -> None:
        """The listener holds connections back no more."""
        self._listener.waited(self)
        self.transport.resumeProducing()
        self._guarded(self._begin)

    def _begin(self) -> None:
        """Make its StreamInfo and choose what to do with it."""
        listener = self._listener
        transport = self.transport
        streamInfo = self.streamInfo = infoOf(listener, transport)
        if self._restored is not None:
            streamInfo.localAddress, streamInfo.remoteAddress = self._restored
        if listener.filterMakers:
            self._look(listener.filterMakers)
        else:
            self._over = True
            listener.accepted(transport, streamInfo)

    def _look(self, makers: tuple[Callable[[], IListenerFilter], ...]) -> None:
        self._filters = [make() for make in makers]
        for each in self._filters:
            if ITransportListenerFilter.providedBy(each):
                each.connected(self.transport)
        listener = self._listener
        listener.waiting(self)
        if not self._feed() and listener.filtersTimeout:
            self._timer = listener.callLater(listener.filtersTimeout, self._timedOut)

    def _feed(self) -> bool:
        """Show the filters what there is; True when nothing is waited for any more."""
        streamInfo = cast(StreamInfo, self.streamInfo)
        while self._filters:
            first = self._filters[0]
            most = first.maxReadBytes
            verdict, value = first.feed(self._data[:most], streamInfo)
            if verdict is Verdict.NEED_MORE:
                if most < first.maxReadBytes and most < len(self._data):
                    continue  # it asks for more, and there is some
                if len(self._data) < first.maxReadBytes:
                    return False
                _log.error("a listener filter waits for more than its maxReadBytes, {n}", n=most)
                self._close()
                return True
            if verdict is Verdict.REJECT:
                self._close()
                return True
            self._data = self._data[int(value) :]
            del self._filters[0]
        self._finish()
        return True

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection does everything."""

    def dataReceived(self, data: bytes) -> None:
        """The first bytes, for listener filters only."""
        if not self._over:
            self._data += data
            self._feed()

    def readConnectionLost(self) -> None:
        """An end of stream before the filters had enough: no connection comes of it."""
        if not self._over:
            self._listener.stats.downstream_listener_filter_remote_close.value += 1
            self._close()

    def writeConnectionLost(self) -> None:
        """Never: nothing is written before there is a chain."""

    def connectionLost(self, reason: Failure) -> None:
        """Gone while listener filters still waited."""
        if not self._over:
            if not isinstance(reason.value, (ConnectionDone, ConnectionAborted)):
                self._listener.stats.downstream_listener_filter_error.value += 1
            self._dropped()

    def _timedOut(self) -> None:
        self._timer = None
        self._listener.stats.downstream_pre_cx_timeout.value += 1
        if self._listener.continueOnTimeout:
            self._filters = []
            self._guarded(self._finish)
        elif self._listener.isInternal:
            transport = self.transport
            self._dropped()
            transport.resetConnection()  # who has connected is not to wait for more
        else:
            self._close()

    def _guarded(self, step: Callable[[], object]) -> None:
        """Do what no transport watches over: what it raises ends this connection, and no other."""
        transport = self.transport
        try:
            step()
        except Exception:
            _log.failure("a filter raised; the connection is closed")
            transport.abortConnection()

    def _finish(self) -> None:
        data, self._data = self._data, b""
        transport = self.transport
        self._stop()
        streamInfo = cast(StreamInfo, self.streamInfo)
        if self._restored is None and self._listener.handedOver(transport, streamInfo):
            taken = True
        else:
            taken = self._listener.accepted(transport, streamInfo) is not None
        if taken and data and not transport.disconnecting:
            transport.protocol.dataReceived(data)

    def _close(self) -> None:
        """No connection comes of it; as the kernel has it, what was not taken makes it a reset."""
        transport = self.transport
        self._dropped()
        if self._data and not self._listener.isInternal:
            transport.abortConnection()
        else:
            transport.loseConnection()

    def _dropped(self) -> None:
        self._stop()
        if self.streamInfo is not None:
            self._listener.dropped(self.streamInfo)

    def _stop(self) -> None:
        """Leave the waiting room, once."""
        self._over = True
        self._listener.waited(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
