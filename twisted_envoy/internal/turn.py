"""
The event boundary: what is posted during an event runs when that event has ended.

One queue a reactor.  Nothing in it is ever run from inside `post`, so a protocol's callback is
never re-entered.  Only `callLater` of the reactor is used, so `task.Clock` does as well.

Envoy: Event::Dispatcher (deferred callbacks, SchedulableCallback::scheduleCallbackNextIteration)
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.logger import Logger

_log = Logger()

#: Rounds of one drain before the reactor gets its turn back.
MAX_ROUNDS = 64


class NotSettled(Exception):
    """
    Something posts for ever; the text names who.
    """


class TurnQueue:
    """
    Callables waiting for the current event to end.

    Args:
        reactor: anything with `callLater`.

    Attributes:
        rounds: how often what was posted has been run.
    """

    __slots__ = (
        "_reactor",
        "_pending",
        "_depth",
        "_armed",
        "_fresh",
        "_polled",
        "_ticking",
        "_pumping",
        "_inTimer",
        "rounds",
    )

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self._pending: list[Callable[[], None]] = []
        self._depth = 0  # dispatchers at work, a running drain included: they drain, no timer
        self._armed = False
        self._fresh: list[Callable[[], None]] = []  # not yet sure of a whole poll
        self._polled: list[Callable[[], None]] = []  # the next tick comes after a whole poll
        self._ticking = False
        self._pumping = False
        self._inTimer = False  # called by a timer: the next one comes after a poll
        self.rounds = 0

    def post(self, call: Callable[[], None]) -> None:
        """
        Run call at the event boundary, after all that was posted before it.
        """
        self._pending.append(call)
        if not self._depth:
            self.rouse()

    def rouse(self) -> None:
        """
        No dispatcher is at work: a timer runs what was posted.

        An end posts its peer's turn by itself, with this: a call to `post` is what its writes can
        do without.
        """
        if not self._armed:
            self._arm()

    def enter(self) -> None:
        """
        A dispatcher begins an event; it promises a `leave()`.  Nests.
        """
        self._depth += 1

    def leave(self) -> None:
        """
        The event has ended: the outermost `leave()` runs what was posted, in this turn.
        """
        self._depth -= 1
        if self._pending and not self._depth:
            self._drain()

    @property
    def isWaitedFor(self) -> bool:
        """Somebody waits for the reactor's next poll."""
        return self._ticking

    def afterPoll(self, call: Callable[[], None], ahead: bool = False) -> None:
        """
        Run call after the reactor has polled once in full.

        A reactor runs `callLater(0)` before its next poll, except when called by a timer; so this
        takes two timers in a row, or one.  All who wait share them.

        Args:
            ahead: before all who wait already: what the kernel answered comes before what is
                confirmed in the process, as it would had the poll told of it.
        """
        waiting = self._polled if self._inTimer else self._fresh
        if ahead:
            waiting.insert(0, call)
        else:
            waiting.append(call)
        if not self._ticking:
            self._armTick()

    def pump(self, clock: Clock, rounds: int = 10_000) -> int:
        """
        Settle everything under a test's clock, without letting time pass.

        Args:
            clock: the Clock this queue was made with.
            rounds: give up after so many.
        Returns:
            How many rounds it took.
        Raises:
            NotSettled: there is still work after that; the text names the busy ends.
        """
        self._depth += 1
        self._pumping = True
        try:
            for count in range(rounds):
                clock.advance(0)
                if self._pending:
                    self._runRounds(1)
                elif self._fresh or self._polled:
                    self._tick()
                else:
                    return count
            raise NotSettled(f"still busy after {rounds} rounds: {self._describe()}")
        finally:
            self._pumping = False
            self._depth -= 1
            if self._pending and not self._armed:
                self._arm()
            if (self._fresh or self._polled) and not self._ticking:
                self._armTick()

    def _describe(self) -> str:
        waiting = [*self._pending, *self._polled, *self._fresh]
        names = dict.fromkeys(repr(getattr(call, "__self__", call)) for call in waiting)
        return ", ".join(names)

    def _arm(self) -> None:
        self._armed = True
        self._reactor.callLater(0, self._onTimer)

    def _onTimer(self) -> None:
        self._armed = False
        if self._pending and not self._depth:
            self._inTimer = not self._ticking  # a tick that is due in this pass would be too early
            self._drain()
            self._inTimer = False

    def _drain(self) -> None:
        self._depth += 1
        self._runRounds(MAX_ROUNDS)
        self._depth -= 1
        if self._pending and not self._armed:
            self._arm()

    def _runRounds(self, rounds: int) -> None:
        while self._pending and rounds:
            rounds -= 1
            self.rounds += 1
            batch = self._pending
            self._pending = []
            for call in batch:
                try:
                    call()
                except BaseException:
                    _logUnhandled()

    def _armTick(self) -> None:
        self._ticking = True
        self._reactor.callLater(0, self._onTick)

    def _onTick(self) -> None:
        self._ticking = False
        if not self._pumping:
            self._inTimer = True
            self._tick()
            self._inTimer = False
            if (self._fresh or self._polled) and not self._ticking:
                self._armTick()

    def _tick(self) -> None:
        ready = self._polled
        self._polled = self._fresh
        self._fresh = []
        self._depth += 1
        ready.reverse()  # and popped: what has run is let go of before the rounds that follow
        while ready:
            try:
                ready.pop()()
            except BaseException:
                _logUnhandled()
        self._depth -= 1
        if self._pending and not self._depth:
            self._drain()


def _logUnhandled() -> None:
    _log.failure("unhandled error at the event boundary")
