"""
One connected socket as a machine: what the kernel's news do to it.

Where there are Edges, news are told once:

    flag        set by                             cleared by
    readable    news, a full read                  a read that finds less than it asked for
    lasting     news of the peer's end, an error   never, save that it was another socket's news
    queued      asking for another turn            that turn

Bulk that is only passed on to another socket is not read but spliced; see `splicing`.
"""

from __future__ import annotations

from functools import partial

from twisted.python.failure import Failure

from twisted_envoy.sockets.events import Events, lost
from twisted_envoy.sockets.pieces import AGAIN
from twisted_envoy.sockets.shortcut import Shortcut
from twisted_envoy.sockets.socket_end import FIRST_READ, LOOKS, SocketEnd
from twisted_envoy.sockets.splicing import CANNOT_SPLICE, Splice, follow, isSupported, wayFrom
from twisted_envoy.sockets.stale import isStale
from twisted_envoy.sockets.write_buffer import WriteBuffer

_LARGEST_READ = 256 * 1024

_BULKY = 64 * 1024
_BULK_READS = 8
"""So many full reads of so many bytes are bulk."""

# Bits of epoll: what makes it worth while to read or write, and what is said only once.
_READABLE = 0x001 | 0x008 | 0x010 | 0x2000
_WRITABLE = 0x004 | 0x008 | 0x010
_LAST = 0x008 | 0x010 | 0x2000
USUAL = 0x001 | 0x004
"""Bytes, of a peer that takes more."""


class SocketReader(SocketEnd):
    """What reads, and hears the kernel's news."""

    __slots__ = ()

    def begin(self, protocol: Events, watched: bool = False) -> Failure | None:
        """
        Give the connection to a protocol and start reading.

        Args:
            watched: for edges, by somebody else who is done with it.
        Returns:
            What makeConnection raised; the connection is lost with that already.
        """
        self.protocol = protocol
        self.isReading = True
        try:
            protocol.makeConnection(self)
        except Exception:
            return self._fault("makeConnection")
        if self.disconnected:
            return None
        if watched and self._edges is not None:
            self.isWatched = True
            self._edges.handOver(self._sock.fileno(), self)
        elif self._edges is not None:
            if self.isReading or self._out.waiting:
                self.watch()
            else:  # nobody wants to know yet
                self._edges.keep(self._sock.fileno(), self)
        elif self.isReading:
            self._context.reactor.addReader(self)
        return None

    # What the reactor calls.

    def fileno(self) -> int:
        return self._sock.fileno()

    def logPrefix(self) -> str:
        return "connection"

    def doRead(self) -> None:
        """Take what there is, once, and hand it on."""
        if self.isReading:
            turn = self._turn
            turn.enter()
            try:
                self._read()
            finally:
                turn.leave()

    def doWrite(self) -> None:
        """Give the kernel what it takes."""
        if not self.disconnected:
            turn = self._turn
            turn.enter()
            try:
                self._flush()
            finally:
                turn.leave()

    # What the Edges call, inside an event of theirs.

    def ready(self, events: int) -> None:
        """Something is new: it is told once, and kept in mind until it has been used."""
        if self.isReading and self._splice is None and not self._out.waiting:
            if events != USUAL:
                if events & _LAST:
                    self._lasting = True
                elif not events & _READABLE:
                    return
            self._read()
            return
        if self._out.waiting and events & _WRITABLE:
            self._flush()
        if events & _READABLE:
            if events & _LAST:
                self._lasting = True
            self.isReadable = True
            if self.isReading:
                if self._splice is None:
                    self._read()
                else:
                    self._move(self._splice)

    def goOn(self) -> None:
        """Another turn."""
        self._queued = False
        if self._out.waiting:
            self._flush()
        if self.isReading and self.isReadable:
            if self._splice is None:
                self._read()
            else:
                self._move(self._splice)

    def _goOnLater(self) -> None:
        if not self._queued and self._edges is not None:
            self._queued = True
            self._edges.again(self)

    def _flush(self) -> None:
        try:
            self._out.flush()
        except Exception:
            self._fault("producer")

    def _read(self) -> None:
        wanted = self._readSize
        try:
            data = self._sock.recv(wanted)
        except OSError as problem:
            self.cannotRead(problem)
            return
        try:
            if not data:
                self._endRead()
            elif len(data) < wanted == FIRST_READ and not self._lasting:
                self.isReadable = False
                self.protocol.dataReceived(data)
                if self._streak > 0:
                    self._streak -= 1
                    if not self._streak and self._edges is not None:
                        self._turn.post(self._shorten)
            else:
                self.took(data, wanted)
        except Exception:
            self._fault("protocol")

    def cannotRead(self, problem: OSError) -> None:
        """What recv() said."""
        if problem.errno not in AGAIN:
            self._lose(self._broken or lost(problem))
        self.isReadable = self._lasting = False

    def took(self, data: bytes, wanted: int) -> None:
        """Hand on what recv() gave, which was asked for so many bytes."""
        try:
            if data:
                size = len(data)
                if size == wanted:
                    if size < _LARGEST_READ:
                        self._readSize = size * 4
                    self.isReadable = True
                    self._goOnLater()
                    if wanted >= _BULKY:
                        self._streak = min(self._streak, 0) - 1
                elif self._lasting:
                    self.isReadable = True
                    self._goOnLater()
                else:
                    self.isReadable = False
                    if wanted > FIRST_READ and size << 3 < wanted:
                        self._readSize = FIRST_READ
                        self._streak = LOOKS
                self.protocol.dataReceived(data)
                if self._streak <= -_BULK_READS:
                    self._streak = 0
                    self._turn.post(self._follow)
            else:
                self._endRead()
        except Exception:
            self._fault("protocol")

    def watch(self) -> None:
        """See WriteOwner: and edges tell what is new, from now on."""
        if self._edges is not None and not self.isWatched:
            self.isWatched = True
            self._edges.watch(self._sock.fileno(), self)

    def flushSoon(self) -> None:
        """See WriteOwner."""
        self._goOnLater()

    def _endRead(self) -> None:
        self._ended = True
        if self._edges is None:
            self._stopReading()
        else:
            self.isReading = False
        protocol = self.protocol
        halfClosing = self._context.halfClosing
        if self._broken is not None:
            self._lose(self._broken)
        elif protocol.__class__ in halfClosing.classes or halfClosing.includes(protocol):
            protocol.readConnectionLost()
        else:
            producer = self._out.unregisterProducer()
            if producer is not None:
                producer.stopProducing()
            self.loseConnection()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor, which watches us no more, says that we were reset or that it stops."""
        if self.disconnected:
            return
        if isStale(self._sock, reason):
            if self.isReading and self._edges is None:
                self._context.reactor.addReader(self)
            self._out.watchAgain()
            return
        turn = self._turn
        turn.enter()
        try:
            if self._hasUnread():
                self._out.drop()
                self._break(reason)
            else:
                self._lose(self._broken or reason)
        finally:
            turn.leave()

    # Bytes that are only passed on.

    def _shorten(self) -> None:
        """Some came: are they only passed on to another socket?"""
        if self.isReading and self._splice is None and self._edges is not None:
            way = wayFrom(self, _bufferOf)
            if way is not None:
                self._edges.handOver(
                    self._sock.fileno(),
                    Shortcut(self, self._sock, self._out, way, self._context.outbox),
                )

    def readAsEver(self) -> None:
        """There is no shortcut any more; after some more reads one is looked for again."""
        self._streak = LOOKS
        if self._edges is not None and not self.disconnected:
            self._edges.handOver(self._sock.fileno(), self)

    def _follow(self, tries: int = 0) -> None:
        """Much came: are these bytes only passed on to another socket, and are all there by now?"""
        if self.isReading and self._splice is None and isSupported and self._edges is not None:
            found = follow(self, _bufferOf, self._context.pipes)
            if found is None:
                return
            if found.isOpen():
                self.readAsEver()
                self._splice = found
                found.begin()
            elif tries < found.length:  # a hop more needs a round more
                self._turn.post(partial(self._follow, tries + 1))

    def _move(self, splice: Splice) -> None:
        """Instead of a read."""
        try:
            if not splice.isOpen():
                self._stopSplicing()
                self._read()
                return
            size = splice.move()
            if size is None:
                return  # goOnAgain will be called
            if size:
                self._goOnLater()
                if not splice.isWorthwhile(size):
                    self._stopSplicing()
                return
            self._stopSplicing()
            self._endRead()
        except BlockingIOError:
            self.isReadable = self._lasting = False
        except OSError as problem:
            self._stopSplicing()
            if problem.errno in CANNOT_SPLICE:
                self._read()
            else:  # the kernel says so only once
                self._lose(self._broken or lost(problem))
        except Exception:
            self._fault("protocol")

    def goOnAgain(self) -> None:
        """What we pass bytes on to takes more."""
        if self.isReading and self.isReadable:
            self._goOnLater()


def _bufferOf(transport: object) -> WriteBuffer | None:
    return transport._out if isinstance(transport, SocketEnd) else None
