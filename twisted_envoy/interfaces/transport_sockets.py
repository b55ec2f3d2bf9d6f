"""How bytes are dressed on the wire: raw, TLS, internal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.interfaces import IStreamClientEndpoint
from zope.interface import Interface

from twisted_envoy.state.filter_state import Entry, FilterStateObject, Shared

if TYPE_CHECKING:
    from twisted_envoy.interfaces.upstream import IHost
    from twisted_envoy.state.proxy_protocol import ProxyProtocolState
    from twisted_envoy.state.stream_info import StreamInfo


class TransportSocketOptions(NamedTuple):
    """
    What a downstream connection asks of the upstream connection made for it.

    Attributes:
        shared: filter state that goes along (`FilterState.shared`), in any order.
        hops: internal hops that the downstream connection has behind it.
        metadata: dynamic metadata that goes along; None: none, as in Envoy.
        protocols: for ALPN to offer, the best first, when the config names none.
        proxy: for a header of the PROXY protocol; None where none is sent, or nobody is behind it.
        onlyProtocols: for ALPN to offer, whatever the config names.
        serverName: for TLS to ask for, whatever the config names; empty: as the config says.
        subjectNames: one of them the server's certificate must have; empty: as the config says.
    """

    shared: Collection[tuple[str, Entry]] = ()
    hops: int = 0
    metadata: Mapping[str, dict[str, object]] | None = None
    protocols: tuple[bytes, ...] = ()
    proxy: ProxyProtocolState | None = None
    onlyProtocols: tuple[bytes, ...] = ()
    serverName: str = ""
    subjectNames: tuple[str, ...] = ()

    def hashKey(self) -> Hashable:
        """What separates pools: the shared objects that can be hashed, in the order of names."""
        shared = self.shared
        if not shared:
            return ()
        if not isinstance(shared, Shared):
            shared = Shared(dict(shared))
        return shared.hashKey()

    def isolationKey(self) -> Hashable:
        """What separates pools that never mix: each object and all metadata that goes along."""
        keys = [(name, entry.sharing, _valueKey(entry.value)) for name, entry in self.shared]
        return (tuple(sorted(keys, key=_nameOf)), _frozen(self.metadata))


_nameOf = itemgetter(0)


def _valueKey(value: FilterStateObject) -> Hashable:
    """Equal for objects that show the same; without any text each object is one of a kind."""
    shown = value.hashKey()
    if shown is None:
        shown = value.plainText()
    return (type(value), id(value) if shown is None else shown)


def _frozen(value: object) -> Hashable:
    """A JSON-like value in a form that can be a key; numbers are apart from flags."""
    if isinstance(value, Mapping):
        return ("{}", frozenset((key, _frozen(one)) for key, one in value.items()))
    if isinstance(value, (list, tuple)):
        return ("[]", tuple(map(_frozen, value)))
    return (type(value), value)


class IDownstreamTransportSocketFactory(Interface):
    """Dresses accepted connections."""

    def wrapper() -> Callable[[Any, StreamInfo], Any] | None:
        """
        What makes of an accepted transport the one that the chain gets; None when bytes go as
        they are. It sets itself as the accepted transport's protocol.
        """


class IUpstreamTransportSocketFactory(Interface):
    """Dresses connections to hosts."""

    def connectorFor(
        host: IHost, options: TransportSocketOptions, passthrough: object | None = None
    ) -> IStreamClientEndpoint:
        """
        An endpoint whose Deferred fires when bytes may flow (after any handshake).

        Args:
            passthrough: carried along unseen by an internal connection; kernel sockets drop it.
        """

    def hashKey(options: TransportSocketOptions) -> Hashable:
        """What of the options separates connection pools."""

    def placeOnWire(
        place: Callable[[IUpstreamTransportSocketFactory], IUpstreamTransportSocketFactory],
    ) -> IUpstreamTransportSocketFactory:
        """
        Put something between this and the plain connections below it.

        Args:
            place: makes of the socket of the plain connections the one to use instead.
        Returns:
            This, or what place made of it when its bytes are those of the wire.
        """
