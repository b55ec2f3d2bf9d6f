"""
One direction of an internal connection, as its writer has it: watermarks, and who fills it.

The chunks themselves wait at the reader's end.

Envoy: the buffer and its watermarks in extensions/io_socket/user_space/io_handle_impl.cc
"""

from __future__ import annotations

from typing import cast

from twisted.internet.interfaces import IProducer, IPushProducer

#: Chunks below this size may be joined, up to the next size; others are passed as they are.
SMALL = 4096
JOINED = 16384

#: Above any size: nobody is to be paused.
NEVER = 1 << 62


class Chunks(list[bytes]):
    """
    Two chunks or more that wait for a reader; a list that knows how many bytes it has.

    A list: an empty deque is six times as large, and few chunks wait at a time.
    """

    __slots__ = ("size",)

    size: int

    def add(self, data: bytes) -> int:
        """Add a chunk; the new size."""
        self.append(data)
        self.size += len(data)
        return self.size

    def take(self, budget: int) -> tuple[bytes, int]:
        """
        Take the next chunk, or a few small ones joined.

        Args:
            budget: take at most so many, at least one; so many are there.
        Returns:
            The bytes, and how many chunks they were.
        """
        data = self[0]
        size = len(data)
        taken = 1
        if size < SMALL and taken < budget and len(self[1]) < SMALL:
            while taken < budget and size + len(self[taken]) <= JOINED:
                size += len(self[taken])
                taken += 1
            data = b"".join(self[:taken])
        del self[:taken]
        self.size -= size
        return data, taken


def chunksOf(data: bytes) -> Chunks:
    """Make Chunks of one, for more to be added."""
    chunks = Chunks()
    chunks.size = 0
    chunks.add(data)
    return chunks


class Pipe:
    """
    How full the way to the reader is, and the producer that fills it.

    It is a part of the writer's end, and not an object that the end has: a connection costs two
    objects less.  The attributes are read and set by both ends: this is the hot path.
    """

    __slots__ = (
        "_high",
        "_producer",
        "_streaming",
        "_pauseAbove",
        "_wakeBelow",
    )

    _high: int  # above so many bytes a producer pauses; at half of it or below it goes on
    _producer: IPushProducer | None  # or a pull producer: its verbs are among these
    _streaming: bool  # of the producer; not set before there is one
    _pauseAbove: int  # the size above which a push producer is to be paused
    _wakeBelow: int  # the size at or below which a waiting producer is to go on

    @property
    def bufferedBytes(self) -> int:
        """Bytes written here that the peer's protocol has not got yet."""
        raise NotImplementedError

    def _setHigh(self, high: int) -> None:
        """Move the watermarks; a registered push producer is paused if it is now above."""
        self._high = high
        if self._wakeBelow >= 0:
            self._wakeBelow = high // 2
        elif self._producer is not None:
            self._pauseAbove = high
            if self.bufferedBytes > high:
                self._pause()

    def _register(self, producer: IProducer, streaming: bool) -> None:
        """
        Let producer fill the pipe: a push producer between the watermarks, a pull one up to high.

        Raises:
            RuntimeError: another producer is registered.
        """
        if self._producer is not None:
            raise RuntimeError(
                f"Cannot register producer {producer}, because producer {self._producer} was "
                "never unregistered."
            )
        self._producer = cast(IPushProducer, producer)
        self._streaming = streaming
        if not streaming:
            self._wakeBelow = self._high // 2
            self._pull(self._producer)
        else:
            self._pauseAbove = self._high
            if self.bufferedBytes > self._high:
                self._pause()

    def _unregister(self) -> None:
        """Forget the producer."""
        self._producer = None
        self._pauseAbove = NEVER
        self._wakeBelow = -1

    def _isLow(self) -> bool:
        """Whether a producer that waits is to go on."""
        return self.bufferedBytes <= self._wakeBelow

    def _pause(self) -> None:
        """Pause the push producer, until `_wake`."""
        producer = self._producer
        assert producer is not None
        self._pauseAbove = NEVER
        self._wakeBelow = self._high // 2
        producer.pauseProducing()

    def _wake(self) -> None:
        """Let a waiting producer go on; what it raises is raised."""
        producer = self._producer
        if producer is None:
            return
        if not self._streaming:
            self._pull(producer)
        elif self._wakeBelow >= 0:
            self._wakeBelow = -1
            self._pauseAbove = self._high
            producer.resumeProducing()

    def _pull(self, producer: IPushProducer) -> None:
        while self._producer is producer and self.bufferedBytes < self._high:
            before = self.bufferedBytes
            producer.resumeProducing()
            if self.bufferedBytes == before:
                return  # nothing to write now, or nobody to read it
