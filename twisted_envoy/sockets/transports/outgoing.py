"""
The writing half of a wrapped transport: hands on in portions, steers the producer.

Twisted's transports tell nobody how much they keep. They ask a pull producer for more when
everything is out, and that is what this is to them: what was handed on is known to have left then.

    state                       write(data)       the transport has sent all it had
    little is under way         handed on         the producer is told
    a portion is under way      kept              the next portion is handed on
    shut                        dropped           what was kept still goes out
"""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from twisted.internet.interfaces import IPullProducer
from zope.interface import implementer

PORTION = 128 * 1024
"""Bytes that a transport has at most; as many as it sends in one turn."""

_DEFAULT_LIMIT = 1024 * 1024


class OutgoingOwner(Protocol):
    """Whose bytes are written."""

    def written(self) -> None:
        """Nothing is kept and nobody produces, after something was kept."""

    def producerRaised(self) -> None:
        """The producer let an exception out."""


@implementer(IPullProducer)
class Outgoing:
    """
    What was written and has not left yet, and the producer that fills it.

    Attributes:
        size: bytes kept, those that the transport has included.
        limit: bytes kept above which a producer is paused; it resumes at half of that.
        shut: no more writes are taken.
        wrote: something was handed on, ever.
        producer: who was registered, None for nobody.
    """

    __slots__ = (
        *("_handed", "_low", "_owner", "_paused", "_pieces", "_pull", "_turn", "_wire"),
        *("limit", "producer", "shut", "size", "wrote"),
    )

    def __init__(self, owner: OutgoingOwner, turn: Any) -> None:
        self._owner: OutgoingOwner | None = owner
        self._turn = turn
        self._wire: Any = None
        self._pieces: deque[bytes | memoryview] = deque()
        self._handed = 0
        self._pull = False
        self._paused = False
        self.limit = _DEFAULT_LIMIT
        self._low = _DEFAULT_LIMIT // 2
        self.producer: Any = None
        self.size = 0
        self.shut = False
        self.wrote = False

    def start(self, wire: Any) -> None:
        """Write to a transport from now on."""
        self._wire = wire
        wire.registerProducer(self, False)

    def stop(self) -> None:
        """Let the transport end; nothing is written any more."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.unregisterProducer()

    def write(self, data: bytes) -> None:
        """
        Hand on, or keep until the transport has sent what it has.

        Raises:
            TypeError: data is not bytes, nor a bytearray or memoryview, which are copied.
        """
        if self.shut:
            return
        if data.__class__ is not bytes:
            if not isinstance(data, (bytes, bytearray, memoryview)):
                raise TypeError(f"data must be bytes, not {type(data).__name__}")
            data = bytes(data)
        size = len(data)
        if not size:
            if self._pull and not self.size:
                self._turn.post(self._askPull)
            return
        self.wrote = True
        self.size += size
        if self._pieces:
            self._pieces.append(data)
        elif self._handed + size <= PORTION:
            self._handed += size
            self._wire.write(data)
        else:
            self._pieces.append(data)
            self._handOn()
        if self.size > self.limit and self.producer is not None:
            self._pause()

    def _handOn(self) -> None:
        """Fill the transport up to a portion."""
        room = PORTION - self._handed
        pieces = self._pieces
        while pieces and room:
            first = pieces.popleft()
            if len(first) > room:
                view = memoryview(first)
                pieces.appendleft(view[room:])
                first = view[:room]
            room -= len(first)
            self._handed += len(first)
            self._wire.write(bytes(first))

    # What the transport calls.

    def resumeProducing(self) -> None:
        """All that was handed on is out."""
        if not self._handed:
            return
        turn = self._turn
        turn.enter()
        try:
            self.size -= self._handed
            self._handed = 0
            if self._pieces:
                self._handOn()
            self._tell()
        finally:
            turn.leave()

    def _tell(self) -> None:
        if self.producer is None:
            if not self.size and self._owner is not None:
                self._owner.written()
        elif (self._paused and self.size <= self._low) or (self._pull and not self.size):
            self.wake(self._pull)

    def _askPull(self) -> None:
        if self._pull and not self.size:
            self.wake(True)

    def stopProducing(self) -> None:
        """The connection is lost, as its protocol will hear."""

    # The producer of whoever writes.

    def setLimit(self, limit: int) -> None:
        """
        See `IHalfCloseTransport.setWriteBufferLimit`.

        Raises:
            ValueError: less than 1.
        """
        if limit < 1:
            raise ValueError(f"a write buffer limit must be 1 byte or more, not {limit}")
        self.limit = limit
        self._low = limit // 2
        if self.producer is not None:
            if self.size > limit:
                self._pause()
            elif self.size <= self._low:
                self.wake()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Let a producer write; a pull producer is asked at once.

        Raises:
            RuntimeError: there is one already.
        """
        if self.producer is not None:
            raise RuntimeError(
                f"cannot register {producer!r}: {self.producer!r} was never unregistered"
            )
        self.producer = producer
        self._pull = not streaming
        if self._pull:
            producer.resumeProducing()
        elif self.size > self.limit:
            self._pause()

    def unregisterProducer(self) -> Any:
        """
        Forget the producer.

        Returns:
            Who it was, or None.
        """
        producer, self.producer = self.producer, None
        self._pull = self._paused = False
        return producer

    def _pause(self) -> None:
        if not (self._paused or self._pull):
            self._paused = True
            self.producer.pauseProducing()

    def wake(self, anyway: bool = False) -> None:
        """Resume a producer that was paused."""
        if self._paused or anyway:
            self._paused = False
            try:
                self.producer.resumeProducing()
            except Exception:
                if self._owner is None:
                    raise
                self._owner.producerRaised()

    # Ends.

    def drop(self) -> None:
        """Forget what is kept and take no more; the transport forgets what it has by itself."""
        self.shut = True
        self._pieces.clear()
        self.size = self._handed = 0

    def close(self) -> Any:
        """
        The connection is gone.

        Returns:
            The producer that was registered, or None; it has not been told.
        """
        self.drop()
        self._owner = None
        return self.unregisterProducer()
