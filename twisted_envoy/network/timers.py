"""Timers that cost hot code nothing: the idle timeout, and the back-off between attempts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall


class TimerReactor(Protocol):
    """What an idle timer asks of a reactor: IReactorTime."""

    def seconds(self) -> float: ...

    def callLater(self, delay: float, callable: Callable[[], None]) -> IDelayedCall: ...


class Random(Protocol):
    """What a back-off asks of a random.Random."""

    def random(self) -> float: ...


def _nothing() -> None:
    return


class IdleTimer:
    """
    Calls back when nothing has happened for a while.

    Hot code only assigns `lastActivity = reactor.seconds()`. The timer looks when it fires, and
    waits for the rest when there was some activity.

    Args:
        reactor: tells and waits for the time.
        timeout: seconds; 0 or None is for ever.
        idle: called once, when it is over; may be assigned anew while the timer runs.
    """

    __slots__ = ("_call", "_reactor", "idle", "lastActivity", "timeout")

    def __init__(
        self, reactor: TimerReactor, timeout: float | None, idle: Callable[[], None]
    ) -> None:
        self._reactor = reactor
        self.timeout = timeout or 0.0
        self.idle = idle
        self.lastActivity = 0.0
        self._call: IDelayedCall | None = None

    def start(self) -> None:
        """Count from now; a timer that runs is only told of activity."""
        self.lastActivity = self._reactor.seconds()
        if self._call is None and self.timeout > 0:
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
