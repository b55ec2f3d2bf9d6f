"""The idle timer and the back-off."""

from __future__ import annotations

import gc
import random
import weakref

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.timers import Backoff, IdleTimer


class IdleTimerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.fired: list[float] = []

    def timer(self, timeout: float | None = 10.0) -> IdleTimer:
        return IdleTimer(self.clock, timeout, lambda: self.fired.append(self.clock.seconds()))

    def test_firesWhenNothingHappens(self) -> None:
        """Once, after the timeout."""
        self.timer().start()

        self.clock.advance(9.9)
        before = list(self.fired)
        self.clock.advance(0.1)
        self.clock.advance(100)

        self.assertEqual(before, [])
        self.assertEqual(self.fired, [10.0])

    def test_activityPutsItOff(self) -> None:
        """The timeout counts from the last activity, with no timer work at activity."""
        timer = self.timer()
        timer.start()

        self.clock.advance(4)
        timer.lastActivity = self.clock.seconds()
        calls = len(self.clock.getDelayedCalls())
        self.clock.advance(6)
        before = list(self.fired)
        self.clock.advance(4)

        self.assertEqual((calls, before), (1, []))
        self.assertEqual(self.fired, [14.0])

    def test_startedTwice(self) -> None:
        """A second start is activity, not a second timer."""
        timer = self.timer()
        timer.start()
        self.clock.advance(5)

        timer.start()

        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(5)
        self.assertEqual(self.fired, [])
        self.clock.advance(5)
        self.assertEqual(self.fired, [15.0])

    def test_stopped(self) -> None:
        """Stopping leaves nothing in the reactor; it may be done at any time."""
        timer = self.timer()
        timer.stop()
        timer = self.timer()
        timer.start()

        timer.stop()
        timer.stop()

        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stoppedLetsGo(self) -> None:
        """A stopped timer does not keep its owner."""

        class Owner:
            def __init__(self, clock: Clock) -> None:
                self.timer = IdleTimer(clock, 1, self.idle)

            def idle(self) -> None: ...

        owner = Owner(self.clock)
        kept = weakref.ref(owner)
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)

        owner.timer.start()
        owner.timer.stop()
        del owner

        self.assertIsNone(kept())

    def test_restarted(self) -> None:
        """A stopped timer may be given something to call, and started again."""
        timer = self.timer()
        timer.start()
        timer.stop()

        timer.idle = lambda: self.fired.append(-1)
        timer.start()
        self.clock.advance(10)

        self.assertEqual(self.fired, [-1])

    def test_callbackReplacedWhileItRuns(self) -> None:
        """Whoever is `idle` when it fires is called."""
        timer = self.timer()
        timer.start()

        timer.idle = lambda: self.fired.append(-1)
        self.clock.advance(10)

        self.assertEqual(self.fired, [-1])

    def test_withoutTimeout(self) -> None:
        """No timeout is no timer."""
        for timeout in (0, None, 0.0):
            self.timer(timeout).start()

        self.assertEqual(self.clock.getDelayedCalls(), [])

    @settings(max_examples=60, deadline=None)
    @given(
        st.floats(0.001, 1e4),
        st.lists(st.tuples(st.floats(0, 2e4), st.booleans()), max_size=12),
    )
    def test_neverEarlyNeverLate(self, timeout: float, steps: list[tuple[float, bool]]) -> None:
        """It fires in the first moment without activity for the timeout, whatever the steps."""
        clock = Clock()
        fired: list[float] = []
        timer = IdleTimer(clock, timeout, lambda: fired.append(clock.seconds()))
        timer.start()
        last = 0.0

        for step, active in steps:
            clock.advance(step)
            over = clock.seconds() - last >= timeout
            if fired or over:
                break
            if active:
                timer.lastActivity = last = clock.seconds()

        self.assertEqual(bool(fired), clock.seconds() >= last + timeout)


class BackoffTests(SynchronousTestCase):
    def test_boundsDouble(self) -> None:
        """Each wait is below a bound that doubles up to the largest."""

        class Highest:
            def random(self) -> float:
                return 0.5

        backoff = Backoff(Highest(), 0.025, 0.25)

        waits = [backoff.next() for _ in range(6)]
        backoff.reset()

        self.assertEqual(waits, [0.0125, 0.025, 0.05, 0.1, 0.125, 0.125])
        self.assertEqual(backoff.next(), 0.0125)

    @settings(max_examples=60, deadline=None)
    @given(st.integers(), st.floats(0.001, 100), st.floats(0.001, 1000), st.integers(1, 2000))
    def test_staysInBounds(self, seed: int, base: float, most: float, times: int) -> None:
        """However often, a wait is not negative and below the largest."""
        backoff = Backoff(random.Random(seed), base, most)

        for count in range(times):
            wait = backoff.next()
            self.assertTrue(0 <= wait < most)
            if count < 60:
                self.assertLess(wait, base * 2**count)
