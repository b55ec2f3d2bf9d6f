"""
Tests for twisted_envoy.internal.turn.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.internal.turn import MAX_ROUNDS, NotSettled, TurnQueue


class OnePass(Clock):
    """
    A clock that runs its timers as a reactor does: those added meanwhile wait for the next pass.
    """

    def runTimers(self) -> None:
        due, self.calls = self.calls, []
        for call in due:
            call.called = 1
            call.func(*call.args, **call.kw)


class TurnQueueTestCase(SynchronousTestCase):
    """A queue on a clock, and a list of what ran."""

    def setUp(self) -> None:
        self.clock = OnePass()
        self.turn = TurnQueue(self.clock)
        self.ran: list[object] = []

    def note(self, what: object) -> Callable[[], None]:
        return lambda: self.ran.append(what)


class PostTests(TurnQueueTestCase):
    """post, enter and leave."""

    def test_order(self) -> None:
        """What is posted runs later, in order, with one timer for all."""
        for number in range(3):
            self.turn.post(self.note(number))
        self.assertEqual(self.ran, [])
        self.assertEqual(len(self.clock.calls), 1)

        self.clock.runTimers()
        self.assertEqual(self.ran, [0, 1, 2])
        self.assertEqual(self.clock.calls, [])

    def test_postedWhileDraining(self) -> None:
        """What is posted by something that runs comes in the same turn, after the others."""
        self.turn.post(lambda: (self.turn.post(self.note("late")), self.ran.append("early"))[1])
        self.turn.post(self.note("other"))
        self.clock.runTimers()
        self.assertEqual(self.ran, ["early", "other", "late"])

    def test_bounded(self) -> None:
        """One that posts itself for ever gives the reactor its turn after 64 rounds."""

        def again() -> None:
            self.ran.append(1)
            self.turn.post(again)

        self.turn.post(again)
        self.clock.runTimers()
        self.assertEqual(len(self.ran), MAX_ROUNDS)
        self.assertEqual(len(self.clock.calls), 1)
        self.clock.runTimers()
        self.assertEqual(len(self.ran), 2 * MAX_ROUNDS)

    def test_errorIsLogged(self) -> None:
        """One that raises is logged; the others run."""
        self.turn.post(self.note(1))
        self.turn.post(lambda: 1 // 0)  # type: ignore[arg-type,return-value]
        self.turn.post(self.note(2))
        self.clock.runTimers()
        self.assertEqual(self.ran, [1, 2])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_dispatcher(self) -> None:
        """Between enter and leave nothing runs and no timer is set; the last leave runs all."""
        self.turn.enter()
        self.turn.post(self.note(1))
        self.turn.enter()
        self.turn.post(self.note(2))
        self.turn.leave()
        self.assertEqual((self.ran, self.clock.calls), ([], []))

        self.turn.leave()
        self.assertEqual(self.ran, [1, 2])
        self.assertEqual(self.clock.calls, [])

    def test_leaveInsideDrain(self) -> None:
        """A dispatcher that runs inside a drain does not drain again."""

        def dispatch() -> None:
            self.turn.enter()
            self.turn.post(self.note("posted"))
            self.turn.leave()
            self.ran.append("dispatched")

        self.turn.post(dispatch)
        self.clock.runTimers()
        self.assertEqual(self.ran, ["dispatched", "posted"])

    def test_timerInsideDispatcher(self) -> None:
        """A timer that fires while a dispatcher is at work leaves the work to leave()."""
        self.turn.post(self.note(1))
        self.turn.enter()
        self.clock.runTimers()
        self.assertEqual(self.ran, [])
        self.turn.leave()
        self.assertEqual(self.ran, [1])

    def test_drainedBeforeTimer(self) -> None:
        """A timer set before a dispatcher drained finds nothing to do."""
        self.turn.post(self.note(1))
        self.turn.enter()
        self.turn.leave()
        self.assertEqual(self.ran, [1])
        self.clock.runTimers()
        self.assertEqual(self.ran, [1])


class AfterPollTests(TurnQueueTestCase):
    """afterPoll: in a reactor a pass of timers comes before each poll."""

    def test_wholePoll(self) -> None:
        """What is asked for between polls runs in the second pass, with one timer for all."""
        self.turn.afterPoll(self.note(1))
        self.turn.afterPoll(self.note(2))
        self.assertEqual(len(self.clock.calls), 1)
        self.clock.runTimers()
        self.assertEqual(self.ran, [])
        self.assertEqual(len(self.clock.calls), 1)
        self.clock.runTimers()
        self.assertEqual(self.ran, [1, 2])
        self.assertEqual(self.clock.calls, [])

    def test_ahead(self) -> None:
        """What the kernel answered comes before what waited already."""
        self.turn.afterPoll(self.note(1))
        self.turn.afterPoll(self.note(2), ahead=True)
        self.clock.runTimers()
        self.clock.runTimers()
        self.assertEqual(self.ran, [2, 1])

    def test_askedBetweenTicks(self) -> None:
        """One that comes after the first pass waits for its own poll."""
        self.turn.afterPoll(self.note(1))
        self.clock.runTimers()
        self.turn.afterPoll(self.note(2))
        self.clock.runTimers()
        self.assertEqual(self.ran, [1])
        self.clock.runTimers()
        self.assertEqual(self.ran, [1, 2])

    def test_askedByTimer(self) -> None:
        """What a posted call of a timer asks for runs in the next pass: a poll is between."""
        self.turn.post(lambda: self.turn.afterPoll(self.note(1)))
        self.clock.runTimers()
        self.assertEqual(self.ran, [])
        self.clock.runTimers()
        self.assertEqual(self.ran, [1])

    def test_askedByTick(self) -> None:
        """The same for one asked for by another that has waited."""
        self.turn.afterPoll(lambda: self.turn.afterPoll(self.note(1)))
        self.clock.runTimers()
        self.clock.runTimers()
        self.assertEqual(self.ran, [])
        self.clock.runTimers()
        self.assertEqual(self.ran, [1])

    def test_tickDueInThisPass(self) -> None:
        """If a tick is due in the same pass of timers, it does not run what was just asked for."""
        self.turn.post(lambda: self.turn.afterPoll(self.note("late")))
        self.turn.afterPoll(self.note("early"))
        self.clock.runTimers()  # the post, then the first tick
        self.assertEqual(self.ran, [])
        self.clock.runTimers()
        self.assertIn("early", self.ran)

        self.ran.clear()
        self.turn.afterPoll(self.note("early"))
        self.clock.runTimers()
        self.turn.post(lambda: self.turn.afterPoll(self.note("late")))
        self.clock.calls.reverse()  # the post's timer runs before the tick that is due
        self.clock.runTimers()
        self.assertNotIn("late", self.ran)
        self.clock.runTimers()
        self.clock.runTimers()
        self.assertEqual(self.ran[-1], "late")

    def test_drainsInTheSameTurn(self) -> None:
        """What is posted by one that has waited runs in the same turn; errors are logged."""
        self.turn.afterPoll(lambda: 1 // 0)  # type: ignore[arg-type,return-value]
        self.turn.afterPoll(lambda: self.turn.post(self.note(1)))
        self.clock.runTimers()
        self.clock.runTimers()
        self.assertEqual(self.ran, [1])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class Busy:
    """Posts itself for ever."""

    def __init__(self, post: Callable[[Callable[[], None]], None]) -> None:
        self.post = post

    def __repr__(self) -> str:
        return "<the busy one>"

    def run(self) -> None:
        self.post(self.run)


class PumpTests(SynchronousTestCase):
    """Settling under a Clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.turn = TurnQueue(self.clock)
        self.ran: list[object] = []

    def test_settles(self) -> None:
        """Posted calls, waits for polls and the clock's own calls of no delay are all run."""
        self.turn.post(lambda: self.turn.afterPoll(lambda: self.ran.append("polled")))
        self.clock.callLater(0, lambda: self.turn.post(lambda: self.ran.append("posted")))
        self.clock.callLater(1, self.ran.append, "later")
        self.assertGreater(self.turn.pump(self.clock), 0)
        self.assertEqual(self.ran, ["posted", "polled"])
        self.assertEqual(self.turn.pump(self.clock), 0)
        self.assertEqual(self.clock.seconds(), 0)

    def test_namesTheBusyOne(self) -> None:
        """What does not settle is an error that names who; its work is not lost."""
        busy = Busy(self.turn.post)
        self.turn.post(busy.run)
        error = self.assertRaises(NotSettled, self.turn.pump, self.clock, 20)
        self.assertEqual(str(error), "still busy after 20 rounds: <the busy one>")
        self.assertEqual(len(self.clock.calls), 1)

    def test_namesTheOneThatWaitsForPolls(self) -> None:
        """The same for one that waits for polls for ever."""
        busy = Busy(self.turn.afterPoll)
        busy.run()
        error = self.assertRaises(NotSettled, self.turn.pump, self.clock, 20)
        self.assertIn("<the busy one>", str(error))
        self.assertEqual(len(self.clock.calls), 1)
