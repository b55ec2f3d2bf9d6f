"""
The writing half of a stream socket: send at once, keep the rest, steer the producer.

    state of the buffer       write(data)          the kernel takes bytes
    nothing kept              send(); keep rest    nothing to do
    the same, outbox open     set it aside         send() when the round is over; keep rest
    something kept            keep                 sendmsg(); `written` when all is out
    shut                      dropped              what was kept still goes out
    broken (a send failed)    dropped              nothing is kept any more
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from twisted_envoy.sockets.events import SocketReactor
from twisted_envoy.sockets.outbox import CLOSED, Outbox
from twisted_envoy.sockets.pieces import AGAIN, checked, sendPieces
from twisted_envoy.sockets.splicing import Piped

DEFAULT_LIMIT = 1024 * 1024

_SMALL = 16 * 1024
"""Bytes that may wait for the end of a round."""

_NOTHING: deque[bytes | memoryview | Piped] = deque(maxlen=0)
"""Kept by all that keep nothing; never changed."""


class WriteOwner(Protocol):
    """Whose bytes are written: the descriptor that the reactor watches."""

    def written(self) -> None:
        """Nothing is kept and nobody produces, after something was kept."""

    def writeFailed(self, problem: OSError) -> None:
        """The kernel takes no more bytes, ever; what was kept is gone."""

    def flushSoon(self) -> None:
        """There is no reactor, and nothing is kept, but a producer may write more: call `flush`."""

    def raised(self) -> None:
        """The error that a producer let out is being handled."""

    def watch(self) -> None:
        """There is no reactor, and `flush` is to be called when the kernel takes bytes."""


class WriteBuffer:
    """
    What was written and not yet taken by the kernel, and the producer that fills it.

    Args:
        sock: non-blocking and connected.
        owner: told how it goes; registered as the reactor's writer, calls `flush` as that.
        reactor: None when the owner hears by itself that the kernel takes bytes again.
        outbox: while it is open, little is sent with what others send.

    Attributes:
        size: bytes kept; `kept` first sends what only waits for the end of the round.
        soon: what only waits for that.
        limit: bytes kept above which a producer is paused.
        waiting: `flush` is to be called when the kernel takes bytes.
        shut: no more writes are taken.
        wrote: something was handed to the kernel, ever.
        producer: who was registered, None for nobody.
        owner, told: who hears how it goes, and when nothing is kept any more; None: nobody.
    """

    __slots__ = (
        *("told", "_outbox", "owner", "_paused", "_pieces", "_pull", "_reactor"),
        *("_sock", "limit", "producer", "shut", "size", "soon", "waiting", "wrote"),
    )

    def __init__(
        self,
        sock: socket.SocketType,
        owner: WriteOwner,
        reactor: SocketReactor | None,
        outbox: Outbox = CLOSED,
    ) -> None:
        self._sock = sock
        self.owner: WriteOwner | None = owner
        self._reactor = reactor
        self._outbox = outbox
        self.soon = b""
        self._pieces: deque[bytes | memoryview | Piped] = _NOTHING
        self.told: Callable[[], None] | None = None
        self.limit = DEFAULT_LIMIT
        self.waiting = False
        self._pull = False
        self._paused = False
        self.producer: Any = None
        self.size = 0
        self.shut = False
        self.wrote = False

    @property
    def idle(self) -> bool:
        """Nothing is kept and nobody produces."""
        return not (self._pieces or self.soon) and self.producer is None

    def write(self, data: bytes) -> None:
        """
        Send now and keep what the kernel does not take.

        Args:
            data: kept by reference; a bytearray or memoryview is copied.
        Raises:
            TypeError: data is something else.
        """
        if self.shut:
            return
        if data.__class__ is not bytes:
            data = checked(data)
        size = len(data)
        if self._pieces:
            if size:
                self._pieces.append(data)
                self.size += size
                if self.size > self.limit and self.producer is not None:
                    self._pause()
        elif self.soon:
            if size <= _SMALL:
                self.soon += data
                if len(self.soon) > _SMALL:
                    self.goOut()
            else:
                self.goOut()
                self.write(data)
        elif size <= _SMALL and size and self._outbox.isOpen:
            self.wrote = True
            self.soon = data
            self._outbox.waiting.append(self)
        elif size:
            self.wrote = True
            self.soon = data
            self.goOut()
        elif self._pull:
            self._sent(data, 0)

    def _sent(self, data: bytes, sent: int) -> None:
        """The kernel took not all of it, or a pull producer is to be asked for more."""
        size = len(data)
        self._watch()
        if sent == size:
            if self._reactor is None and self.owner is not None:
                self.owner.flushSoon()
            return
        if self._pieces is _NOTHING:
            self._pieces = deque()
        self._pieces.append(memoryview(data)[sent:] if sent else data)
        self.size += size - sent
        if self.size > self.limit and self.producer is not None:
            self._pause()

    def goOut(self) -> None:
        """The round is over, or somebody wants to know what the kernel takes."""
        data = self.soon
        if not data:
            return
        self.soon = b""
        try:
            sent = self._sock.send(data)
        except OSError as problem:
            if problem.errno not in AGAIN:
                self._break(problem)
                return
            sent = 0
        if sent != len(data) or self._pull:
            self._sent(data, sent)

    def raised(self) -> None:
        """See Sender."""
        if self.owner is not None:
            self.owner.raised()

    def kept(self) -> int:
        """Bytes that the kernel has not taken."""
        if self.soon:
            self.goOut()
        return self.size

    def writeAll(self, iovec: Iterable[bytes]) -> None:
        """
        Write all of them as one; large ones are not copied.

        Raises:
            TypeError: one is not bytes; nothing was written.
        """
        pieces: deque[Any] = deque(filter(None, map(checked, iovec)))
        size = sum(map(len, pieces))
        if size <= _SMALL or self.shut:
            self.write(b"".join(pieces))
            return
        if self.soon:
            self.goOut()
        if self._pieces:
            self._pieces += pieces
            self.size += size
        elif not self.shut:
            self.wrote = True
            self._pieces = pieces
            self.size = size
            if not self._send(pieces):
                return
            if pieces:
                self._watch()
            else:
                self._pieces = _NOTHING
                if self._pull:
                    self._sent(b"", 0)
        if self.size > self.limit and self.producer is not None:
            self._pause()

    def writePiped(self, piped: Piped) -> None:
        """Send what is in a pipe, after which nothing is kept but what is left of it."""
        self.wrote = True
        self._pieces = deque((piped,))
        self.size = piped.size
        self._send(self._pieces)
        if self.size:
            self._watch()
            if self.size > self.limit and self.producer is not None:
                self._pause()
        elif not self.shut:
            self._pieces = _NOTHING

    def onWritten(self, call: Callable[[], None] | None) -> None:
        """Call whenever nothing is kept any more after something was."""
        self.told = call

    def flush(self) -> None:
        """The kernel takes bytes again."""
        pieces = self._pieces
        if not self._send(pieces):
            return
        if not pieces:
            self._pieces = _NOTHING
            self._unwatch()
            if self.told is not None:
                self.told()
        if self.producer is None:
            if not pieces and self.owner is not None:
                self.owner.written()
        elif self._paused and self.size <= self.limit // 2 or self._pull and not pieces:
            self._paused = False
            self.producer.resumeProducing()

    def _send(self, pieces: deque[Any]) -> bool:
        """Send what the kernel takes; False when it has failed."""
        try:
            self.size -= sendPieces(self._sock, pieces)
        except OSError as problem:
            self._break(problem)
            return False
        return True

    def _break(self, problem: OSError) -> None:
        owner = self.owner
        self.drop()
        if owner is not None:
            owner.writeFailed(problem)

    def drop(self) -> None:
        """Forget what is kept and take no more."""
        if self.soon:  # it was sent, as far as anybody knows
            self.goOut()
        self.shut = True
        if self._pieces:
            first = self._pieces[0]
            if isinstance(first, Piped):
                first.drop()
            self._pieces = _NOTHING
        self.size = 0
        if self.told is not None:
            self.told()
        self._unwatch()

    def end(self) -> None:
        """Take no more, save from a registered producer."""
        if self.producer is None:
            self.shut = True

    def close(self) -> Any:
        """
        The connection is gone.

        Returns:
            The producer that was registered, or None; it has not been told.
        """
        told, producer = self.told, self.producer
        self.told = None
        if self._pieces or self.waiting or self.soon:
            self.drop()
        self.shut = True
        self.owner = None
        if told is not None:
            told()
        if producer is not None:
            self.producer = None
            self._pull = self._paused = False
        return producer

    def watchAgain(self) -> None:
        """The reactor has dropped its writer by mistake."""
        if self.waiting and self._reactor is not None:
            self._reactor.addWriter(self.owner)

    def _watch(self) -> None:
        if not self.waiting:
            self.waiting = True
            if self._reactor is not None:
                self._reactor.addWriter(self.owner)
            elif self.owner is not None:
                self.owner.watch()

    def _unwatch(self) -> None:
        if self.waiting:
            self.waiting = False
            if self._reactor is not None:
                self._reactor.removeWriter(self.owner)

    # The producer.

    def setLimit(self, limit: int) -> None:
        """
        Bytes kept above which a producer is paused; it resumes at half of that.

        Raises:
            ValueError: less than 1.
        """
        if limit < 1:
            raise ValueError(f"a write buffer limit must be 1 byte or more, not {limit}")
        self.limit = limit
        if self.soon:
            self.goOut()
        if self.producer is not None:
            if self.size > limit:
                self._pause()
            elif self.size <= limit // 2:
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
        if self.soon:
            self.goOut()
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
        if not self._paused and not self._pull:
            self._paused = True
            self.producer.pauseProducing()

    def wake(self) -> None:
        """Resume a push producer that was paused."""
        if self._paused:
            self._paused = False
            self.producer.resumeProducing()
