"""
Chain: the links of one connection, from the wire to the terminal filter.

A chain is the protocol of its connection's transport. Setting it up binds each link's `deliver`
to the next link that reads and each link's `transport` to the next link below that writes, so a
byte passes only through links that asked to see it. Rebinding happens at control events: hold,
release, leave.

    event                 sent by          what happens
    makeConnection        the acceptor     links are started in order; one that holds stops that
    dataReceived          the transport    goes straight to the first reader (a bound method)
    readConnectionLost    the transport    to each link that wants it, which passes it on
    connectionLost        the transport    to every started link, once; then all is unbound
    hold/release/leave    a link           see Link
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.network.link import NO_TRANSPORT, Link, dropped
from twisted_envoy.network.protocol_link import ProtocolLink
from twisted_envoy.network.read_gate import HELD_FULL, ReadGate
from twisted_envoy.state.stream_info import StreamInfo

_log = Logger("filter")


class _Held:
    """What a holding link would have delivered."""

    __slots__ = ("chunks", "ended", "gate", "limit", "size")

    def __init__(self, gate: ReadGate, limit: int) -> None:
        self.chunks: list[bytes] = []
        self.size = 0
        self.ended = False
        self.gate = gate
        self.limit = limit

    def append(self, data: bytes) -> None:
        self.chunks.append(data)
        self.size += len(data)
        if self.size > self.limit:
            self.gate.shut(HELD_FULL)


@implementer(IProtocol, IHalfCloseableProtocol)
class Chain:
    """
    One connection's links.

    Args:
        makers: one callable a link, nearest to the wire first; the last makes a Link or any
        IProtocol. streamInfo: what is known about the connection. bufferLimit: bytes that may be
        queued, for each link that holds, before reading stops. ended: called with the chain when
        the connection is gone and every link knows.

    Attributes:
        transport: the wire's; a no-op once the connection is gone.
        gate: whether the wire is read.
        dataReceived: the first reader's; bound by the chain.
    """

    __slots__ = (
        "__weakref__",
        "_ended",
        "_held",
        "_left",
        "_limit",
        "_links",
        "_makers",
        "_started",
        "dataReceived",
        "gate",
        "lost",
        "streamInfo",
        "transport",
    )

    def __init__(
        self,
        makers: Sequence[Callable[[], Any]],
        streamInfo: StreamInfo,
        bufferLimit: int = 1024 * 1024,
        ended: Callable[[Chain], None] | None = None,
    ) -> None:
        self._makers = makers
        self.streamInfo = streamInfo
        self._limit = bufferLimit
        self._ended = ended
        self._links: list[Link] = []
        self._held: dict[int, _Held] = {}
        self._left: set[int] = set()
        self._started = 0
        self.transport: Any = NO_TRANSPORT
        self.gate: ReadGate = cast(ReadGate, None)
        self.dataReceived: Callable[[bytes], None] = dropped
        self.lost = False

    # What the transport calls.

    def makeConnection(self, transport: Any) -> None:
        """Make the links, bind them, start them. A connection without links closes at once."""
        self.transport = transport
        self.gate = ReadGate(transport)
        links = self._links
        for index, make in enumerate(self._makers):
            link = make()
            if not isinstance(link, Link):
                link = ProtocolLink(link)
            link.index = index
            link.chain = self
            links.append(link)
        self._bind()
        if links:
            self._start(0)
        else:
            transport.loseConnection()

    def readConnectionLost(self) -> None:
        """The peer's end of stream."""
        self._endAfter(-1)

    def writeConnectionLost(self) -> None:
        """Our own end of stream is out; nobody has to know."""

    def connectionLost(self, reason: Failure) -> None:
        """Tell every started link, then let go of everything."""
        if self.lost:
            return
        self.lost = True
        if not reason.check(ConnectionDone) and self.streamInfo.detectedCloseType == "Normal":
            self.streamInfo.detectedCloseType = "RemoteReset"
        self.dataReceived = dropped
        links, self._links = self._links, []
        for link in links[: self._started]:
            if link.loses:
                try:
                    link.connectionLost(reason)  # type: ignore[attr-defined]
                except Exception:
                    _log.failure("connectionLost of a filter raised")
        for link in links:
            link.transport = NO_TRANSPORT
            link.deliver = dropped
        self._held.clear()
        self.transport = NO_TRANSPORT
        self.gate = ReadGate(NO_TRANSPORT)
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(self)

    # What links call.

    def deliverEnd(self, link: Link) -> None:
        held = self._held.get(link.index)
        if held is None:
            self._endAfter(link.index)
        else:
            held.ended = True

    def hold(self, link: Link) -> None:
        if link.index not in self._held and not self.lost:
            held = self._held[link.index] = _Held(self.gate, self._limit)
            link.deliver = held.append
            if not link.reads:
                self._bindReads()

    def release(self, link: Link) -> None:
        held = self._held.pop(link.index, None)
        if held is None or self.lost:
            return
        self._bindReads()
        if self._started <= link.index + 1:
            self._start(link.index + 1)
        for chunk in held.chunks:
            link.deliver(chunk)
        if held.ended:
            self.deliverEnd(link)
        if not any(other.size > other.limit for other in self._held.values()):
            self.gate.open(HELD_FULL)

    def leave(self, link: Link) -> None:
        if link.index in self._held:
            self.release(link)
        self._left.add(link.index)
        self._bind()

    # How it is done.

    def _start(self, index: int) -> None:
        links = self._links
        while index < len(links) and not self.lost:
            self._started = index + 1
            link = links[index]
            if link.makes:
                link.connectionMade()  # type: ignore[attr-defined]
                if index in self._held:
                    return
            index += 1

    def _endAfter(self, index: int) -> None:
        """Give the end of stream to the first link after `index` that holds or wants it."""
        for link in self._links[index + 1 :]:
            if link.ends and link.index not in self._left:
                link.readConnectionLost()  # type: ignore[attr-defined]
                return
            held = self._held.get(link.index)
            if held is not None:
                held.ended = True
                return
        self.transport.loseConnection()

    def _bind(self) -> None:
        transport = self.transport
        left = self._left
        for link in self._links:
            link.transport = transport
            if link.writes and link.index not in left:
                transport = link
        self._bindReads()

    def _bindReads(self) -> None:
        deliver: Callable[[bytes], None] = dropped
        held = self._held
        left = self._left
        for link in reversed(self._links):
            if link.index not in held:
                link.deliver = deliver
            if link.index in left:
                continue
            if link.reads:
                deliver = link.dataReceived  # type: ignore[attr-defined]
            elif link.index in held:
                deliver = held[link.index].append
        self.dataReceived = deliver
