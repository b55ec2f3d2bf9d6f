"""
What one internal connection carries from its client's side to its listener.

Follows Envoy's `PassthroughState`: made by internal_upstream when it connects, merged once into the
new connection's StreamInfo before any listener filter runs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from twisted_envoy.state.filter_state import Entry, FilterState, adopted
from twisted_envoy.state.inner_hop import INNER_HOP, InnerHop
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.values import dataclass


@dataclass(frozen=True, slots=True)
class HopSwitches:
    """
    What hops do more than Envoy's.

    Attributes:
        tellsBack: the client's side may read what the listener's side learns.
        lendsMetadata: requests on the internal connection begin with its dynamic metadata.
        passesMetadata: dynamic metadata goes along, not only that of the config.
    """

    tellsBack: bool = False
    lendsMetadata: bool = False
    passesMetadata: bool = False


ALL_OFF = HopSwitches()
"""As Envoy."""


@dataclass(frozen=True, slots=True)
class TunnelResponse:
    """
    Why a tunnel could not be opened for an internal connection, as HTTP says it.

    Attributes:
        status: of the refusal; 504 when there was no answer in time.
        reason: a few words, or empty.
    """

    status: int
    reason: str = ""


class Passthrough:
    """
    Host and cluster metadata by namespace, and shared filter state objects by reference.

    Args:
        metadata: namespace -> JSON-like dict; not copied, never changed by the receiver's filters.
        shared: what `FilterState.shared` gave.
        switches: what goes beyond that.

    Attributes:
        inner: what the listener's side learns, to read at any time; None unless it tells.
        tunnelResponse: left by the listener's side before it closes, for the client's side to read
            once its connection is lost; None while there is nothing to tell. Both ends'
            `transport.passthrough` are this object.
    """

    __slots__ = ("_switches", "inner", "metadata", "shared", "tunnelResponse")

    def __init__(
        self,
        metadata: Mapping[str, dict[str, object]],
        shared: Collection[tuple[str, Entry]] = (),
        switches: HopSwitches = ALL_OFF,
    ) -> None:
        self.metadata = metadata
        self.shared = shared
        self.inner: InnerHop | None = None
        self._switches = switches
        self.tunnelResponse: TunnelResponse | None = None

    def mergeInto(self, streamInfo: StreamInfo) -> None:
        """Give everything to a connection that was just accepted."""
        for namespace, struct in self.metadata.items():
            streamInfo.dynamicMetadata[namespace] = dict(struct)
        if self.shared:
            if streamInfo.state is None:
                streamInfo.state = adopted(self.shared)
            else:
                streamInfo.state.adopt(self.shared)
        switches = self._switches
        if switches is not ALL_OFF:
            streamInfo.lendsMetadata = switches.lendsMetadata
            if switches.tellsBack:
                self.inner = InnerHop(streamInfo)


def upstreamState(
    shared: Collection[tuple[str, Entry]], passthrough: Passthrough | None
) -> FilterState | None:
    """
    The filter state of a new upstream connection: `%UPSTREAM_FILTER_STATE%`.

    Args:
        shared: what the downstream side gave.
        passthrough: of an internal connection, None of others.
    """
    inner = None if passthrough is None else passthrough.inner
    if inner is None and not shared:
        return None
    state = adopted(shared)
    if inner is not None:
        state.set(INNER_HOP, inner)
    return state
