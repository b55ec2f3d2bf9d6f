"""
Endpoints over internal connections: no sockets, no ports, no bootstrap needed.

Envoy: network/client_connection factories for EnvoyInternal addresses (there a connect is confirmed
one poll after the listener has accepted it: `afterPoll`).
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
from twisted_envoy.internal.turn import TurnQueue


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
        afterPoll: confirm connections after the reactor has polled once, as Envoy does, and not
            when the current event has ended; what fails at once is told then, too, and has
            `atOnce`.
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
        afterPoll: bool = False,
    ) -> None:
        self._registry = getRegistry(reactor) if registry is None else registry
        self._address = InternalAddress(name, endpointID)
        self._passthrough = passthrough
        self._hops = hops
        self._afterPoll = afterPoll
        self._localAddress = CLIENT_ADDRESS if localAddress is None else localAddress

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Connect; the server end is accepted now, the connection is confirmed later.

        Returns:
            A Deferred.  It has already failed with ConnectionRefusedError (EINVAL) when nobody
            listens or the server end is closed at once (unless afterPoll), and fails so when it is
            closed before the connection is confirmed; but what the server wrote is delivered first,
            always.
        """
        protocolFactory.doStart()
        attempt = _Connecting(_cancelled)
        self._begin(attempt, protocolFactory, self._passthrough)
        transport = attempt.transport
        if transport is None:
            protocolFactory.doStop()
        else:
            transport.factory = protocolFactory
        return attempt

    def begin(self, user: ConnectUser, passthrough: object = None) -> ConnectAttempt:
        """
        The same for a user: it may have been told of a failure when this returns.

        Args:
            passthrough: of this connection only, in place of the endpoint's.
        """
        attempt = _Begun()
        self._begin(attempt, user, passthrough or self._passthrough)
        return attempt

    def _begin(self, attempt: _Attempt, user: Any, passthrough: object) -> None:
        registry = self._registry
        attempt.user = user
        attempt.address = self._address
        attempt.transport = attempt.problem = None
        turn = attempt.turn = registry.turn
        # Before the accept: what is connected in there is confirmed after this connection.
        if self._afterPoll:
            turn.afterPoll(attempt.confirm)
        else:
            turn._pending.append(attempt.confirm)
            if not turn._depth:
                turn.rouse()
        try:
            attempt.transport = registry.connect(
                self._address, self._localAddress, passthrough, self._hops
            )
        except BaseException:
            # In no local variable: the traceback has this frame, and they would be a cycle.
            if self._afterPoll:
                attempt.problem = failureOf()
                attempt.problem.value.atOnce = True  # type: ignore[union-attr]
            else:
                attempt.end(user, failureOf())


def accepted(client: InternalTransport, user: ConnectUser, turn: TurnQueue) -> ConnectAttempt:
    """
    An attempt whose server's end goes on by itself already: confirmed after the next poll.

    Args:
        client: its end, not started.
    """
    attempt = _Begun()
    attempt.user = user
    attempt.address = client.getPeer()
    attempt.transport = client
    attempt.problem = None
    attempt.turn = turn
    turn.afterPoll(attempt.confirm)
    return attempt


class _Attempt:
    """
    A connection that is accepted and not yet confirmed.

    Attributes:
        transport: of the client's end; None before it is there, and when nobody waits any more.
        user: builds the protocol; None: it is over.
        problem: why there is no connection, for `confirm` to tell.
        address: of the listener.
        turn: where it waits.
    """

    __slots__ = ("address", "problem", "transport", "turn", "user")

    address: InternalAddress
    problem: Failure | None
    transport: InternalTransport | None
    turn: TurnQueue
    user: Any

    def confirm(self) -> None:
        """Start the client's end, unless the server's is closed or the attempt is cancelled."""
        transport = self.transport
        user = self.user
        if transport is None:
            self._confirmNothing()
            return
        if transport.control and transport.isRefused():
            transport.discard()
            text = f"{self.address} closed the connection before it was confirmed"
            self.end(user, failureOf(refused(text)))
            return
        try:
            protocol = user.buildProtocol(self.address)
            if protocol is None:
                raise NoProtocol()
            if self.user is None:  # cancelled by buildProtocol
                return
            transport.start(protocol)
        except BaseException:
            if self.user is not None:
                if not transport.isStarted():
                    transport.discard()
                self.end(user, failureOf())
            return
        if self.user is not None:  # not cancelled by connectionMade
            self.user = self.transport = None
            self.made(user, protocol)

    def _confirmNothing(self) -> None:
        if self.problem is not None:
            self.end(self.user, self.problem)
        elif self.user is not None:  # somebody's event ended inside the accept
            self.turn.post(self.confirm)

    def end(self, user: Any, reason: Failure) -> None:
        """Tell user that there is no connection."""
        self.user = self.transport = self.problem = None
        self.failed(user, reason)

    def withdraw(self) -> None:
        """Nobody wants it any more."""
        transport = self.transport
        self.user = self.transport = self.problem = None
        if transport is not None:
            if transport.isStarted():  # cancelled by connectionMade
                transport.abortConnection()
            else:
                transport.discard()

    def made(self, user: Any, protocol: IProtocol) -> None:
        """Tell user of the connection."""
        raise NotImplementedError

    def failed(self, user: Any, reason: Failure) -> None:
        """Tell user of the failure."""
        raise NotImplementedError


class _Begun(_Attempt):
    """One whose ConnectUser is told by calls."""

    __slots__ = ()

    def made(self, user: ConnectUser, protocol: IProtocol) -> None:
        user.connected(protocol)

    def failed(self, user: ConnectUser, reason: Failure) -> None:
        user.connectFailed(reason)

    cancel = _Attempt.withdraw


class _Connecting(_Attempt, Deferred[IProtocol]):
    """One that somebody waits for with this Deferred; user is a factory."""

    __slots__ = ()

    def made(self, user: IProtocolFactory, protocol: IProtocol) -> None:
        self.callback(protocol)

    def failed(self, user: IProtocolFactory, reason: Failure) -> None:
        self.errback(reason)


def _cancelled(attempt: Deferred[IProtocol]) -> None:
    assert isinstance(attempt, _Connecting)
    error = ConnectingCancelledError(attempt.address)  # type: ignore[no-untyped-call]
    attempt.errback(error)
    attempt.withdraw()
