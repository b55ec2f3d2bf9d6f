"""
Which sockets a reactor gets.

    the reactor                        its sockets
    watches descriptors, on Linux      ours (`ReactorSockets`); with an epoll of our own inside it
                                       where the reactor is one of epoll
    is anything else                   Twisted's transports (`TransportSockets`)
"""

from __future__ import annotations

import select
from typing import Any

from twisted.internet.interfaces import IReactorFDSet, IReactorTCP

from twisted_envoy.internal.turn import TurnQueue
from twisted_envoy.sockets.endpoints import ReactorSockets
from twisted_envoy.sockets.interfaces import ISocketInterface

SWITCH = "twisted_envoy.sockets.twisted_transports"
"""The runtime key that wants Twisted's transports everywhere."""


def socketsFor(reactor: Any, turn: TurnQueue, transports: bool = False) -> ISocketInterface:
    """
    The sockets of a reactor.

    Args:
        turn: the reactor's TurnQueue (`internal.getRegistry(reactor).turn`).
        transports: want Twisted's, wherever it is.
    """
    if transports or not canWatch(reactor):
        from twisted_envoy.sockets.transports.endpoints import TransportSockets

        return TransportSockets(reactor, turn)
    return ReactorSockets(reactor, turn)


def canWatch(reactor: Any) -> bool:
    """Whether sockets of ours can live there; a reactor without connections is a test's."""
    if not IReactorTCP.providedBy(reactor):
        return True
    return hasattr(select, "epoll") and IReactorFDSet.providedBy(reactor)
