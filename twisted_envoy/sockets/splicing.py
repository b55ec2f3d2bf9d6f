"""
Bulk from one socket to another that Python never sees: splice() through a pipe of the kernel.

A protocol that only counts what it receives and writes it on says so with a `Passage`. When much
comes in large pieces, the passages from a socket are followed, through internal connections too, to
the socket where the bytes go. From then on each turn of the source moves up to `MOST` bytes there,
and tells every passage how many they were. Nothing else about the connections changes: who reads is
paused as before, ends and losses go their ways.

    turn finds                                          then
    a passage that is not what it was, an end asked     it is over; bytes are read as ever
    bytes that wait at the target, its own or ours      nothing, until the target has sent them
    bytes, and the target takes them                    they are counted; another turn is asked for
    the target takes less                               the rest waits in the pipe (`Piped`)
    little, many times                                  it is over
    end, or an error                                    as for a read; it is over
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted_envoy.internal.interfaces import Passage

try:
    import fcntl
except ImportError:  # not a Unix
    _RESIZE: int | None = None
else:
    _RESIZE = getattr(fcntl, "F_SETPIPE_SZ", None)

if TYPE_CHECKING:
    from twisted_envoy.sockets.socket_reader import SocketReader
    from twisted_envoy.sockets.write_buffer import WriteBuffer

MOST = 1024 * 1024
"""Bytes moved in one turn."""

LEAST = 64 * 1024
"""Bytes moved in one turn, however little the target may keep."""

_LITTLE = 16 * 1024
_PATIENCE = 8
_IDLE_PIPES = 4
_FLAGS = getattr(os, "SPLICE_F_MOVE", 0) | getattr(os, "SPLICE_F_NONBLOCK", 0)

CANNOT_SPLICE = frozenset(
    {errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)
"""Error numbers that say nothing about the source."""

Ends = tuple[int, int]
"""Of a pipe: where it is read, where it is written."""

isSupported = hasattr(os, "splice")
"""Linux, from Python 3.10 on."""


class Pipes:
    """Empty pipes of the kernel, kept for the next who needs one."""

    __slots__ = ("_idle",)

    def __init__(self) -> None:
        self._idle: list[Ends] = []

    def take(self) -> Ends:
        """
        An empty pipe, as large as may be.

        Raises:
            OSError: there is none to be had.
        """
        if self._idle:
            return self._idle.pop()
        ends = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        if _RESIZE is not None:
            try:
                fcntl.fcntl(ends[1], _RESIZE, MOST)
            except OSError:  # the user has many large ones
                pass
        return ends

    def give(self, ends: Ends) -> None:
        """Give an empty pipe back."""
        if len(self._idle) < _IDLE_PIPES:
            self._idle.append(ends)
        else:
            self.destroy(ends)

    def destroy(self, ends: Ends) -> None:
        """Close a pipe, and drop what is in it."""
        os.close(ends[0])
        os.close(ends[1])

    def close(self) -> None:
        """Close all that are idle."""
        while self._idle:
            self.destroy(self._idle.pop())


class Piped:
    """
    Bytes in a pipe that wait for a socket to take them: a piece of its WriteBuffer.

    Args:
        size: how many they are.
    """

    __slots__ = ("_ends", "_pipes", "size")

    def __init__(self, pipes: Pipes, ends: Ends, size: int) -> None:
        self._pipes = pipes
        self._ends = ends
        self.size = size

    def moveTo(self, fd: int) -> int:
        """
        Give the socket what it takes.

        Returns:
            How many bytes; when all are out the pipe has been given back.
        Raises:
            OSError: the socket takes nothing, now or ever.
        """
        moved = os.splice(self._ends[0], fd, self.size, flags=_FLAGS)
        self.size -= moved
        if not self.size:
            self._pipes.give(self._ends)
        return moved

    def drop(self) -> None:
        """Nobody will take them."""
        if self.size:
            self.size = 0
            self._pipes.destroy(self._ends)


class Way:
    """
    Where the bytes of a socket go.

    Attributes:
        target: the writing half of the other socket.
        passages: all on the way.
        hops: what carries the bytes from one to the next, with the passage behind it.
    """

    __slots__ = ("hops", "passages", "target")

    def __init__(
        self, target: WriteBuffer, passages: list[Passage], hops: list[tuple[Any, Passage]]
    ) -> None:
        self.target = target
        self.passages = passages
        self.hops = hops


class Splice:
    """
    What a socket does instead of reading, for as long as it may; see `follow`.

    Args:
        source: the socket that is read.
    """

    __slots__ = ("_hops", "_little", "_passages", "_pipes", "_source", "_target")

    def __init__(self, source: SocketReader, way: Way, pipes: Pipes) -> None:
        self._source = source
        self._target = way.target
        self._passages = way.passages
        self._hops = way.hops
        self._pipes = pipes
        self._little = 0

    @property
    def length(self) -> int:
        """Hops on the way."""
        return len(self._hops)

    def isOpen(self) -> bool:
        """Whether all that bytes pass would still do with them what it said."""
        if self._source.protocol.dataReceived != self._passages[0].reader:
            return False
        for hop, passage in self._hops:
            if not hop.passes(passage):
                return False
        return not self._target.shut

    def move(self) -> int | None:
        """
        One turn.

        Returns:
            Bytes that were moved, 0 at the end of stream, None for those that wait at the target.
        Raises:
            BlockingIOError: there is nothing to move now.
            OSError: the source is broken.
        """
        target = self._target
        if target.kept():
            return None
        pipes = self._pipes
        ends = pipes.take()
        most = max(LEAST, min(MOST, target.limit))
        try:
            size = os.splice(self._source.fileno(), ends[1], most, flags=_FLAGS)
        except OSError:
            pipes.give(ends)
            raise
        if not size:
            pipes.give(ends)
            return 0
        for passage in self._passages:
            passage.count(size)
        target.writePiped(Piped(pipes, ends, size))
        return size

    def isWorthwhile(self, size: int) -> bool:
        """Whether it shall go on after moving so many bytes."""
        if size >= _LITTLE:
            self._little = 0
            return True
        self._little += 1
        return self._little < _PATIENCE

    def begin(self) -> None:
        """From now on the target tells when it has sent all it had."""
        self._target.onWritten(self._source.goOnAgain)

    def end(self) -> None:
        """It is over."""
        self._target.onWritten(None)


def follow(
    source: SocketReader, bufferOf: Callable[[Any], WriteBuffer | None], pipes: Pipes
) -> Splice | None:
    """
    Follow the bytes of a socket to another one.

    Args:
        bufferOf: gives the writing half of a socket, None of other transports.
    Returns:
        None when somebody on the way needs to see them.
    """
    way = wayFrom(source, bufferOf)
    return None if way is None else Splice(source, way, pipes)


def wayFrom(source: SocketReader, bufferOf: Callable[[Any], WriteBuffer | None]) -> Way | None:
    """The same, however the bytes are moved then."""
    passage = passageOf(source.protocol)
    if passage is None:
        return None
    passages = [passage]
    hops: list[tuple[Any, Passage]] = []
    sink = passage.sink
    while (target := bufferOf(sink)) is None:
        passage = passageOf(sink)
        if passage is None:
            return None
        passages.append(passage)
        hops.append((sink, passage))
        sink = passage.sink
    if sink is source:
        return None
    return Way(target, passages, hops)


def passageOf(thing: Any) -> Passage | None:
    """What a protocol, or what a transport inside the process leads to, says of itself."""
    ask = getattr(thing, "passage", None)
    found: Passage | None = None if ask is None else ask()
    return found
