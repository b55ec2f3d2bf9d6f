"""
RST_STREAM codes and reasons, and which streams ended with one.

Envoy: Http2::ConnectionImpl::onStreamClose, reasonToReset
"""

from __future__ import annotations

from twisted_envoy.codec.h2 import frames
from twisted_envoy.codec.h2.failures import REMOTE_REFUSED, REMOTE_RESET
from twisted_envoy.codec.http import Reset

_MOST = 2048

_CODES = {
    Reset.LOCAL_REFUSED: frames.REFUSED_STREAM,
    Reset.CONNECT_ERROR: frames.CONNECT_ERROR,
    Reset.PROTOCOL_ERROR: frames.PROTOCOL_ERROR,
}
_REASONS = {
    frames.PROTOCOL_ERROR: (Reset.PROTOCOL_ERROR, REMOTE_RESET),
    frames.REFUSED_STREAM: (Reset.REMOTE_REFUSED, REMOTE_REFUSED),
    frames.CONNECT_ERROR: (Reset.CONNECT_ERROR, REMOTE_RESET),
}
_REMOTE = (Reset.REMOTE, REMOTE_RESET)
_DONE = (Reset.REMOTE_NO_ERROR, REMOTE_RESET)


def codeOf(reason: Reset, answered: bool) -> int:
    """
    What the peer is told.

    Args:
        answered: a server has sent its whole response; only the request is cut off.
    """
    if answered and reason is Reset.LOCAL:
        return frames.NO_ERROR
    return _CODES.get(reason, frames.INTERNAL_ERROR)


def reasonOf(code: int, answered: bool = False) -> tuple[Reset, str]:
    """
    What the owner is told, and the details.

    Args:
        answered: the peer had sent its whole response.
    """
    if answered and code == frames.NO_ERROR:
        return _DONE
    return _REASONS.get(code, _REMOTE)


class ResetStreams:
    """
    Streams that were reset lately; frames of theirs may still be on the way.

    Of the oldest only the highest number is kept, and any below it counts as reset by us.
    """

    __slots__ = ("_byUs", "_forgotten")

    def __init__(self) -> None:
        self._byUs: dict[int, bool] = {}
        self._forgotten = 0

    def add(self, streamID: int, byUs: bool) -> None:
        """The stream was reset by us or by the peer."""
        known = self._byUs
        if len(known) >= _MOST:
            oldest = next(iter(known))
            del known[oldest]
            self._forgotten = max(self._forgotten, oldest)
        known[streamID] = byUs

    def byUs(self, streamID: int) -> bool:
        """Frames of it are not the peer's fault."""
        found = self._byUs.get(streamID)
        return streamID <= self._forgotten if found is None else found

    def byPeer(self, streamID: int) -> bool:
        """The peer should know that it is closed."""
        return self._byUs.get(streamID) is False
