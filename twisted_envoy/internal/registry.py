"""
Who listens under which name: one namespace, one registry a reactor.

Envoy: bootstrap.internal_listener.v3.InternalListener
"""

from __future__ import annotations

import errno
from weakref import WeakKeyDictionary, proxy

from twisted.internet.error import ConnectError, ConnectionRefusedError
from twisted.internet.interfaces import IProtocolFactory, IReactorTime

from twisted_envoy.internal.address import CLIENT_ADDRESS, InternalAddress
from twisted_envoy.internal.end import NOBODY
from twisted_envoy.internal.port import InternalPort
from twisted_envoy.internal.transport import InternalTransport, makePair, settle
from twisted_envoy.internal.turn import TurnQueue

#: Bounds and default of a receive buffer, in bytes.
MIN_BUFFER_SIZE = 1024
MAX_BUFFER_SIZE = 8 * 1024 * 1024
DEFAULT_BUFFER_SIZE = 1024 * 1024


def checkBufferSize(size: int) -> int:
    """
    Raises:
        ValueError: size is not one that a receive buffer may have.
    Units: bytes.
    Envoy: bootstrap.internal_listener.v3.InternalListener.buffer_size_kb (1 to 8192)
    """
    if not MIN_BUFFER_SIZE <= size <= MAX_BUFFER_SIZE:
        raise ValueError(
            f"a buffer size must be {MIN_BUFFER_SIZE} to {MAX_BUFFER_SIZE} bytes, not {size}"
        )
    return size


class Registry:
    """
    The internal listeners of one reactor, and how to connect to them.

    A connection opened while another is being accepted is one hop further than that one; so is
    one opened with `hops` of a transport it is opened for.  A chain that closes on itself ends
    with a ConnectError.

    Args:
        reactor: anything with `callLater`.
        bufferSize: high watermark of each receive buffer of a new connection, in bytes.
    Attributes:
        turn: the TurnQueue of all its connections.
        maxHops: how many connections may follow one from the other.
        maxNested: how many may be opened, on all levels, while one is being accepted.
        sockets: of the `sockets:` strings, once there are some.
    """

    def __init__(self, reactor: IReactorTime, bufferSize: int = DEFAULT_BUFFER_SIZE) -> None:
        self.turn = TurnQueue(reactor)
        self.maxHops = 32
        self.maxNested = 1024
        self.sockets: object = None
        self.bufferSize = bufferSize
        self._reactor = reactor
        self._names: dict[str, InternalPort] = {}
        self._accepting: InternalTransport | None = None  # the server's end, innermost
        self._outer: list[str] = []  # names of those in which that one is accepted, outermost first
        self._nested = 0

    @property
    def bufferSize(self) -> int:
        """High watermark of each receive buffer of a new connection, in bytes."""
        return self._bufferSize

    @bufferSize.setter
    def bufferSize(self, size: int) -> None:
        self._bufferSize = checkBufferSize(size)

    def listen(
        self, name: str, factory: IProtocolFactory, bufferSize: int | None = None
    ) -> InternalPort:
        """
        Accept connections to name with factory.

        Args:
            bufferSize: for the connections of this listener; None: the registry's.
        Raises:
            CannotListenError: another listener has the name.
            ValueError: bufferSize is out of its range.
        """
        if bufferSize is not None:
            checkBufferSize(bufferSize)
        port = InternalPort(self._reactor, self._names, name, factory, bufferSize)
        port.startListening()
        return port

    def find(self, name: str) -> InternalPort | None:
        """The port that listens under name, if any."""
        return self._names.get(name)

    def connect(
        self,
        address: InternalAddress,
        localAddress: InternalAddress = CLIENT_ADDRESS,
        passthrough: object = None,
        hops: int = 0,
    ) -> InternalTransport:
        """
        Open a connection: its server end is accepted before this returns.  Endpoints do this and
        then, after a poll, start the end they got.

        Args:
            passthrough: given to both transports.
            hops: of the connection this one is opened for; 0: none.
        Returns:
            The client's end, not started.
        Raises:
            ConnectionRefusedError: nobody listens, or the server end was closed while it was
                accepted and nothing was written to it (errno EINVAL, as in Envoy).
            ConnectError: too many hops (errno ELOOP), or too many connections in one accept.
        """
        port = self._names.get(address.name)
        if port is None:
            raise refused(f"nobody listens on {address}")
        outer = self._accepting
        hops = 1 if outer is None and not hops else self._nextHop(address, hops)
        size = port.bufferSize or self._bufferSize
        client, server = makePair(self.turn, address, localAddress, size, hops, passthrough)
        self._accepting = server
        try:
            protocol = port.factory.buildProtocol(localAddress)
            if protocol is not None:
                server.start(protocol)
        except BaseException:
            port.logFailure()
        finally:
            self._accepting = outer
            if outer is None:
                self._nested = 0
            else:
                self._outer.pop()
        if server.protocol is NOBODY and server.connected or client.control and client.isRefused():
            client.discard()
            raise refused(f"{address} closed the connection while accepting it")
        return client

    def joined(
        self,
        address: InternalAddress,
        passthrough: object,
        hops: int,
        ended: tuple[bool, bool] = (False, False),
        unread: bytes = b"",
        confirmed: bool = True,
    ) -> tuple[InternalTransport, InternalTransport]:
        """
        The two ends of a connection that was accepted, and is at rest.

        Their protocols are to be set.

        Args:
            ended: the client's stream, and the server's: both sides know already.
            unread: what the client has written, while the server's end is paused.
            confirmed: False: the client's end is not started.
        """
        size = self.bufferSizeOf(address)
        pair = makePair(self.turn, address, CLIENT_ADDRESS, size, hops, passthrough)
        settle(pair, ended, unread, confirmed)
        return pair

    def bufferSizeOf(self, address: InternalAddress) -> int:
        """High watermark of each receive buffer of a new connection to address, in bytes."""
        port = self._names.get(address.name)
        return (None if port is None else port.bufferSize) or self._bufferSize

    def _nextHop(self, address: InternalAddress, hops: int) -> int:
        """Check that there may be one more; its hops.  What it is accepted in is remembered."""
        outer = self._accepting
        if outer is not None:
            hops = max(hops, outer.hops)
            self._outer.append(outer.getHost().name)
        try:
            self._checkHop(address, hops + 1)
        except ConnectError:
            if outer is not None:
                self._outer.pop()
            raise
        return hops + 1

    def _checkHop(self, address: InternalAddress, hops: int) -> None:
        path = self._outer
        if hops > self.maxHops:
            names = " -> ".join([*path[-4:], address.name])
            raise _loop(
                f"internal connection to {address} would be hop {hops}, "
                f"the limit is {self.maxHops}: ... -> {names}"
            )
        self._nested += 1
        if self._nested > self.maxNested:
            raise _loop(
                f"internal connection to {address} would be number {self._nested} opened while "
                f"one to {path[0]} is accepted, the limit is {self.maxNested}"
            )


def refused(text: str) -> ConnectionRefusedError:
    """Make the error of a connection that nobody took, with Envoy's errno."""
    return ConnectionRefusedError(errno.EINVAL, text)  # type: ignore[no-untyped-call]


def _loop(text: str) -> ConnectError:
    return ConnectError(errno.ELOOP, text)  # type: ignore[no-untyped-call]


class _Registries:
    """The registry of each reactor; gone when the reactor is."""

    def __init__(self) -> None:
        self._weak: WeakKeyDictionary[IReactorTime, Registry] = WeakKeyDictionary()
        self._strong: dict[int, tuple[IReactorTime, Registry]] = {}  # by id(reactor)

    def get(self, reactor: IReactorTime) -> Registry:
        try:
            registry = self._weak.get(reactor)
            if registry is None:
                # The value must not keep its key: the registry sees the reactor through a proxy.
                registry = self._weak[reactor] = Registry(proxy(reactor))
        except TypeError:  # cannot be referred to weakly, or hashed
            held = self._strong.setdefault(id(reactor), (reactor, Registry(reactor)))
            registry = held[1]
        return registry


_registries = _Registries()


def getRegistry(reactor: IReactorTime) -> Registry:
    """
    The registry that `internal:` strings use under reactor: the same one each time.
    """
    return _registries.get(reactor)
