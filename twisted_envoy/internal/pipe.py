"""
One direction of an internal connection: a receive buffer with watermarks, and who fills it.

Envoy: the buffer and its watermarks in extensions/io_socket/user_space/io_handle_impl.cc
"""

from __future__ import annotations

from sys import maxsize
from typing import cast

from twisted.internet.interfaces import IProducer, IPushProducer

#: Chunks below this size may be joined, up to the next size; others are passed as they are.
SMALL = 4096
JOINED = 16384


class Pipe(list[bytes]):
    """
    The chunks on their way from a writer to a reader, and the writer's producer.

    It is the queue of the chunks, and not an object that has one: a connection costs two objects
    less. A list: an empty deque is six times as large, and few chunks wait at a time.
    The attributes are read and set by the two ends: this is the hot path.  Made by `makePipes`.
    """

    __slots__ = (
        "size",
        "open",
        "ended",
        "high",
        "producer",
        "streaming",
        "pauseAbove",
        "wakeBelow",
    )

    size: int
    open: bool  # what is written is kept: the writer has not ended, the reader reads on
    ended: bool  # after these chunks comes the end of the stream
    high: int
    producer: IPushProducer | None  # or a pull producer: its verbs are among these
    streaming: bool  # of the producer, when there is one
    pauseAbove: int  # the size above which a push producer is to be paused
    wakeBelow: int  # the size at or below which a waiting producer is to go on

    def drop(self) -> None:
        """Drop what is on its way."""
        self.clear()
        self.size = 0

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

    def setHigh(self, high: int) -> None:
        """Move the watermarks; a registered push producer is paused if it is now above."""
        self.high = high
        if self.wakeBelow >= 0:
            self.wakeBelow = high // 2
        elif self.producer is not None:
            self.pauseAbove = high
            if self.size > high:
                self.pause()

    def register(self, producer: IProducer, streaming: bool) -> None:
        """
        Let producer fill the pipe: a push producer between the watermarks, a pull one up to high.

        Raises:
            RuntimeError: another producer is registered.
        """
        if self.producer is not None:
            raise RuntimeError(
                f"Cannot register producer {producer}, because producer {self.producer} was "
                "never unregistered."
            )
        self.producer = cast(IPushProducer, producer)
        self.streaming = streaming
        if not streaming:
            self.wakeBelow = self.high // 2
            self._pull(self.producer)
        else:
            self.pauseAbove = self.high
            if self.size > self.high:
                self.pause()

    def unregister(self) -> None:
        """Forget the producer."""
        self.producer = None
        self.pauseAbove = maxsize
        self.wakeBelow = -1

    def pause(self) -> None:
        """Pause the push producer, until `wake`."""
        producer = self.producer
        assert producer is not None
        self.pauseAbove = maxsize
        self.wakeBelow = self.high // 2
        producer.pauseProducing()

    def wake(self) -> None:
        """Let a waiting producer go on; what it raises is raised."""
        producer = self.producer
        if producer is None:
            return
        if not self.streaming:
            self._pull(producer)
        elif self.wakeBelow >= 0:
            self.wakeBelow = -1
            self.pauseAbove = self.high
            producer.resumeProducing()

    def _pull(self, producer: IPushProducer) -> None:
        while self.producer is producer and self.size < self.high:
            before = self.size
            producer.resumeProducing()
            if self.size == before:
                return  # nothing to write now, or nobody to read it


def makePipes(high: int) -> tuple[Pipe, Pipe]:
    """
    Make the two directions of one connection.

    Args:
        high: above so many bytes a producer pauses; at half of it or below it goes on.
    """
    up = Pipe()
    down = Pipe()
    up.size = down.size = 0
    up.open = down.open = True
    up.ended = down.ended = False
    up.high = down.high = high
    up.producer = down.producer = None
    up.pauseAbove = down.pauseAbove = maxsize
    up.wakeBelow = down.wakeBelow = -1
    return up, down
