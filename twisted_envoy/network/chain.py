"""
Chain: the links of one connection, from the wire to the terminal filter.

A chain is the protocol of its connection's transport. Setting it up binds each link's `deliver`
to the next link that reads and each link's `transport` to the next link below that writes, so a
byte passes only through links that asked to see it. Rebinding happens at control events: hold,
release, leave.

    event                 sent by          what happens
    makeConnection        the acceptor     links are started in order; one that holds stops that,
                                           and so does one that closes
    dataReceived          the transport    goes straight to the first reader (a bound method)
    readConnectionLost    the transport    to each link that wants it, which passes it on
    connectionLost        the transport    to every started link, once; then all is unbound
    hold/release/leave    a link           see Link

What a link holds is delivered in order and before anything later, also when replaying it makes the
same link hold again, or leave. A link that raises while it is replayed to ends the connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.internal.interfaces import Passage
from twisted_envoy.network.link import NO_TRANSPORT, Link, dropped
from twisted_envoy.network.protocol_link import ProtocolLink
from twisted_envoy.network.read_gate import HELD_FULL, ReadGate
from twisted_envoy.state.stream_info import StreamInfo

_log = Logger("filter")
_NOBODY_LEFT: frozenset[int] = frozenset()
_NO_GATE: Any = None


class _Held:
    """
    What a holding link would have delivered.

    Attributes:
        deliver: where it goes. releasing: it is on its way there.
    """

    __slots__ = ("chunks", "deliver", "ended", "gate", "limit", "releasing", "size")

    def __init__(self, gate: ReadGate, limit: int) -> None:
        self.chunks: deque[bytes] = deque()
        self.deliver: Callable[[bytes], None] = dropped
        self.size = 0
        self.ended = False
        self.releasing = False
        self.gate = gate
        self.limit = limit

    def append(self, data: bytes) -> None:
        self.chunks.append(data)
        self.size += len(data)
        if self.size > self.limit:
            self.gate.shut(HELD_FULL)


_NOTHING_HELD: dict[int, _Held] = {}
"""Of all chains in which no link holds; never changed."""


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
        "_links",
        "_makers",
        "_started",
        "bufferLimit",
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
        self.bufferLimit = bufferLimit
        self._ended = ended
        self._links: list[Link] = []
        self._held: dict[int, _Held] = _NOTHING_HELD
        self._left: frozenset[int] = _NOBODY_LEFT
        self._started = 0
        self.transport: Any = NO_TRANSPORT
        self.gate: ReadGate = _NO_GATE
        self.dataReceived: Callable[[bytes], None] = dropped
        self.lost = False

    # What the transport calls.

    def makeConnection(self, transport: Any) -> None:
        """Make the links, bind them, start them. A connection without links closes at once."""
        self.transport = below = transport
        self.gate = ReadGate(transport)
        links = self._links
        for make in self._makers:
            link = make()
            if not isinstance(link, Link):
                link = ProtocolLink(link)
            link.chain = self
            link.index = len(links)
            link.transport = below
            if link.writes:
                below = link
            links.append(link)
        if len(links) == 1 and link.reads and not transport.disconnecting:
            link.deliver = dropped
            self.dataReceived = link.dataReceived
            self._started = 1
            if link.makes:
                link.connectionMade()
        elif links:
            self._bindReads()
            self._start()
        else:
            self.streamInfo.localCloseReason = "no_filters"
            transport.loseConnection()

    def resume(self, transport: Any, link: Any) -> None:
        """
        Go on with a connection that has begun without it.

        Args:
            link: the only one; it is not told of what has happened.
        """
        self.transport = transport
        self.gate = ReadGate(transport)
        link.chain = self
        link.index = 0
        link.transport = transport
        link.deliver = dropped
        self._links.append(link)
        self._started = 1
        self.dataReceived = link.dataReceived

    def connectionMade(self) -> None:
        """Part of IProtocol; makeConnection has done everything."""

    def passage(self) -> Passage | None:
        """What the only link that reads does with all bytes; None: see them, or not only that."""
        links = self._links
        if (
            not links
            or self._held
            or self.dataReceived is not getattr(links[-1], "dataReceived", None)
        ):
            return None
        ask = getattr(links[-1], "passage", None)
        found: Passage | None = None if ask is None else ask()
        return found

    def writesThrough(self, through: Callable[[bytes], bool]) -> None:
        """Offer the only link a shorter way for what it writes; see IInternalTransport."""
        links = self._links
        offer = getattr(links[0], "writesThrough", None) if len(links) == 1 else None
        if offer is not None:
            offer(through)

    def readConnectionLost(self) -> None:
        """The peer's end of stream."""
        links = self._links
        if len(links) == 1 and self._started and links[0].ends and not self._left:
            links[0].readConnectionLost()  # type: ignore[attr-defined]
        else:
            self._endAfter(-1)

    def writeConnectionLost(self) -> None:
        """Our own end of stream is out; nobody has to know."""

    def connectionLost(self, reason: Failure) -> None:
        """Tell every started link, then let go of everything."""
        if self.lost:
            return
        self.lost = True
        if not isinstance(reason.value, ConnectionDone):
            remote = isinstance(reason.value, ConnectionLost) and not isinstance(
                reason.value, ConnectionAborted
            )
            self.streamInfo.detectedCloseType = "RemoteReset" if remote else "LocalReset"
        self.dataReceived = dropped
        links, self._links = self._links, []
        count = self._started
        for link in links:
            if not count:
                self._tellMissed(links[self._started :])
                break
            count -= 1
            if link.loses:
                try:
                    link.connectionLost(reason)  # type: ignore[attr-defined]
                except Exception:
                    _log.failure("connectionLost of a filter raised")
        for link in links:
            link.transport = NO_TRANSPORT
            link.deliver = dropped
        if self._held:
            for held in self._held.values():
                held.releasing = False
                held.deliver = dropped
                held.chunks.clear()
            self._held = _NOTHING_HELD
        self.transport = NO_TRANSPORT
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(self)

    def _tellMissed(self, links: list[Link]) -> None:
        """The connection ended before these were started."""
        for link in links:
            if link.misses:
                try:
                    link.connectionMissed()  # type: ignore[attr-defined]
                except Exception:
                    _log.failure("connectionMissed of a filter raised")

    # What links call.

    def deliverEnd(self, link: Link) -> None:
        held = self._held.get(link.index)
        if held is None:
            self._endAfter(link.index)
        else:
            held.ended = True

    @property
    def halfCloses(self) -> bool:
        """The peer's end of stream is not the connection's end (Envoy: enableHalfClose)."""
        return any(link.halfCloses for link in self._links)

    def hold(self, link: Link) -> None:
        held = self._held.get(link.index)
        if self.lost or link.index in self._left:
            return
        if held is not None:
            held.releasing = False
            return
        self._held = {**self._held, link.index: _Held(self.gate, self.bufferLimit)}
        self._bindReads()

    def release(self, link: Link) -> None:
        held = self._held.get(link.index)
        if held is None or held.releasing:
            return
        held.releasing = True
        try:
            self._start()
            self._replay(link.index, held)
        except Exception:
            _log.failure("a filter raised; the connection is closed")
            self.transport.abortConnection()
            return
        if self.gate.reasons & HELD_FULL:
            if not any(other.size > other.limit for other in self._held.values()):
                self.gate.open(HELD_FULL)

    def leave(self, link: Link) -> None:
        if self.lost or link.index in self._left:
            return
        self._left |= {link.index}
        transport = self.transport
        for other in self._links:
            other.transport = transport
            if other.writes and other.index not in self._left:
                transport = other
        self._bindReads()
        self.release(link)

    def rebind(self) -> None:
        """A link has another `dataReceived` now."""
        links = self._links
        if len(links) == 1 and not (self._held or self._left):
            self.dataReceived = links[0].dataReceived  # type: ignore[attr-defined]
        else:
            self._bindReads()

    # How it is done.

    def _start(self) -> None:
        """Start links in order, until one holds or closes."""
        links = self._links
        transport = self.transport
        while self._started < len(links) and not transport.disconnecting:
            held = self._held.get(self._started - 1)
            if held is not None and not held.releasing:
                return
            link = links[self._started]
            self._started += 1
            if link.makes:
                link.connectionMade()  # type: ignore[attr-defined]

    def _replay(self, index: int, held: _Held) -> None:
        """Deliver what was held; stop when it is held again, or when the connection closes."""
        chunks = held.chunks
        while chunks and held.releasing:
            if self.transport.disconnecting:
                chunks.clear()
                held.ended = False
                break
            data = chunks.popleft()
            held.size -= len(data)
            held.deliver(data)
        if held.releasing and self._held.get(index) is held:
            del self._held[index]
            self._bindReads()
            if held.ended:
                self._endAfter(index)

    def _endAfter(self, index: int) -> None:
        """Give the end of stream to the first link after `index` that holds or wants it."""
        for link in self._links[index + 1 : self._started]:
            if link.ends and link.index not in self._left:
                link.readConnectionLost()  # type: ignore[attr-defined]
                return
            held = self._held.get(link.index)
            if held is not None:
                held.ended = True
                return
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def _bindReads(self) -> None:
        if len(self._links) == 1 and not (self._held or self._left):
            only = self._links[0]
            only.deliver = dropped
            self.dataReceived = only.dataReceived if only.reads else dropped  # type: ignore[attr-defined]
            return
        deliver: Callable[[bytes], None] = dropped
        held = self._held
        left = self._left
        for link in reversed(self._links):
            waiting = held.get(link.index) if held else None
            if waiting is None:
                link.deliver = deliver
            else:
                waiting.deliver = deliver
                link.deliver = deliver = waiting.append
            if link.reads and link.index not in left:
                deliver = link.dataReceived  # type: ignore[attr-defined]
        self.dataReceived = deliver
