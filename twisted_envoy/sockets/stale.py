"""
Telling news of a descriptor from news of the one that had its number before.

A reactor takes the events of a poll in one go. When one of them closes a socket and another opens
one, the new socket can get the old one's number, and with it what was still to be told of the old
one: that there is something to read, or that the peer has hung up. Reading and writing find out by
themselves; before a connection is given up its own descriptor is asked.
"""

from __future__ import annotations

import select
import socket

from twisted.internet import main
from twisted.python.failure import Failure


def isStale(sock: socket.SocketType, reason: Failure) -> bool:
    """
    Whether a reactor's word that a socket is lost is about another one.

    Args:
        reason: what the reactor gave; when it stops it means every socket.
    """
    if reason.value is main.CONNECTION_LOST:
        return False
    poller = select.poll()
    poller.register(sock, 0)
    return not poller.poll(0)
