"""Tests for `twisted_envoy.server.workers.balance`."""

from __future__ import annotations

import socket

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.workers.balance import isTaken, program, shareEvenly

COUNT = 400  # four standard deviations, should the kernel number its ports at random


class BalanceTests(SynchronousTestCase):
    """Sockets of one port, and connections to it."""

    def listen(self, count: int, host: str = "127.0.0.1") -> list[socket.socket]:
        """So many of one port."""
        made: list[socket.socket] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        for _ in range(count):
            one = socket.socket(family)
            self.addCleanup(one.close)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind((host, made[0].getsockname()[1] if made else 0))
            one.listen(COUNT)
            one.setblocking(False)
            made.append(one)
        return made

    def spread(self, sockets: list[socket.socket]) -> list[int]:
        """How many of COUNT connections each gets."""
        for _ in range(COUNT):
            address = sockets[0].getsockname()[:2]
            self.addCleanup(socket.create_connection(address).close)
        return [len(list(self.accepted(one))) for one in sockets]

    def accepted(self, listening: socket.socket) -> list[socket.socket]:
        """What waits."""
        found: list[socket.socket] = []
        while True:
            try:
                found.append(listening.accept()[0])
            except BlockingIOError:
                return found
            self.addCleanup(found[-1].close)

    def test_even(self) -> None:
        """Nobody gets more than three in five of one client's connections."""
        for host in ("127.0.0.1", "::1"):
            sockets = self.listen(2, host)
            if not shareEvenly(sockets, alone=True):
                self.assertEqual(sum(self.spread(sockets)), COUNT)  # as the kernel likes
                continue
            spread = self.spread(sockets)
            self.assertEqual(sum(spread), COUNT)
            self.assertLessEqual(max(spread), COUNT * 0.6, spread)

    def test_notAlone(self) -> None:
        """Where others share the port, the kernel's own choice stays."""
        sockets = self.listen(2)
        shareEvenly(sockets, alone=True)
        self.assertFalse(shareEvenly(sockets, alone=False))
        self.assertEqual(sum(self.spread(sockets)), COUNT)

    def test_refused(self) -> None:
        """A socket that cannot is left as it is."""
        closed = socket.socket()
        closed.close()
        self.assertFalse(shareEvenly([closed], alone=True))

    def test_program(self) -> None:
        """Ten instructions of eight bytes, the number of sockets in the last but one."""
        self.assertEqual(len(program(3)), 80)
        self.assertEqual(program(3)[68:72], b"\3\0\0\0")

    def test_taken(self) -> None:
        """An address is taken while somebody listens there."""
        (one,) = self.listen(1)
        port = one.getsockname()[1]
        self.assertTrue(isTaken(IPv4Address("TCP", "127.0.0.1", port)))
        one.close()
        self.assertFalse(isTaken(IPv4Address("TCP", "127.0.0.1", port)))

    def test_never(self) -> None:
        """A port that is still to be chosen is free, and so is what has none."""
        self.assertFalse(isTaken(IPv4Address("TCP", "127.0.0.1", 0)))
        self.assertFalse(isTaken(UNIXAddress(b"/x")))
