"""What the tests of bytes that are only passed on share: relays between loopback sockets."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.sockets.loopback import ANY_PORT
from tests.sockets.test_poller import EPollReactor, WatchingClock
from twisted_envoy.internal import InternalAddress
from twisted_envoy.internal.interfaces import Passage
from twisted_envoy.internal.transport import makePair
from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.sockets.events import SocketContext
from twisted_envoy.sockets.poller import Poller
from twisted_envoy.sockets.stream import StreamSocket


@implementer(IHalfCloseableProtocol)
class Relay:
    """
    Writes all it gets to its peer, and counts it.

    Attributes:
        seen: bytes that came as bytes. counted: bytes that passed. says: whether it has a passage.
    """

    def __init__(self) -> None:
        self.peer: Any = None
        self.transport: Any = None
        self.seen = self.counted = 0
        self.says = True
        self.lost: Failure | None = None
        self.dataReceived = self.relay
        self.pauses = 0

    def makeConnection(self, transport: Any) -> None:
        self.transport = transport

    def relay(self, data: bytes) -> None:
        self.seen += len(data)
        self.peer.transport.write(data)

    def count(self, size: int) -> None:
        self.counted += size

    def passage(self) -> Passage | None:
        if not self.says:
            return None
        return Passage(self.dataReceived, self.peer.transport, self.count)

    def readConnectionLost(self) -> None:
        self.peer.transport.unregisterProducer()
        self.peer.transport.loseWriteConnection()

    def writeConnectionLost(self) -> None: ...

    def connectionLost(self, reason: Failure) -> None:
        self.lost = reason
        self.peer.transport.loseConnection()

    # Of the peer's bytes.

    def pauseProducing(self) -> None:
        self.pauses += 1
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        self.transport.resumeProducing()

    def stopProducing(self) -> None: ...


class RelayTestCase(SynchronousTestCase):
    """A case with a Poller, and sockets and internal connections between relays."""

    if EPollReactor is None:
        skip = "there is no epoll here"

    def setUp(self) -> None:
        self.clock = WatchingClock()
        self.turn = TurnQueue(self.clock)  # type: ignore[arg-type]
        self.poller = Poller(self.clock, self.turn)
        self.context = SocketContext(self.poller, self.turn, self.poller)
        self.addCleanup(self.context.pipes.close)
        self.descriptors = len(os.listdir("/proc/self/fd"))

    def make(self) -> tuple[Relay, socket.socket]:
        relay = Relay()
        with socket.create_server(("127.0.0.1", 0)) as port:
            peer = socket.create_connection(port.getsockname())
            sock, _ = port.accept()
        for one in (sock, peer):
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        StreamSocket(sock, self.context, None, ANY_PORT).begin(relay)
        self.addCleanup(peer.close)
        self.addCleanup(self.clock.advance, 0)
        self.addCleanup(relay.transport.abortConnection)
        return relay, peer

    def join(self, hops: int = 0) -> tuple[list[Relay], socket.socket, socket.socket]:
        """Two sockets, with so many internal connections between them, and their peers."""
        first, source = self.make()
        relays = [first]
        for _ in range(hops):
            ends = makePair(self.turn, InternalAddress("b"), InternalAddress("a"), 65536)
            for end in ends:
                relay = Relay()
                relays.append(relay)
                end.start(relay)  # type: ignore[arg-type]
        last, target = self.make()
        relays.append(last)
        for one, two in zip(relays[::2], relays[1::2], strict=True):
            one.peer, two.peer = two, one
            one.transport.registerProducer(two, True)
            two.transport.registerProducer(one, True)
        return relays, source, target

    def passOn(
        self, source: socket.socket, target: socket.socket, data: bytes, meanwhile: Any = None
    ) -> bytes:
        """Send all of data into the source; what comes out of the target."""
        got = bytearray()
        view = memoryview(data)
        for _ in range(100_000):
            try:
                view = view[source.send(view) :]
            except BlockingIOError:
                pass
            if meanwhile is not None:
                meanwhile(len(got))
            self.poller.doRead()
            self.clock.advance(0)
            try:
                while chunk := target.recv(1 << 20):
                    got += chunk
            except BlockingIOError:
                pass
            if len(got) == len(data):
                return bytes(got)
        raise AssertionError(f"stuck at {len(got)} of {len(data)}")
