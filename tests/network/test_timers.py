"""The idle timer and the back-off."""

from __future__ import annotations

import gc
import random
import weakref

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.timers import Backoff, Deadline, DeadlineQueue, IdleTimer


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


class DeadlineQueueTests(SynchronousTestCase):
    """Many who wait equally long."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.queue = DeadlineQueue(self.clock, 5.0)
        self.heard: list[str] = []

    def add(self, name: str) -> Deadline:
        return self.queue.add(lambda: self.heard.append(name))

    def test_eachIsCalledWhenItsTimeHasPassed(self) -> None:
        """Who came later is called later, with one timer of the reactor at a time."""
        self.add("first")
        self.clock.advance(2)
        self.add("second")
        timers = len(self.clock.getDelayedCalls())

        self.clock.advance(3)
        atFive = list(self.heard)
        self.clock.advance(2)

        self.assertEqual((timers, atFive, self.heard), (1, ["first"], ["first", "second"]))

    def test_cancelledAreNotCalled(self) -> None:
        """Cancelling leaves the others; cancelling twice, or too late, changes nothing."""
        first, second = self.add("first"), self.add("second")
        first.cancel()
        first.cancel()

        self.clock.advance(5)
        second.cancel()

        self.assertEqual(self.heard, ["second"])

    def test_noTimerWhenNobodyWaits(self) -> None:
        """The reactor is left clean, and the next one is waited for as long as ever."""
        self.add("first").cancel()
        left = self.clock.getDelayedCalls()
        self.clock.advance(3)
        self.add("second")
        self.clock.advance(4.9)
        early = list(self.heard)
        self.clock.advance(0.2)

        self.assertEqual((left, early, self.heard), ([], [], ["second"]))

    def test_cancelledOnesAreForgotten(self) -> None:
        """One that waits long does not keep ten thousand that came and went."""
        self.add("stays")
        for _ in range(10_000):
            self.add("goes").cancel()

        self.assertLess(len(self.queue.waiting), 100)
        self.clock.advance(5)
        self.assertEqual(self.heard, ["stays"])

    def test_anErrorIsLoggedAndStaysAlone(self) -> None:
        """One that raises does not keep the others from being called."""
        self.queue.add(lambda: 1 // 0)  # type: ignore[arg-type,return-value]
        self.add("second")

        self.clock.advance(5)

        self.assertEqual(self.heard, ["second"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_idleTimersShareOne(self) -> None:
        """An idle timer waits in the queue first, and by itself for the rest after activity."""
        timer = IdleTimer(self.clock, 5.0, lambda: self.heard.append("idle"), self.queue)
        timer.start()
        self.clock.advance(3)
        timer.lastActivity = self.clock.seconds()

        self.clock.advance(4)
        atSeven = list(self.heard)
        self.clock.advance(1)

        self.assertEqual((atSeven, self.heard), ([], ["idle"]))
        self.assertEqual(self.clock.getDelayedCalls(), [])


class CancelledInTheBatchTests(SynchronousTestCase):
    """Deadlines that are due together."""

    def test_cancelledByOneBefore(self) -> None:
        """One that is cancelled by another that is due at the same time is not called."""
        clock = Clock()
        queue = DeadlineQueue(clock, 1.0)
        called: list[str] = []
        later: list[Deadline] = []
        queue.add(lambda: (called.append("first"), later[0].cancel()))  # type: ignore[arg-type]
        later.append(queue.add(lambda: called.append("second")))

        clock.advance(1)

        self.assertEqual(called, ["first"])
        self.assertEqual(clock.getDelayedCalls(), [])
