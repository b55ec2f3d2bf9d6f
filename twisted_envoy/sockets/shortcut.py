"""
Small messages from one socket to another, without what is between them.

A protocol that only counts what it receives and writes it on says so with a `Passage`. When some
small reads have come, the passages from a socket are followed to the socket where the bytes go, as
for a splice; from then on news of the source are told to a `Shortcut`, which reads, tells every
passage how much it was, and leaves the bytes to the target. Each time it looks first:

    finds                                               then
    news of another kind, or nobody who reads           the source does what it does as ever
    a passage that is not what it was, a target         the bytes go their ordinary way, and the
        that is shut, bytes inside of a hop, or more    source reads by itself again; another
        of them than a hop takes at a time              shortcut is looked for later
    more than a read brings, the end, an error          the same
    bytes that wait at the target                       they go behind these

Nobody can tell the difference but by the clock.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from twisted.python.failure import Failure

from twisted_envoy.sockets.outbox import Outbox

if TYPE_CHECKING:
    from twisted_envoy.sockets.socket_reader import SocketReader
    from twisted_envoy.sockets.splicing import Way
    from twisted_envoy.sockets.write_buffer import WriteBuffer

_USUAL = 0x001 | 0x004
"""Bits of epoll: bytes, of a peer that takes more."""

_SIZE = 16 * 1024


class Shortcut:
    """
    Takes the place of a socket that is read, as whom edges tell of news.

    Args:
        sock: the source's; own: what it has to write itself.
        way: where its bytes go.
    """

    __slots__ = (
        *("_counts", "_hops", "_outbox", "_own", "_reader", "_recv", "_source", "_target"),
        "__weakref__",
    )

    def __init__(
        self,
        source: SocketReader,
        sock: socket.SocketType,
        own: WriteBuffer,
        way: Way,
        outbox: Outbox,
    ) -> None:
        self._source = source
        self._own = own
        self._recv = sock.recv
        self._reader = way.passages[0].reader
        self._counts = tuple(passage.count for passage in way.passages)
        self._hops = tuple(way.hops)
        self._target = way.target
        self._outbox = outbox

    def ready(self, events: int) -> None:
        """Something is new."""
        source = self._source
        if events != _USUAL or self._own.waiting or not source.isReading:
            source.ready(events)
            return
        try:
            data = self._recv(_SIZE)
        except OSError as problem:
            source.cannotRead(problem)
            return
        size = len(data)
        target = self._target
        if (
            (size or _SIZE) < _SIZE
            and source.protocol.dataReceived == self._reader
            and not target.shut
        ):
            for hop, passage in self._hops:
                if not hop.passes(passage, size):
                    break
            else:
                source.isReadable = False
                try:
                    for count in self._counts:
                        count(size)
                except Exception:
                    source.raised("protocol")
                    return
                outbox = self._outbox
                if outbox.isOpen and not (target.soon or target.size):
                    target.wrote = True
                    target.soon = data
                    outbox.waiting.append(target)
                else:
                    target.write(data)
                return
        source.readAsEver()
        source.took(data, _SIZE)

    def goOn(self) -> None:
        """Never asked for: who asks is the source."""

    def connectionLost(self, reason: Failure) -> None:
        """The reactor stops, or this raised."""
        self._source.connectionLost(reason)
