"""Timers that cost hot code nothing: time-outs of many, the idle time-out, the back-off."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

_log = Logger("main")

_MOST_DEAD = 64


class TimerReactor(Protocol):
    """What an idle timer asks of a reactor: IReactorTime."""

    def seconds(self) -> float: ...

    def callLater(self, delay: float, callable: Callable[[], None]) -> IDelayedCall: ...


class Random(Protocol):
    """What a back-off asks of a random.Random."""

    def random(self) -> float: ...


def _nothing() -> None:
    return


class Deadline:
    """One who waits in a DeadlineQueue."""

    __slots__ = ("_queue", "call", "when")

    def __init__(self, queue: DeadlineQueue, when: float, call: Callable[[], None]) -> None:
        self._queue = queue
        self.when = when
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Do not call; once it is over nothing happens."""
        if self.call is not None:
            self.call = None
            queue = self._queue
            queue.live -= 1
            if not queue.live or len(queue.waiting) > _MOST_DEAD + 2 * queue.live:
                queue.tidy()


class DeadlineQueue:
    """
    Many who all wait equally long: one timer of the reactor for all of them.

    Who comes later is due later, so a queue is all that it takes: waiting and cancelling, as nearly
    all who wait for a time-out do, cost a small object each and nothing in the reactor. When nobody
    waits there is no timer.

    Args:
        reactor: tells and waits for the time.
        delay: seconds.

    Attributes:
        waiting: all, and who has given it up lately. live: how many of them have not.
    """

    __slots__ = ("_armed", "_reactor", "delay", "live", "waiting")

    def __init__(self, reactor: TimerReactor, delay: float) -> None:
        self._reactor = reactor
        self.delay = delay
        self.waiting: deque[Deadline] = deque()
        self.live = 0
        self._armed: IDelayedCall | None = None

    def add(self, call: Callable[[], None], now: float | None = None) -> Deadline:
        """Call when `delay` has passed; what it raises is logged. `now` saves asking for it."""
        if now is None:
            now = self._reactor.seconds()
        deadline = Deadline(self, now + self.delay, call)
        self.waiting.append(deadline)
        self.live += 1
        if self._armed is None:
            self._armed = self._reactor.callLater(self.delay, self._due)
        return deadline

    def tidy(self) -> None:
        """Nobody waits any more, or most who are kept do not."""
        if self.live:
            self.waiting = deque(one for one in self.waiting if one.call is not None)
            return
        self.waiting.clear()
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None

    def _due(self) -> None:
        self._armed = None
        waiting = self.waiting
        now = self._reactor.seconds()
        due: list[Deadline] = []
        while waiting and (waiting[0].call is None or waiting[0].when <= now):
            due.append(waiting.popleft())
        if waiting:
            self._armed = self._reactor.callLater(waiting[0].when - now, self._due)
        for deadline in due:
            call = deadline.call
            if call is None:  # cancelled, by one before it perhaps
                continue
            deadline.call = None
            self.live -= 1
            try:
                call()
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

    __slots__ = ("_call", "_queue", "_reactor", "idle", "lastActivity", "timeout")

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
        self._call: IDelayedCall | Deadline | None = None

    def start(self) -> None:
        """Count from now; a timer that runs is only told of activity."""
        self.lastActivity = self._reactor.seconds()
        if self._call is None and self.timeout > 0:
            if self._queue is not None:
                self._call = self._queue.add(self._look, self.lastActivity)
            else:
                self._call = self._reactor.callLater(self.timeout, self._look)

    def stop(self) -> None:
        """Never call back, and let go of who was to be called; to start anew assign `idle`."""
        self.idle = _nothing
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _look(self) -> None:
        self._call = None
        rest = self.lastActivity + self.timeout - self._reactor.seconds()
        if rest > 0:
            self._call = self._reactor.callLater(rest, self._look)
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
