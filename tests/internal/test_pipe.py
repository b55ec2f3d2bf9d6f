"""
Tests for twisted_envoy.internal.pipe.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.internal.support import Push
from twisted_envoy.internal.pipe import JOINED, NEVER, SMALL, Chunks, Pipe, chunksOf


def joined(chunks: list[bytes]) -> Chunks:
    """What waits when chunks were written."""
    waiting = chunksOf(chunks[0])
    for chunk in chunks[1:]:
        waiting.add(chunk)
    return waiting


class Written(Pipe):
    """A pipe of which a test says how full it is."""

    bufferedBytes = 0


def pipeOf(high: int) -> Written:
    """Make one without a producer."""
    pipe = Written()
    pipe._high = high
    pipe._unregister()
    return pipe


class TakeTests(SynchronousTestCase):
    """Joining small chunks."""

    def test_bigIsPassedByReference(self) -> None:
        """A chunk that is not small is never joined or copied."""
        big = b"b" * SMALL
        chunks = joined([big, b"s", big])
        self.assertIs(chunks.take(3)[0], big)
        self.assertEqual(chunks.take(2), (b"s", 1))
        self.assertIs(chunks.take(1)[0], big)
        self.assertEqual(chunks.size, 0)

    def test_smallAreJoined(self) -> None:
        """Small chunks that follow each other become one, up to a limit and to the budget."""
        chunks = joined([b"a", b"b", b"c"])
        self.assertEqual(chunks.take(2), (b"ab", 2))
        for _ in range(9):
            chunks.add(b"x" * (SMALL - 1))
        data, taken = chunks.take(10)
        self.assertLessEqual(len(data), JOINED)
        self.assertGreater(taken, 2)

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.integers(1, 3 * SMALL), min_size=1, max_size=30), st.integers(1, 7))
    def test_nothingIsLost(self, sizes: list[int], budget: int) -> None:
        """Whatever the sizes, the bytes come out in order and the size ends at zero."""
        written = [bytes([number % 256]) * size for number, size in enumerate(sizes)]
        chunks = joined(written)
        self.assertEqual(chunks.size, sum(sizes))
        out = []
        while chunks:
            allowed = min(budget, len(chunks))
            data, taken = chunks.take(allowed)
            self.assertLessEqual(taken, allowed)
            out.append(data)
        self.assertEqual(b"".join(out), b"".join(written))
        self.assertEqual(chunks.size, 0)


class WatermarkTests(SynchronousTestCase):
    """The thresholds that the ends compare with."""

    def test_pushProducer(self) -> None:
        """A push producer has one threshold at a time: to pause, or to go on."""
        pipe = pipeOf(1000)
        push = Push()
        pipe._register(push, True)
        self.assertEqual((pipe._pauseAbove, pipe._wakeBelow), (1000, -1))
        pipe._pause()
        self.assertEqual(pipe._pauseAbove, NEVER)
        self.assertEqual(pipe._wakeBelow, 500)
        pipe._wake()
        pipe._wake()
        self.assertEqual((pipe._pauseAbove, pipe._wakeBelow), (1000, -1))
        self.assertEqual(push.calls, ["pause", "resume"])

    def test_pausedAtOnce(self) -> None:
        """A push producer that is registered above the watermark is paused."""
        pipe = pipeOf(10)
        pipe.bufferedBytes = 11
        push = Push()
        pipe._register(push, True)
        self.assertEqual(push.calls, ["pause"])

    def test_moved(self) -> None:
        """Moving the watermarks pauses one that is above, and moves the lower one of one paused."""
        pipe = pipeOf(1000)
        push = Push()
        pipe._setHigh(900)
        pipe._register(push, True)
        pipe.bufferedBytes = 800
        pipe._setHigh(850)
        self.assertEqual((push.calls, pipe._pauseAbove), ([], 850))
        pipe._setHigh(700)
        self.assertEqual((push.calls, pipe._wakeBelow), (["pause"], 350))
        pipe._setHigh(100)
        self.assertEqual((push.calls, pipe._wakeBelow), (["pause"], 50))

    def test_unregistered(self) -> None:
        """Without a producer there are no thresholds, and wake is nothing."""
        pipe = pipeOf(10)
        push = Push()
        pipe._register(push, True)
        pipe._unregister()
        pipe._wake()
        self.assertEqual(push.calls, [])
        self.assertEqual(pipe._wakeBelow, -1)
