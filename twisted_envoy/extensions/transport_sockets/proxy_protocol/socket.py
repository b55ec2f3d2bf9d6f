"""
The transport socket itself: the header goes onto the wire, before whatever the nested socket says.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Protocol
from zope.interface import implementer

from twisted_envoy.extensions.transport_sockets.proxy_protocol.header import (
    HeaderSettings,
    headerOf,
)
from twisted_envoy.interfaces.transport_sockets import (
    IUpstreamTransportSocketFactory,
    TransportSocketOptions,
)
from twisted_envoy.interfaces.upstream import IHost
from twisted_envoy.state.addresses import addressText
from twisted_envoy.state.proxy_protocol import ProxyProtocolState

_Place = Callable[[IUpstreamTransportSocketFactory], IUpstreamTransportSocketFactory]


@implementer(IUpstreamTransportSocketFactory)
class UpstreamProxyProtocol:
    """
    Is its nested socket, below which there are headers.

    Attributes:
        sendsProxyHeader: options should say who is behind a connection.
        passesMetadata, supportsALPN, isTLS: of the nested socket.
    """

    sendsProxyHeader = True

    def __init__(self, inner: IUpstreamTransportSocketFactory) -> None:
        self._inner = inner
        self.passesMetadata: bool = getattr(inner, "passesMetadata", False)
        self.supportsALPN: bool = getattr(inner, "supportsALPN", False)
        self.isTLS: bool = getattr(inner, "isTLS", False)

    def connectorFor(
        self, host: IHost, options: TransportSocketOptions, passthrough: object | None = None
    ) -> IStreamClientEndpoint:
        return self._inner.connectorFor(host, options, passthrough)

    def hashKey(self, options: TransportSocketOptions) -> Hashable:
        return self._inner.hashKey(options)

    def placeOnWire(self, place: _Place) -> IUpstreamTransportSocketFactory:
        self._inner = self._inner.placeOnWire(place)
        return self


@implementer(IUpstreamTransportSocketFactory)
class HeaderOnWire:
    """
    Plain connections that begin with a header.

    Args:
        raw: makes the connections.
    """

    def __init__(self, settings: HeaderSettings, raw: IUpstreamTransportSocketFactory) -> None:
        self._settings = settings
        self._raw = raw

    def connectorFor(
        self, host: IHost, options: TransportSocketOptions, passthrough: object | None = None
    ) -> IStreamClientEndpoint:
        endpoint = self._raw.connectorFor(host, options, passthrough)
        return _HeaderEndpoint(endpoint, self._settings, host, options.proxy)

    def hashKey(self, options: TransportSocketOptions) -> Hashable:
        told = options.proxy
        ends = None if told is None else (addressText(told.source), addressText(told.target))
        return (self._raw.hashKey(options), ends)

    def placeOnWire(self, place: _Place) -> IUpstreamTransportSocketFactory:
        self._raw = self._raw.placeOnWire(place)
        return self


@implementer(IStreamClientEndpoint)
class _HeaderEndpoint:
    __slots__ = ("_endpoint", "_host", "_settings", "_told")

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        settings: HeaderSettings,
        host: IHost,
        told: ProxyProtocolState | None,
    ) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._host = host
        self._told = told

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        connecting: Deferred[Any] = self._endpoint.connect(_Factory(protocolFactory, self))
        return connecting.addCallback(_following)

    def headerFor(self, transport: Any) -> bytes:
        """The header of one connection."""
        return headerOf(self._settings, self._host, self._told, transport)


def _following(header: _Header) -> object:
    return header.following


@implementer(IProtocolFactory)
class _Factory:
    """Has the header written before the protocol of another factory begins."""

    noisy = False

    __slots__ = ("_endpoint", "_factory")

    def __init__(self, factory: IProtocolFactory, endpoint: _HeaderEndpoint) -> None:
        self._factory = factory
        self._endpoint = endpoint

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()

    def buildProtocol(self, addr: IAddress) -> _Header | None:
        following: Any = self._factory.buildProtocol(addr)
        return None if following is None else _Header(following, self._endpoint)


class _Header(Protocol):
    """The first protocol of a connection: writes, and steps aside."""

    def __init__(self, following: Any, endpoint: _HeaderEndpoint) -> None:
        self.following = following
        self._endpoint = endpoint

    def makeConnection(self, transport: Any) -> None:
        header = self._endpoint.headerFor(transport)
        if header:
            transport.write(header)
        transport.protocol = self.following
        self.following.makeConnection(transport)
