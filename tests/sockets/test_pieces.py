"""Tests of twisted_envoy.sockets.pieces; what waits in a pipe: test_splicing."""

from __future__ import annotations

import errno
from collections import deque
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.sockets.pieces import checked, sendPieces


class Kernel:
    """Takes so many bytes at a time, then raises."""

    def __init__(self, takes: list[int], problem: int = errno.EAGAIN) -> None:
        self.takes = takes
        self.problem = problem
        self.taken = b""

    def send(self, data: bytes) -> int:
        if not self.takes:
            raise OSError(self.problem, "no more")
        piece = bytes(data[: self.takes.pop(0)])
        self.taken += piece
        return len(piece)

    def sendmsg(self, pieces: list[bytes]) -> int:
        return self.send(b"".join(pieces))


class PiecesTests(SynchronousTestCase):
    def test_everySplit(self) -> None:
        """What was taken is dropped, and what was not is left, in order."""
        parts = (b"one", b"two", b"three")
        whole = b"".join(parts)
        for first in range(1, len(whole) + 1):
            pieces: deque[Any] = deque(parts)
            kernel: Any = Kernel([first])
            self.assertEqual(sendPieces(kernel, pieces), first)
            self.assertEqual(kernel.taken + b"".join(pieces), whole)
            self.assertTrue(all(pieces))

    def test_goesOn(self) -> None:
        """While whole pieces are taken there may be room for more."""
        kernel: Any = Kernel([3, 3, 2, 9])
        pieces: deque[Any] = deque((b"one", b"two", b"three"))
        self.assertEqual(sendPieces(kernel, pieces), 8)
        self.assertEqual(b"".join(pieces), b"ree")

    def test_many(self) -> None:
        """More than one call takes."""
        pieces: deque[Any] = deque([b"x"] * 1000)
        kernel: Any = Kernel([1000] * 1000)
        self.assertEqual((sendPieces(kernel, pieces), len(pieces)), (1000, 0))

    def test_failure(self) -> None:
        """It is told; not now is no failure."""
        for problem in (errno.EPIPE, errno.ECONNRESET):
            broken: Any = Kernel([], problem)
            self.assertRaises(OSError, sendPieces, broken, deque([b"x"]))
        full: Any = Kernel([])
        self.assertEqual(sendPieces(full, deque([b"x"])), 0)

    def test_checked(self) -> None:
        """Bytes are what they are; what may change is copied; nothing else will do."""
        data = b"data"
        self.assertIs(checked(data), data)
        self.assertEqual(checked(bytearray(data)), data)
        self.assertEqual(checked(memoryview(data)), data)
        self.assertRaises(TypeError, checked, "data")
