"""How bytes are dressed on the wire: raw, TLS, internal."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IStreamClientEndpoint
from zope.interface import Interface

if TYPE_CHECKING:
    from twisted_envoy.interfaces.upstream import IHost
    from twisted_envoy.network.link import Link
    from twisted_envoy.state.filter_state import Entry


@dataclass(frozen=True, slots=True)
class TransportSocketOptions:
    """
    What a downstream connection asks of the upstream connection made for it.

    Attributes:
        shared: filter state that goes along (`FilterState.shared`), sorted by name.
        hops: internal hops that the downstream connection has behind it.
    """

    shared: tuple[tuple[str, Entry], ...] = ()
    hops: int = 0

    def hashKey(self) -> Hashable:
        """What separates pools: the shared objects that can be hashed, in the order of names."""
        keys = ((name, entry.value.hashKey()) for name, entry in self.shared)
        return tuple((name, key) for name, key in keys if key is not None)


class IDownstreamTransportSocketFactory(Interface):
    """Dresses accepted connections."""

    def linkMaker() -> Callable[[], Link] | None:
        """What makes the lowest link of a new chain; None when bytes go as they are."""


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
