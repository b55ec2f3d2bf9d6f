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
from twisted_envoy.sockets.socket_end import FIRST_READ, SocketEnd
from twisted_envoy.sockets.splicing import CANNOT_SPLICE, Splice, follow, isSupported
from twisted_envoy.sockets.stale import isStale
from twisted_envoy.sockets.write_buffer import AGAIN, WriteBuffer

_LARGEST_READ = 256 * 1024

_BULKY = 64 * 1024
_BULK_READS = 8
"""So many full reads of so many bytes are bulk."""

# Bits of epoll: what makes it worth while to read or write, and what is said only once.
_READABLE = 0x001 | 0x008 | 0x010 | 0x2000
_WRITABLE = 0x004 | 0x008 | 0x010
_LAST = 0x008 | 0x010 | 0x2000


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
        self._reading = True
        try:
            protocol.makeConnection(self)
        except Exception:
            return self._fault("makeConnection")
        if self.disconnected:
            return None
        if watched and self._edges is not None:
            self._edges.handOver(self._sock.fileno(), self)
        elif self._edges is not None:
            self._edges.watch(self._sock.fileno(), self)
        elif self._reading:
            self._context.reactor.addReader(self)
        return None

    # What the reactor calls.

    def fileno(self) -> int:
        return self._sock.fileno()

    def logPrefix(self) -> str:
        return "connection"

    def doRead(self) -> None:
        """Take what there is, once, and hand it on."""
        if self._reading:
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
        if self._out.waiting and events & _WRITABLE:
            self._flush()
        if events & _READABLE:
            if events & _LAST:
                self._lasting = True
            self._readable = True
            if self._reading:
                if self._splice is None:
                    self._read()
                else:
                    self._move(self._splice)

    def goOn(self) -> None:
        """Another turn."""
        self._queued = False
        if self._out.waiting:
            self._flush()
        if self._reading and self._readable:
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
            if problem.errno not in AGAIN:
                self._lose(self._broken or lost(problem))
            self._readable = self._lasting = False
            return
        try:
            if data:
                size = len(data)
                if size == wanted:
                    if size < _LARGEST_READ:
                        self._readSize = size * 4
                    self._readable = True
                    self._goOnLater()
                    if wanted >= _BULKY:
                        self._bulky += 1
                elif self._lasting:
                    self._readable = True
                    self._goOnLater()
                else:
                    self._readable = False
                    if wanted > FIRST_READ and size << 3 < wanted:
                        self._readSize = FIRST_READ
                        self._bulky = 0
                self.protocol.dataReceived(data)
                if self._bulky >= _BULK_READS:
                    self._bulky = 0
                    self._turn.post(self._follow)
            else:
                self._endRead()
        except Exception:
            self._fault("protocol")

    def flushSoon(self) -> None:
        """See WriteOwner."""
        self._goOnLater()

    def _endRead(self) -> None:
        self._ended = True
        if self._edges is None:
            self._stopReading()
        else:
            self._reading = False
        if self._broken is not None:
            self._lose(self._broken)
        elif self._context.halfClosing.includes(self.protocol):
            self.protocol.readConnectionLost()
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
            if self._reading and self._edges is None:
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

    # Bulk.

    def _follow(self, tries: int = 0) -> None:
        """Much came: are these bytes only passed on to another socket, and are all there by now?"""
        if self._reading and self._splice is None and isSupported and self._edges is not None:
            found = follow(self, _bufferOf, self._context.pipes)
            if found is None:
                return
            if found.isOpen():
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
            self._readable = self._lasting = False
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
        if self._reading and self._readable:
            self._goOnLater()


def _bufferOf(transport: object) -> WriteBuffer | None:
    return transport._out if isinstance(transport, SocketEnd) else None
