"""
Endpoints over internal connections: no sockets, no ports, no bootstrap needed.

Envoy: network/client_connection factories for EnvoyInternal addresses (a connect is confirmed one
poll after the listener has accepted it).
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, execute
from twisted.internet.error import ConnectingCancelledError, NoProtocol
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_envoy.internal.address import CLIENT_ADDRESS, InternalAddress
from twisted_envoy.internal.end import failureOf
from twisted_envoy.internal.interfaces import ConnectAttempt, ConnectUser
from twisted_envoy.internal.registry import Registry, getRegistry, refused
from twisted_envoy.internal.transport import InternalTransport


@implementer(IStreamServerEndpoint)
class InternalServerEndpoint:
    """
    Listens under a name.

    Args:
        registry: whose namespace; None: the reactor's.
        bufferSize: high watermark of each receive buffer, 1 KiB to 8 MiB; None: the registry's.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        name: str,
        registry: Registry | None = None,
        bufferSize: int | None = None,
    ) -> None:
        self._registry = getRegistry(reactor) if registry is None else registry
        self._name = name
        self._bufferSize = bufferSize

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        See IStreamServerEndpoint; fails with CannotListenError when the name is taken.
        """
        return execute(self._registry.listen, self._name, protocolFactory, self._bufferSize)


@implementer(IStreamClientEndpoint)
class InternalClientEndpoint:
    """
    Connects to a listener's name.

    Args:
        endpointID: told to the server as part of its own address; never looked up.
        passthrough: given to the server's transport, as it is.
        hops: of the connection that this one is opened for (`transport.hops`); 0: none.
        registry: whose namespace; None: the reactor's.
        localAddress: what the server sees as its peer; None: `envoy://internal_client_address/`.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        name: str,
        endpointID: str = "",
        passthrough: object = None,
        hops: int = 0,
        registry: Registry | None = None,
        localAddress: InternalAddress | None = None,
    ) -> None:
        self._registry = getRegistry(reactor) if registry is None else registry
        self._address = InternalAddress(name, endpointID)
        self._passthrough = passthrough
        self._hops = hops
        self._localAddress = CLIENT_ADDRESS if localAddress is None else localAddress

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Connect; the server end is accepted now, the connection is confirmed after one poll.

        Returns:
            A Deferred.  It has already failed with ConnectionRefusedError (EINVAL) when nobody
            listens or the server end is closed at once, and fails so when it is closed before the
            connection is confirmed; but what the server wrote is delivered first, always.
        """
        protocolFactory.doStart()
        attempt = _Attempt(protocolFactory, self._address)
        done = attempt.done = Deferred(attempt.cancelled)
        self._begin(attempt)
        return done

    def begin(self, user: ConnectUser) -> ConnectAttempt:
        """The same for a user: it may have been told of a failure when this returns."""
        attempt = _Attempt(user, self._address)
        self._begin(attempt)
        return attempt

    def _begin(self, attempt: _Attempt) -> None:
        registry = self._registry
        # Before the accept: what is connected in there is confirmed after this connection.
        registry.turn.afterPoll(attempt.confirm)
        try:
            attempt.transport = registry.connect(
                self._address, self._localAddress, self._passthrough, self._hops
            )
        except BaseException:
            attempt.refused()


class _Attempt:
    """
    A connection that is accepted and not yet confirmed.

    Args:
        user: a ConnectUser; with a Deferred, a factory, stopped when the connection is lost or was
            never made.

    Attributes:
        transport: of the client's end; None before it is there, and when nobody waits any more.
        done: what somebody waits with; None when the user is told by calls.
    """

    __slots__ = ("_address", "_user", "done", "transport")

    def __init__(self, user: Any, address: InternalAddress) -> None:
        self.transport: InternalTransport | None = None
        self.done: Deferred[IProtocol] | None = None
        self._user: Any = user  # None: it is over
        self._address = address

    def confirm(self) -> None:
        """Start the client's end, unless the server's is closed or the attempt is cancelled."""
        transport = self.transport
        user = self._user
        if transport is None or user is None:  # nobody took it, or it was cancelled
            return
        if transport.isRefused():
            self._giveUp(transport, user)
            text = f"{self._address} closed the connection before it was confirmed"
            self._fail(user, failureOf(refused(text)))
            return
        try:
            protocol = user.buildProtocol(self._address)
            if protocol is None:
                raise NoProtocol()
        except BaseException:
            if self._user is not None:
                self._giveUp(transport, user)
                self._fail(user, failureOf())
            return
        if self._user is not None:  # not cancelled by buildProtocol
            self._start(transport, user, protocol)

    def _start(self, transport: InternalTransport, user: Any, protocol: Any) -> None:
        done = self.done
        if done is not None:
            transport.factory = user
        try:
            transport.start(protocol)
        except BaseException:
            if self._user is not None:
                self._fail(user, failureOf())
            return
        if self._user is None:  # cancelled by connectionMade
            return
        self._user = self.transport = self.done = None
        if done is None:
            user.connected(protocol)
        else:
            done.callback(protocol)

    def refused(self) -> None:
        """It was not accepted, for the exception that is being handled."""
        user = self._user
        if self.done is not None:
            user.doStop()
        if user is not None:
            self._fail(user, failureOf())

    def _fail(self, user: Any, reason: Failure) -> None:
        done = self.done
        self._user = self.transport = self.done = None
        if done is None:
            user.connectFailed(reason)
        else:
            done.errback(reason)

    def _giveUp(self, transport: InternalTransport, user: Any) -> None:
        transport.discard()
        if self.done is not None:
            user.doStop()

    def cancel(self) -> None:
        """Nobody wants it any more."""
        transport, user = self.transport, self._user
        self._user = self.transport = None
        if transport is not None:
            if transport.isStarted():  # cancelled by connectionMade
                transport.abortConnection()
            else:
                self._giveUp(transport, user)
        self.done = None

    def cancelled(self, done: Deferred[IProtocol]) -> None:
        """The same, by the Deferred."""
        done.errback(ConnectingCancelledError(self._address))  # type: ignore[no-untyped-call]
        self.cancel()
