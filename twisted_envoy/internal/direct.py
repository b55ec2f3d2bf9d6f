"""
Bytes that are given to a connection's other end within the event, and not when it has ended.

For those who write where nobody can tell: from a call of a codec's that ends with it, and not out
of anything that the other end has said.  What would make a difference takes the pipe: bytes that
wait, a reader that pauses or ends, a producer that waits, a second time in a turn.

Envoy: the scheduled callbacks of extensions/io_socket/user_space/io_handle_impl.cc, left out
"""

from __future__ import annotations

from twisted_envoy.internal.end import End


class Direct:
    """
    The short way from one end of a connection to the protocol of the other.

    Args:
        end: where one would write.
    """

    __slots__ = ("_end", "_round")

    def __init__(self, end: End) -> None:
        self._end = end
        self._round = -1

    def give(self, data: bytes) -> bool:
        """
        Have the peer's protocol take data now.

        Args:
            data: not empty.
        Returns:
            False, and nothing was done: it has to be written.
        """
        end = self._end
        peer = end._sink
        rounds = end._turn.rounds
        if (
            peer is None
            or peer._waiting is not None
            or not peer._reading
            or peer._scheduled
            or peer.control
            or end._wakeBelow >= 0
            or len(data) > end._pauseAbove
            or rounds == self._round
        ):
            return False
        self._round = rounds
        peer._scheduled = True  # what it is told by whoever it calls comes after this
        try:
            peer.protocol.dataReceived(data)
        except BaseException:
            peer._failed()
        peer._scheduled = False
        if peer._waiting is not None or peer.control:
            peer._schedule()
        return True
