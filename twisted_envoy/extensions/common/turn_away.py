"""
Connections that a network filter does not let through: closed at once, or some time later.

Envoy: delay_deny of RBAC, delay of connection_limit
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_envoy.network.link import Link


def turnAway(
    link: Link, reason: str, delay: float, reactor: IReactorTime, close: Callable[[], None]
) -> IDelayedCall | None:
    """
    Close a link's connection.

    Args:
        reason: of the close, as access logs tell it.
        delay: seconds to wait, 0 for none.
        close: ends the connection.
    Returns:
        What waits, see `stopWaiting`; None where nothing does.
    """

    def over() -> None:
        link.chain.streamInfo.localCloseReason = reason
        close()

    if not delay:
        over()
        return None
    link.pauseProducing()  # what is unread when it closes makes that a reset, as in Envoy
    return reactor.callLater(delay, over)


def stopWaiting(timer: IDelayedCall | None) -> None:
    """The connection is gone before its time."""
    if timer is not None and timer.active():
        timer.cancel()
