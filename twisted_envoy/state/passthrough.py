"""
What one internal connection carries from its client's side to its listener.

Follows Envoy's `PassthroughState`: made by internal_upstream when it connects, merged once into the
new connection's StreamInfo before any listener filter runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twisted_envoy.state.filter_state import Entry
from twisted_envoy.state.stream_info import StreamInfo


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

    Attributes:
        tunnelResponse: left by the listener's side before it closes, for the client's side to read
            once its connection is lost; None while there is nothing to tell. Both ends'
            `transport.passthrough` are this object.
    """

    __slots__ = ("metadata", "shared", "tunnelResponse")

    def __init__(
        self,
        metadata: Mapping[str, dict[str, object]],
        shared: tuple[tuple[str, Entry], ...] = (),
    ) -> None:
        self.metadata = metadata
        self.shared = shared
        self.tunnelResponse: TunnelResponse | None = None

    def mergeInto(self, streamInfo: StreamInfo) -> None:
        """Give everything to a connection that was just accepted."""
        for namespace, struct in self.metadata.items():
            streamInfo.dynamicMetadata[namespace] = dict(struct)
        if self.shared:
            streamInfo.filterState.adopt(self.shared)
