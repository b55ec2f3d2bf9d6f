"""Tests of twisted_envoy.sockets.splicing; with a proxy around it: tests/integration."""

from __future__ import annotations

import hashlib
import os
import socket
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.sockets.loopback import PAYLOAD, reset
from tests.sockets.relays import Relay, RelayTestCase
from tests.sockets.test_poller import EPollReactor
from twisted_envoy.sockets.splicing import LEAST, Piped, Pipes, follow, isSupported


class SpliceTests(RelayTestCase):
    if EPollReactor is None or not isSupported:
        skip = "there is no epoll or no splice here"

    def assertSame(self, got: bytes, expected: bytes = PAYLOAD) -> None:
        self.assertEqual(hashlib.sha256(got).digest(), hashlib.sha256(expected).digest())

    def test_bulk(self) -> None:
        """All of it arrives, in order; most of it nobody sees, and all of it is counted."""
        for hops in (0, 1, 3):
            relays, source, target = self.join(hops)
            self.assertSame(self.passOn(source, target, PAYLOAD))

            for relay in relays[::2]:
                self.assertEqual(relay.seen + relay.counted, len(PAYLOAD))
                self.assertGreater(relay.counted, len(PAYLOAD) // 3, hops)
            for relay in relays[1::2]:
                self.assertEqual(relay.seen + relay.counted, 0)

    def test_bothWays(self) -> None:
        """Each direction by itself."""
        relays, source, target = self.join(1)
        self.assertSame(self.passOn(source, target, PAYLOAD))
        self.assertSame(self.passOn(target, source, PAYLOAD))
        self.assertGreater(relays[-1].counted, len(PAYLOAD) // 3)

    def test_small(self) -> None:
        """What is not bulk is not moved like it, and what was ceases to be."""
        relays, source, target = self.join()
        self.passOn(source, target, PAYLOAD)
        for _ in range(100):
            self.passOn(source, target, b"word")
        self.assertIsNone(relays[0].transport._splice)
        self.assertEqual(relays[0].seen + relays[0].counted, len(PAYLOAD) + 400)

    def test_somebodyReads(self) -> None:
        """Whoever wants to see the bytes from now on sees the next one."""
        for hops in (0, 1):
            relays, source, target = self.join(hops)
            reader = relays[-2]
            seen = bytearray()
            since: list[int] = []

            def read(data: bytes, reader: Relay = reader, seen: bytearray = seen) -> None:
                seen.extend(data)
                Relay.relay(reader, data)

            def begin(
                got: int, reader: Relay = reader, since: list[int] = since, read: Any = read
            ) -> None:
                if reader.counted and not since:
                    since.append(reader.seen + reader.counted)
                    reader.dataReceived = read
                    reader.says = False

            self.assertSame(self.passOn(source, target, PAYLOAD, begin))
            self.assertSame(bytes(seen), PAYLOAD[since[0] :])

    def test_nobodySays(self) -> None:
        """A protocol without a passage, anywhere on the way, gets every byte."""
        for quiet in (0, 2):
            relays, source, target = self.join(1)
            relays[quiet].says = False
            self.assertSame(self.passOn(source, target, PAYLOAD))
            self.assertEqual(relays[quiet].seen, len(PAYLOAD))

    def test_targetTakesNothing(self) -> None:
        """What it does not take waits, is counted as kept, and pauses the source; then it flows."""
        relays, source, target = self.join()
        relays[1].transport.setWriteBufferLimit(1)
        self.passOn(source, target, PAYLOAD)
        before = relays[0].seen + relays[0].counted
        sent = bytearray()
        while not relays[1].transport.bufferedBytes:  # the kernel's buffers grow
            try:
                sent += PAYLOAD[: source.send(PAYLOAD)]
            except BlockingIOError:
                pass
            self.poller.doRead()
            self.clock.advance(0)
        kept = relays[1].transport.bufferedBytes
        self.assertGreater(kept, 0)
        self.assertLessEqual(kept, 2 * LEAST)
        self.assertGreater(relays[0].pauses, 0)
        behind = b"written by another, behind all that"
        relays[1].transport.write(behind)
        taken = relays[0].seen + relays[0].counted - before

        got = bytearray()
        while len(got) < taken + len(behind):
            self.poller.doRead()
            self.clock.advance(0)
            try:
                got += target.recv(1 << 20)
            except BlockingIOError:
                pass
        self.assertSame(bytes(got[:taken]), bytes(sent[:taken]))
        self.assertTrue(bytes(got[taken:]).startswith(behind))

    def test_end(self) -> None:
        """The end of stream comes behind the last byte, also of what waits in a pipe."""
        relays, source, target = self.join(1)
        target.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.passOn(source, target, PAYLOAD)
        source.setblocking(True)
        source.settimeout(0.2)
        sent = source.send(PAYLOAD[: 1 << 20])
        source.shutdown(socket.SHUT_WR)
        got = bytearray()
        for _ in range(10_000):
            self.poller.doRead()
            self.clock.advance(0)
            try:
                chunk = target.recv(65536)
            except BlockingIOError:
                continue
            if not chunk:
                break
            got += chunk
        self.assertSame(bytes(got), PAYLOAD[:sent])
        self.assertFalse(relays[0].transport.disconnecting)

    def test_reset(self) -> None:
        """A reset of the source is a loss, not an end."""
        relays, source, target = self.join()
        self.passOn(source, target, PAYLOAD)
        self.assertIsNotNone(relays[0].transport._splice)
        reset(source)
        for _ in range(5):
            self.poller.doRead()
            self.clock.advance(0)
        assert relays[0].lost is not None
        self.assertEqual(relays[0].lost.type.__name__, "ConnectionLost")

    def test_targetGone(self) -> None:
        """Pipes are closed with the target that does not take what is in them."""
        relays, source, target = self.join()
        self.passOn(source, target, PAYLOAD)
        for _ in range(1000):  # the kernel's buffers grow
            try:
                source.send(PAYLOAD)
            except BlockingIOError:
                pass
            self.poller.doRead()
            if relays[1].transport.bufferedBytes:
                break
        self.assertTrue(relays[1].transport.bufferedBytes)
        reset(target)
        source.close()
        for _ in range(5):
            self.poller.doRead()
            self.clock.advance(0)
        relays[0].transport.abortConnection()
        self.clock.advance(0)
        self.context.pipes.close()
        self.assertTrue(relays[1].transport.disconnected)
        self.assertEqual(len(os.listdir("/proc/self/fd")), self.descriptors)

    def test_noPipe(self) -> None:
        """Where no pipe is to be had bytes are read as ever."""

        class None_(Pipes):
            def take(self) -> Any:
                raise OSError(24, "Too many open files")

        self.context.pipes = None_()
        relays, source, target = self.join()
        self.assertSame(self.passOn(source, target, PAYLOAD))
        self.assertEqual((relays[0].seen, relays[0].counted), (len(PAYLOAD), 0))

    def test_toItself(self) -> None:
        """An echo is read."""
        relay, _ = self.make()
        relay.peer = relay
        self.assertIsNone(follow(relay.transport, lambda one: one._out, self.context.pipes))


class PipeTests(SynchronousTestCase):
    if not isSupported:
        skip = "there is no splice here"

    def test_kept(self) -> None:
        """A few empty pipes are kept; all are closed in the end."""
        before = len(os.listdir("/proc/self/fd"))
        pipes = Pipes()
        taken = [pipes.take() for _ in range(6)]
        for ends in taken:
            pipes.give(ends)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before + 8)
        self.assertIn(pipes.take(), taken)
        pipes.give(taken[3])
        pipes.close()

    def test_dropped(self) -> None:
        """What is dropped with bytes in it is closed, once."""
        pipes = Pipes()
        ends = pipes.take()
        os.write(ends[1], b"left")
        piped = Piped(pipes, ends, 4)
        piped.drop()
        piped.drop()
        self.assertEqual(piped.size, 0)
        self.assertRaises(OSError, os.write, ends[1], b"x")
