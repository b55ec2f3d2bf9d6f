"""What the tests of sockets share: recording protocols and a case with real loopback sockets."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from tests.switches import TRANSPORTS
from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.sockets.choosing import socketsFor
from twisted_envoy.sockets.endpoints import ReactorSockets
from twisted_envoy.sockets.interfaces import ConnectOptions, ListenOptions
from twisted_envoy.sockets.stream import StreamSocket
from twisted_envoy.sockets.transports.endpoints import TransportSockets

ANY_PORT = IPv4Address("TCP", "127.0.0.1", 0)
MIB = 1024 * 1024
CHECKED = bytes(range(251)) * (8 * MIB // 251 + 1)
PAYLOAD = CHECKED[: 8 * MIB]
"""8 MiB in which a lost, repeated or moved byte shows."""


class Recorder(Protocol):
    """
    Keeps what happens; knows no half-close.

    Attributes:
        data: all bytes. largest: size of the largest chunk. events: names, in order, of the rest.
        reason: of the loss. on: event name -> what to do then, called with the recorder.
    """

    transport: Any

    def __init__(self) -> None:
        self.data = bytearray()
        self.largest = 0
        self.events: list[str] = []
        self.reason: Failure | None = None
        self.on: dict[str, Callable[[Any], object]] = {}
        self._waiting: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def happened(self, event: str) -> None:
        self.events.append(event)
        self._react(event)

    def _react(self, event: str) -> None:
        try:
            if event in self.on:
                self.on[event](self)
        finally:
            for item in list(self._waiting):
                if item[0]():
                    self._waiting.remove(item)
                    item[1].callback(None)

    def until(self, condition: Callable[[], bool]) -> Deferred[None]:
        """Fires as soon as an event makes the condition true."""
        done: Deferred[None] = Deferred()
        if condition():
            done.callback(None)
        else:
            self._waiting.append((condition, done))
        return done

    def untilEvent(self, event: str) -> Deferred[None]:
        return self.until(lambda: event in self.events)

    def untilSize(self, size: int) -> Deferred[None]:
        return self.until(lambda: len(self.data) >= size)

    def gone(self) -> Deferred[None]:
        """Abort; fires when the connection is lost."""
        if self.transport is not None:
            self.transport.abortConnection()
        return self.untilEvent("lost")

    def connectionMade(self) -> None:
        self.happened("made")

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        self.largest = max(self.largest, len(data))
        self._react("data")

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.reason = reason
        self.happened("lost")


@implementer(IHalfCloseableProtocol)
class HalfRecorder(Recorder):
    """One that knows half-close."""

    def readConnectionLost(self) -> None:
        self.happened("end")

    def writeConnectionLost(self) -> None:
        self.happened("ended")


class Accepting(Factory):
    """
    Makes a recorder for each connection.

    Attributes:
        accepted: the recorders so far. prepare: called with each before it is connected.
    """

    noisy = False

    def __init__(self, kind: type[Recorder] = HalfRecorder) -> None:
        self.kind = kind
        self.accepted: list[Any] = []
        self.prepare: Callable[[Any], object] = lambda recorder: None
        self._waiting: list[Deferred[Any]] = []

    def buildProtocol(self, addr: Any) -> Any:
        recorder = self.kind()
        self.prepare(recorder)
        self.accepted.append(recorder)
        for waiting in self._waiting:
            recorder.untilEvent("made").addCallback(lambda _, d=waiting: d.callback(recorder))
        self._waiting = []
        return recorder

    def next(self) -> Deferred[Any]:
        """Fires with the next recorder, connected."""
        done: Deferred[Any] = Deferred()
        self._waiting.append(done)
        return done


def oursOnly(test: Any) -> Any:
    """Marks a test that looks into sockets of ours, or at what only they can do."""
    test.isOursOnly = True
    if TRANSPORTS:
        test.skip = "of sockets of our own only"
    return test


def overTransports(case: type[Any], module: str) -> type[Any]:
    """
    The same case over Twisted's transports, without what is of ours only.

    Args:
        module: whose it is.
    """
    body = {
        name: value
        for name, value in vars(case).items()
        if name not in ("__dict__", "__weakref__") and not hasattr(value, "isOursOnly")
    }
    return type(case)(
        case.__name__, case.__bases__, {**body, "transports": True, "__module__": module}
    )


class LoopbackTestCase(TestCase):
    """
    A case with sockets in the global reactor; nothing may be left in it.

    Attributes:
        transports: they are Twisted's.
    """

    timeout = 30
    transports = TRANSPORTS

    def setUp(self) -> None:
        self.turn = TurnQueue(reactor)  # type: ignore[arg-type]
        self.sockets: Any = socketsFor(reactor, self.turn, self.transports)
        self.transports = isinstance(self.sockets, TransportSockets)
        self.addCleanup(self.sockets.close)
        self._factories: dict[int, Any] = {}

    async def listen(
        self,
        factory: Any,
        address: IAddress = ANY_PORT,
        options: ListenOptions | None = None,
    ) -> Any:
        port = await self.sockets.serverEndpoint(address, options or ListenOptions()).listen(
            factory
        )
        self.addCleanup(port.stopListening)
        self._factories[id(port)] = factory
        return port

    def accepted(self, port: Any) -> list[Any]:
        """The recorders that a port's factory has made so far."""
        made: list[Any] = self._factories[id(port)].accepted
        return made

    async def accepts(self, port: Any) -> None:
        """What waits to be accepted is."""
        if self.transports:
            await self.nextPoll()
            await self.nextPoll()
        else:
            port.doRead()

    def connect(
        self, address: Any, protocol: Any, options: ConnectOptions | None = None
    ) -> Deferred[Any]:
        """Connect one of our sockets to an address."""
        endpoint = self.sockets.clientEndpoint(address, options or ConnectOptions())
        factory = Factory.forProtocol(lambda: protocol)
        factory.noisy = False
        return endpoint.connect(factory)  # type: ignore[no-any-return]

    async def pair(
        self, kind: type[Recorder] = HalfRecorder, prepare: Callable[[Any], object] | None = None
    ) -> tuple[Any, Any]:
        """Two of our own sockets: the accepted recorder and the connecting one."""
        accepting = Accepting(kind)
        if prepare is not None:
            accepting.prepare = prepare
        port = await self.listen(accepting)
        accepted = accepting.next()
        client = kind()
        await self.connect(port.getHost(), client)
        server = await accepted
        for recorder in (server, client):
            self.addCleanup(recorder.gone)
        return server, client

    async def plainPeer(
        self,
        kind: type[Recorder] = HalfRecorder,
        prepare: Callable[[Any], object] | None = None,
        receiveBuffer: int = 0,
    ) -> tuple[Any, socket.socket]:
        """One of ours, accepted, and a blocking socket of the kernel's at the other end."""
        accepting = Accepting(kind)
        if prepare is not None:
            accepting.prepare = prepare
        port = await self.listen(accepting)
        accepted = accepting.next()
        peer = socket.socket()
        self.addCleanup(peer.close)
        if receiveBuffer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receiveBuffer)
        peer.settimeout(10)
        peer.connect((port.getHost().host, port.getHost().port))
        server = await accepted
        self.addCleanup(server.gone)
        return server, peer

    def boundary(self) -> Deferred[None]:
        """Fires at the end of the current event, after what was posted before."""
        done: Deferred[None] = Deferred()
        self.turn.post(lambda: done.callback(None))
        return done

    def nextPoll(self) -> Deferred[None]:
        """Fires when the reactor has polled once in full."""
        done: Deferred[None] = Deferred()
        self.turn.afterPoll(lambda: done.callback(None))
        return done


def reset(sock: socket.socket) -> None:
    """Close with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def receiveAll(sock: socket.socket) -> bytes:
    """Everything until the end of stream; blocks."""
    chunks = []
    while chunk := sock.recv(MIB):
        chunks.append(chunk)
    return b"".join(chunks)


def streamOver(sock: socket.socket, sockets: ReactorSockets, protocol: Any) -> StreamSocket:
    """A StreamSocket of a socket that the test made itself, begun."""
    sock.setblocking(False)
    stream = StreamSocket(sock, sockets._context, None, ANY_PORT)
    stream.begin(protocol)
    return stream
