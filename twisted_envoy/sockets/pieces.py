"""Bytes in pieces that wait for a socket to take them."""

from __future__ import annotations

import errno
import os
import socket
from collections import deque
from itertools import islice
from typing import Any

from twisted_envoy.sockets.splicing import Piped

AGAIN = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR, errno.ENOBUFS})
"""Error numbers that say: not now."""

_MOST = min(64, os.sysconf("SC_IOV_MAX")) if hasattr(os, "sysconf") else 1


def sendPieces(sock: socket.SocketType, pieces: deque[Any]) -> int:
    """
    Send what the kernel takes, and drop it.

    Args:
        pieces: bytes, and what is left of some; only the first can be Piped.
    Returns:
        How many bytes.
    Raises:
        OSError: it takes no more, ever.
    """
    taken = 0
    while pieces:
        try:
            if pieces[0].__class__ is Piped:
                sent = pieces[0].moveTo(sock.fileno())
            elif len(pieces) == 1:
                sent = sock.send(pieces[0])
            else:
                sent = sock.sendmsg(list(islice(pieces, _MOST)))
        except OSError as problem:
            if problem.errno not in AGAIN:
                raise
            break
        taken += sent
        if not _forget(pieces, sent):
            break
    return taken


def _forget(pieces: deque[Any], sent: int) -> bool:
    """Drop `sent` bytes; False when the kernel stopped inside a piece."""
    if pieces[0].__class__ is Piped:
        if pieces[0].size:
            return False
        pieces.popleft()
        return True
    while sent:
        first = pieces[0]
        size = len(first)
        if sent < size:
            pieces[0] = memoryview(first)[sent:]
            return False
        pieces.popleft()
        sent -= size
    return True


def checked(data: object) -> bytes:
    """
    Bytes that nobody changes.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"data must be bytes, not {type(data).__name__}")
