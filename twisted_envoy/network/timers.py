"""Timers that cost hot code nothing: time-outs of many, the idle time-out, the back-off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

_log = Logger("main")


class TimerReactor(Protocol):
    """What an idle timer asks of a reactor: IReactorTime."""

    def seconds(self) -> float: ...

    def callLater(self, delay: float, callable: Callable[[], None]) -> IDelayedCall: ...


class Random(Protocol):
    """What a back-off asks of a random.Random."""

    def random(self) -> float: ...


def _nothing() -> None:
    return


class Waiter(Protocol):
    """Who waits in a DeadlineQueue; once at a time, by identity."""

    def due(self) -> None:
        """The time is over."""


class Deadline:
    """A call that waits in a DeadlineQueue."""

    __slots__ = ("_queue", "call")

    def __init__(self, queue: DeadlineQueue, call: Callable[[], None]) -> None:
        self._queue = queue
        self.call = call

    def due(self) -> None:
        """See Waiter."""
        call, self.call = self.call, _nothing
        call()

    def cancel(self) -> None:
        """Do not call; once it is over nothing happens."""
        self.call = _nothing
        self._queue.leave(self)


class DeadlineQueue:
    """
    Many who all wait equally long: one timer of the reactor for all of them.

    Who comes later is due later, so a queue is all that it takes: waiting and leaving, as nearly
    all who wait for a time-out do, cost the reactor nothing. When nobody waits there is no timer.
    Who has no time for a call does what `wait` and `leave` do.

    Args:
        reactor: tells and waits for the time.
        delay: seconds.

    Attributes:
        waiting: who waits, in order -> when they are due.
        armed: the reactor's timer, None while nobody waits.
    """

    __slots__ = ("_reactor", "armed", "delay", "waiting")

    def __init__(self, reactor: TimerReactor, delay: float) -> None:
        self._reactor = reactor
        self.delay = delay
        self.waiting: dict[Waiter, float] = {}
        self.armed: IDelayedCall | None = None

    def add(self, call: Callable[[], None], now: float | None = None) -> Deadline:
        """Call when `delay` has passed; what it raises is logged. `now` saves asking for it."""
        deadline = Deadline(self, call)
        self.wait(deadline, self._reactor.seconds() if now is None else now)
        return deadline

    def wait(self, waiter: Waiter, now: float) -> None:
        """The waiter is due when `delay` has passed; it does not wait here yet."""
        self.waiting[waiter] = now + self.delay
        if self.armed is None:
            self.arm()

    def arm(self) -> None:
        """The first one waits."""
        self.armed = self._reactor.callLater(self.delay, self._due)

    def leave(self, waiter: Waiter) -> None:
        """The waiter waits no more; if it does not nothing happens."""
        if self.waiting.pop(waiter, None) is not None and not self.waiting:
            self.disarm()

    def disarm(self) -> None:
        """Nobody waits any more."""
        if self.armed is not None:
            self.armed.cancel()
            self.armed = None

    def _due(self) -> None:
        self.armed = None
        waiting = self.waiting
        now = self._reactor.seconds()
        due: list[Waiter] = []
        for waiter, when in waiting.items():
            if when > now:
                self.armed = self._reactor.callLater(when - now, self._due)
                break
            due.append(waiter)
        for waiter in due:
            if waiting.pop(waiter, None) is None:  # one before it had it leave
                continue
            try:
                waiter.due()
            except Exception:
                _log.failure("a time-out raised")


class IdleTimer:
    """
    Calls back when nothing has happened for a while.

    Hot code only assigns `lastActivity = reactor.seconds()`. The timer looks when it fires, and
    waits for the rest when there was some activity.

    Args:
        reactor: tells and waits for the time.
        timeout: seconds; 0 or None is for ever.
        idle: called once, when it is over; may be assigned anew while the timer runs.
        queue: of all those with the same timeout; None for a timer of its own.
    """

    __slots__ = ("_call", "_queue", "_reactor", "_waits", "idle", "lastActivity", "timeout")

    def __init__(
        self,
        reactor: TimerReactor,
        timeout: float | None,
        idle: Callable[[], None],
        queue: DeadlineQueue | None = None,
    ) -> None:
        self._reactor = reactor
        self._queue = queue
        self.timeout = timeout or 0.0
        self.idle = idle
        self.lastActivity = 0.0
        self._call: IDelayedCall | None = None
        self._waits = False  # in the queue

    def start(self) -> None:
        """Count from now; a timer that runs is only told of activity."""
        self.lastActivity = self._reactor.seconds()
        if not self._waits and self._call is None and self.timeout > 0:
            if self._queue is not None:
                self._waits = True
                self._queue.wait(self, self.lastActivity)
            else:
                self._call = self._reactor.callLater(self.timeout, self.due)

    def resume(self, lastActivity: float) -> None:
        """Go on for somebody else, who noted when there was activity last."""
        self.lastActivity = lastActivity
        if self.timeout > 0:
            rest = lastActivity + self.timeout - self._reactor.seconds()
            self._call = self._reactor.callLater(max(rest, 0.0), self.due)

    def stop(self) -> None:
        """Never call back, and let go of who was to be called; to start anew assign `idle`."""
        self.idle = _nothing
        if self._waits and self._queue is not None:
            self._waits = False
            self._queue.leave(self)
        elif self._call is not None:
            self._call.cancel()
            self._call = None

    def due(self) -> None:
        """See Waiter: look whether it was idle, and wait for the rest if it was not."""
        self._call = None
        self._waits = False
        rest = self.lastActivity + self.timeout - self._reactor.seconds()
        if rest > 0:
            self._call = self._reactor.callLater(rest, self.due)
        else:
            self.idle()


class Backoff:
    """
    Full-jitter exponential back-off: each wait is anything below a bound that doubles.

    Args:
        random: a random.Random.
        base: seconds, the first bound.
        most: seconds, the last bound.

    Envoy: JitteredExponentialBackOffStrategy
    """

    __slots__ = ("_base", "_bound", "_most", "_random")

    def __init__(self, random: Random, base: float, most: float) -> None:
        self._random = random
        self._base = self._bound = min(base, most)
        self._most = most

    def next(self) -> float:
        """Seconds to wait now, in [0, bound); the next bound is twice as large."""
        bound = self._bound
        self._bound = min(bound * 2, self._most)
        return self._random.random() * bound

    def reset(self) -> None:
        """It worked: begin with the first bound again."""
        self._bound = self._base
