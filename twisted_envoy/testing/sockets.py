"""
Kernel sockets without a kernel: an ISocketInterface over the internal pair.

A connection is made as a kernel makes it: confirmed one poll later, whether the listener's factory
takes it or not; refused when nobody listens at that address.
"""

from __future__ import annotations

import errno
import os
from itertools import count
from typing import Any, cast

from twisted.internet import error
from twisted.internet.abstract import isIPAddress
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, execute, succeed
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocolFactory,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.interfaces.sockets import ConnectOptions, ISocketInterface, ListenOptions
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.internal.interfaces import ConnectAttempt, ConnectUser
from twisted_envoy.internal.transport import InternalTransport, makePair
from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.state.addresses import addressText

_log = Logger()

_ANY = {IPv4Address: "0.0.0.0", IPv6Address: "::"}
_LOOPBACK = {IPv4Address: "127.0.0.1", IPv6Address: "::1"}
_FIRST_EPHEMERAL = 49152


def parseAddress(text: str) -> IAddress:
    """
    The address of a text: `1.2.3.4:80`, `[::1]:80`, `/a/path`, `@abstract`, `envoy://name/id`.

    Raises:
        ValueError: it is none of them.
    """
    if text.startswith("envoy://"):
        name, _, endpointID = text[len("envoy://") :].partition("/")
        return InternalAddress(name, endpointID)
    if text.startswith("/"):
        return UNIXAddress(text.encode())
    if text.startswith("@"):
        return UNIXAddress(b"\0" + text[1:].encode())
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal():
        if host.startswith("[") and host.endswith("]"):
            return IPv6Address("TCP", host[1:-1], int(port))
        if isIPAddress(host):
            return IPv4Address("TCP", host, int(port))
    raise ValueError(f"not an address: {text!r}")


@implementer(ISocketInterface)
class MemorySockets:
    """
    Connects clients and listeners of one reactor by address.

    Args:
        turn: delivers what is written (`getRegistry(reactor).turn`).
        bufferSize: bytes that a direction of a connection holds while its writer sets no limit.
    """

    def __init__(self, turn: TurnQueue, bufferSize: int = 1024 * 1024) -> None:
        self.turn = turn
        self.bufferSize = bufferSize
        self._ports: dict[str, _MemoryPort] = {}
        self._silent: set[str] = set()
        self._numbers = count(_FIRST_EPHEMERAL)

    def serverEndpoint(self, address: IAddress, options: ListenOptions) -> IStreamServerEndpoint:
        return _ServerEndpoint(self, address)

    def clientEndpoint(self, address: IAddress, options: ConnectOptions) -> IStreamClientEndpoint:
        return _ClientEndpoint(self, address, options.sourceAddress)

    def silence(self, address: IAddress) -> None:
        """From now on connections to this address are neither made nor refused."""
        self._silent.add(addressText(address))

    # What ports and attempts ask for.

    def isSilent(self, address: IAddress) -> bool:
        """Whether a connection to this address never gets an answer."""
        return addressText(address) in self._silent

    def find(self, address: IAddress) -> _MemoryPort | None:
        """Who listens at this address, or at every address of its port."""
        found = self._ports.get(addressText(address))
        if found is None and isinstance(address, IPv4Address | IPv6Address):
            kind = type(address)
            found = self._ports.get(addressText(kind("TCP", _ANY[kind], address.port)))
        return found

    def bind(self, port: _MemoryPort, address: IAddress) -> IAddress:
        """
        Take an address; port 0 takes a free one.

        Raises:
            CannotListenError: it is taken.
        """
        if isinstance(address, IPv4Address | IPv6Address) and not address.port:
            address = type(address)("TCP", address.host, next(self._numbers))
        key = addressText(address)
        if key in self._ports:
            taken = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            where = getattr(address, "host", None), getattr(address, "port", key)
            raise error.CannotListenError(*where, taken)  # type: ignore[no-untyped-call]
        self._ports[key] = port
        return address

    def release(self, address: IAddress) -> None:
        """Give an address back."""
        self._ports.pop(addressText(address), None)

    def sourceOf(self, address: IAddress, source: tuple[str, int] | None) -> IAddress:
        """What the server sees as its peer."""
        if not isinstance(address, IPv4Address | IPv6Address):
            return UNIXAddress(None)
        host, port = source or ("", 0)
        kind = type(address)
        return kind("TCP", host or _LOOPBACK[kind], port or next(self._numbers))


@implementer(IListeningPort)
class _MemoryPort:
    """Listens at one address."""

    def __init__(self, sockets: MemorySockets, address: IAddress, factory: IProtocolFactory):
        self._sockets = sockets
        self._address = address
        self._factory = factory
        self._listening = False

    def startListening(self) -> None:
        self._address = self._sockets.bind(self, self._address)
        self._listening = True
        self._factory.doStart()

    def stopListening(self) -> Deferred[None]:
        if self._listening:
            self._listening = False
            self._sockets.release(self._address)
            self._factory.doStop()
        return succeed(None)

    def getHost(self) -> IAddress:
        return self._address

    def accept(self, server: InternalTransport) -> None:
        """Start the server's end; a factory that wants no connection closes it."""
        try:
            protocol: Any = self._factory.buildProtocol(cast(IAddress, server.getPeer()))
            if protocol is None:
                server.start(cast(Any, Protocol()))
                server.loseConnection()
            else:
                server.start(protocol)
        except Exception:
            _log.failure("unhandled error while {port} accepts", port=addressText(self._address))
            server.abortConnection()


@implementer(IStreamServerEndpoint)
class _ServerEndpoint:
    def __init__(self, sockets: MemorySockets, address: IAddress) -> None:
        self._sockets = sockets
        self._address = address

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        port = _MemoryPort(self._sockets, self._address, protocolFactory)
        return execute(port.startListening).addCallback(lambda _: port)


@implementer(IStreamClientEndpoint)
class _ClientEndpoint:
    def __init__(
        self, sockets: MemorySockets, address: IAddress, source: tuple[str, int] | None
    ) -> None:
        self._sockets = sockets
        self._address = address
        self._source = source

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        attempt = _Attempt(self._sockets, self._address, self._source, protocolFactory)
        if not self._sockets.isSilent(self._address):
            self._sockets.turn.afterPoll(attempt.confirm)
        return attempt.done

    def begin(self, user: ConnectUser) -> ConnectAttempt:
        """The same for a user."""
        attempt = _Attempt(self._sockets, self._address, self._source, cast(Any, user))
        begun = _Begun(attempt, user)
        if not self._sockets.isSilent(self._address):
            self._sockets.turn.afterPoll(attempt.confirm)
        return begun


class _Begun:
    """An attempt whose ConnectUser is told by calls, unless it has cancelled."""

    def __init__(self, attempt: _Attempt, user: ConnectUser) -> None:
        self._attempt = attempt
        self._user: ConnectUser | None = user
        attempt.done.addCallbacks(self._connected, self._failed)

    def _connected(self, protocol: Any) -> None:
        if self._user is not None:
            self._user.connected(protocol)

    def _failed(self, reason: Failure) -> None:
        if self._user is not None:
            self._user.connectFailed(reason)

    def cancel(self) -> None:
        """See ConnectAttempt."""
        self._user = None
        self._attempt.done.cancel()


class _Attempt:
    """One connection before it is there."""

    def __init__(
        self,
        sockets: MemorySockets,
        address: IAddress,
        source: tuple[str, int] | None,
        factory: IProtocolFactory,
    ) -> None:
        self.done: Deferred[Any] = Deferred(self._cancel)
        self._sockets = sockets
        self._address = address
        self._source = source
        self._factory = factory

    def confirm(self) -> None:
        """The poll is over: connect the two ends, or fail."""
        done = self.done
        if done.called:
            return
        sockets = self._sockets
        port = sockets.find(self._address)
        if port is None:
            code = errno.ECONNREFUSED
            done.errback(error.getConnectError((code, os.strerror(code))))  # type: ignore[no-untyped-call]
            return
        client, server = makePair(
            sockets.turn,
            cast(InternalAddress, self._address),
            cast(InternalAddress, sockets.sourceOf(self._address, self._source)),
            sockets.bufferSize,
        )
        try:
            protocol: Any = self._factory.buildProtocol(self._address)
            if protocol is None:
                raise error.NoProtocol()
        except Exception:
            done.errback()
            client.discard()
            return
        try:
            client.start(protocol)
        except Exception:
            if not done.called:
                done.errback()
        if done.called:  # cancelled while the connection was made, or it raised
            client.abortConnection()
        port.accept(server)
        if not done.called:
            done.callback(protocol)

    def _cancel(self, done: Deferred[Any]) -> None:
        done.errback(error.ConnectingCancelledError(self._address))  # type: ignore[no-untyped-call]
