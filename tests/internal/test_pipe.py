"""
Tests for twisted_envoy.internal.pipe.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.internal.support import Push
from twisted_envoy.internal.pipe import JOINED, SMALL, Pipe, makePipes


def fill(pipe: Pipe, chunks: list[bytes]) -> None:
    """Write chunks, as an end does."""
    for chunk in chunks:
        pipe.append(chunk)
        pipe.size += len(chunk)


class TakeTests(SynchronousTestCase):
    """Joining small chunks."""

    def test_bigIsPassedByReference(self) -> None:
        """A chunk that is not small is never joined or copied."""
        pipe, _ = makePipes(1024)
        big = b"b" * SMALL
        fill(pipe, [big, b"s", big])
        self.assertIs(pipe.take(3)[0], big)
        self.assertEqual(pipe.take(2), (b"s", 1))
        self.assertIs(pipe.take(1)[0], big)
        self.assertEqual(pipe.size, 0)

    def test_smallAreJoined(self) -> None:
        """Small chunks that follow each other become one, up to a limit and to the budget."""
        pipe, _ = makePipes(1024)
        fill(pipe, [b"a", b"b", b"c"])
        self.assertEqual(pipe.take(2), (b"ab", 2))
        fill(pipe, [b"x" * (SMALL - 1)] * 9)
        data, taken = pipe.take(10)
        self.assertLessEqual(len(data), JOINED)
        self.assertGreater(taken, 2)

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.integers(1, 3 * SMALL), max_size=30), st.integers(1, 7))
    def test_nothingIsLost(self, sizes: list[int], budget: int) -> None:
        """Whatever the sizes, the bytes come out in order and the size ends at zero."""
        pipe, _ = makePipes(1024)
        chunks = [bytes([number % 256]) * size for number, size in enumerate(sizes)]
        fill(pipe, chunks)
        out = []
        while pipe:
            allowed = min(budget, len(pipe))
            data, taken = pipe.take(allowed)
            self.assertLessEqual(taken, allowed)
            out.append(data)
        self.assertEqual(b"".join(out), b"".join(chunks))
        self.assertEqual(pipe.size, 0)


class WatermarkTests(SynchronousTestCase):
    """The thresholds that the ends compare with."""

    def test_pushProducer(self) -> None:
        """A push producer has one threshold at a time: to pause, or to go on."""
        pipe, _ = makePipes(1000)
        push = Push()
        pipe.register(push, True)
        self.assertEqual((pipe.pauseAbove, pipe.wakeBelow), (1000, -1))
        pipe.pause()
        self.assertGreater(pipe.pauseAbove, 10**9)
        self.assertEqual(pipe.wakeBelow, 500)
        pipe.wake()
        pipe.wake()
        self.assertEqual((pipe.pauseAbove, pipe.wakeBelow), (1000, -1))
        self.assertEqual(push.calls, ["pause", "resume"])

    def test_pausedAtOnce(self) -> None:
        """A push producer that is registered above the watermark is paused."""
        pipe, _ = makePipes(10)
        fill(pipe, [b"x" * 11])
        push = Push()
        pipe.register(push, True)
        self.assertEqual(push.calls, ["pause"])

    def test_moved(self) -> None:
        """Moving the watermarks pauses one that is above, and moves the lower one of one paused."""
        pipe, _ = makePipes(1000)
        push = Push()
        pipe.setHigh(900)
        pipe.register(push, True)
        fill(pipe, [b"x" * 800])
        pipe.setHigh(850)
        self.assertEqual((push.calls, pipe.pauseAbove), ([], 850))
        pipe.setHigh(700)
        self.assertEqual((push.calls, pipe.wakeBelow), (["pause"], 350))
        pipe.setHigh(100)
        self.assertEqual((push.calls, pipe.wakeBelow), (["pause"], 50))

    def test_unregistered(self) -> None:
        """Without a producer there are no thresholds, and wake is nothing."""
        pipe, _ = makePipes(10)
        push = Push()
        pipe.register(push, True)
        pipe.unregister()
        pipe.wake()
        self.assertEqual(push.calls, [])
        self.assertEqual(pipe.wakeBelow, -1)
