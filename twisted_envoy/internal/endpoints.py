"""
Endpoints over internal connections: no sockets, no ports, no bootstrap needed.

Envoy: network/client_connection factories for EnvoyInternal addresses (a connect is confirmed one
poll after the listener has accepted it).
"""

from __future__ import annotations

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
from zope.interface import implementer

from twisted_envoy.internal.address import CLIENT_ADDRESS, InternalAddress
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
        registry = self._registry
        address = self._address
        attempt = _Attempt(protocolFactory, address)
        # Before the accept: what is connected in there is confirmed after this connection.
        registry.turn.afterPoll(attempt.confirm)
        try:
            attempt.transport = registry.connect(
                address, self._localAddress, self._passthrough, self._hops
            )
        except BaseException:
            protocolFactory.doStop()
            attempt.deferred.errback()
        return attempt.deferred


class _Attempt:
    """A connection that is accepted and not yet confirmed."""

    __slots__ = ("deferred", "_factory", "_address", "transport")

    def __init__(self, factory: IProtocolFactory, address: InternalAddress) -> None:
        self.transport: InternalTransport | None = None  # or taken back, by a cancel
        self.deferred: Deferred[IProtocol] = Deferred(self._cancel)
        self._factory = factory
        self._address = address

    def confirm(self) -> None:
        """Start the client's end, unless the server's is closed or the attempt is cancelled."""
        transport = self.transport
        if transport is None:  # nobody took it, or it was cancelled
            return
        if transport.isRefused():
            self._giveUp(transport)
            self.deferred.errback(
                refused(f"{self._address} closed the connection before it was confirmed")
            )
            return
        try:
            protocol = self._factory.buildProtocol(self._address)
            if protocol is None:
                raise NoProtocol()
        except BaseException:
            if self.transport is not None:
                self._giveUp(transport)
                self.deferred.errback()
            return
        if self.transport is None:  # cancelled by buildProtocol
            return
        transport.factory = self._factory
        try:
            transport.start(protocol)
        except BaseException:
            if self.transport is not None:
                self.deferred.errback()
        else:
            if self.transport is not None:  # not cancelled by connectionMade
                self.deferred.callback(protocol)

    def _giveUp(self, transport: InternalTransport) -> None:
        transport.discard()
        self._factory.doStop()

    def _cancel(self, deferred: Deferred[IProtocol]) -> None:
        deferred.errback(ConnectingCancelledError(self._address))  # type: ignore[no-untyped-call]
        transport = self.transport
        if transport is None:
            return
        self.transport = None
        if transport.factory is None:
            self._giveUp(transport)
        else:  # cancelled by connectionMade
            transport.abortConnection()
