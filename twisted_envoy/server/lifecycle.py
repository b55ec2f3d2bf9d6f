"""
How the process begins to serve and how it ends.

Signals follow Envoy: SIGTERM and SIGINT shut the server down, SIGUSR1 reopens the logs, SIGHUP is
eaten. Twisted's own handlers would end the process with status 143; ours stop the reactor, so that
the shut-down is the ordinary one (stopService, its Deferred) and the status is 0.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from random import Random
from threading import Timer
from types import FrameType
from typing import Protocol

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from twisted_envoy.interfaces.network import IDrainDecision, IListenerInfo

_log = Logger()


class RunningReactor(Protocol):
    """What the life cycle needs of a reactor: parts of IReactorCore, -Time and -FromThreads."""

    def stop(self) -> None:
        """Begin the ordinary shut-down."""

    def crash(self) -> None:
        """End the main loop at once."""

    def callFromThread(self, callable: Callable[..., object]) -> None:
        """Safe in a signal handler."""

    def callWhenRunning(self, callable: Callable[..., object]) -> object:
        """Now, or when the main loop begins."""

    def addSystemEventTrigger(
        self, phase: str, eventType: str, callable: Callable[..., object]
    ) -> object:
        """Call it in a phase (`before`, `during`, `after`) of an event (`shutdown`)."""

    def callLater(self, delay: float, callable: Callable[..., object]) -> IDelayedCall:
        """After so many seconds."""

    def seconds(self) -> float:
        """The time."""


_ENDS = (signal.SIGTERM, signal.SIGINT)
_LAST_SECOND = 1.0


def leaveSoon() -> None:
    """End the process in a second if it has not ended by itself, whatever its threads do."""
    timer = Timer(_LAST_SECOND, os._exit, (0,))
    timer.daemon = True
    timer.start()


class SignalHandlers:
    """
    Envoy's reaction to the process's signals.

    Args:
        reactor: IReactorCore and IReactorFromThreads.
        reopenLogs: called on SIGUSR1.
        leave: called, in the signal handler, when a process that was told to end is told again: a
            thread that somebody waits for may keep the reactor from hearing of it.
    """

    def __init__(
        self,
        reactor: RunningReactor,
        reopenLogs: Callable[[], None],
        leave: Callable[[], None] = leaveSoon,
    ) -> None:
        self._reactor = reactor
        self._leave = leave
        self._reopenLogs = reopenLogs
        self._stopping = False
        self._reactions: dict[int, Callable[[], None]] = {
            signal.SIGTERM: lambda: self._terminate("caught ENVOY_SIGTERM"),
            signal.SIGINT: lambda: self._terminate("caught SIGINT"),
            signal.SIGUSR1: self._reopen,
            signal.SIGHUP: self._hangUp,
        }

    def install(self) -> None:
        """
        Take the signals over.

        Only in the main thread, and only once the reactor runs: it installs its own at start.
        """
        for number in self._reactions:
            signal.signal(number, self._caught)

    def _caught(self, number: int, frame: FrameType | None) -> None:
        if number in _ENDS and self._stopping:
            self._leave()
        self._reactor.callFromThread(self._reactions[number])

    def _terminate(self, text: str) -> None:
        _log.warn("{text}", text=text)
        self.shutDown()

    def shutDown(self) -> None:
        """Stop the reactor in the ordinary way; the second call does not wait any longer."""
        if not self._stopping:
            self._stopping = True
            self._reactor.stop()
        else:
            _log.warn("stopping at once: connections and logs may be cut")
            self._reactor.crash()

    def _reopen(self) -> None:
        _log.info("caught SIGUSR1. Reopening access logs.")
        self._reopenLogs()

    def _hangUp(self) -> None:
        _log.warn(
            "caught and eating SIGHUP. See documentation for how to hot restart.",
        )


class StoppableListeners(Protocol):
    """The listeners, as far as draining them goes."""

    def stopListening(self, inboundOnly: bool = False) -> object:
        """Accept no more connections."""


@implementer(IDrainDecision)
class DrainManager:
    """
    The server's drain state: whether connections should end when that is convenient.

    Args:
        reactor: for the drain time.
        drainTime: seconds between the begin of a graceful drain and the end of listening.
        immediate: while draining, end every connection that asks, and not ever more of them.
        random: gives numbers from 0 to 1; None for the standard library's.

    Attributes:
        draining: True from the begin of a drain on.
        healthy: False after the admin page /healthcheck/fail.
    Envoy: source/server/drain_manager_impl.cc; admin page /drain_listeners.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        drainTime: float,
        immediate: bool = False,
        random: Callable[[], float] | None = None,
    ) -> None:
        self.draining = False
        self.healthy = True
        self._inboundOnly = False
        self._began = 0.0
        self._immediate = immediate
        self._random = Random().random if random is None else random
        self._reactor = reactor
        self._drainTime = drainTime
        self._timer: IDelayedCall | None = None

    def drainListeners(
        self,
        listeners: StoppableListeners,
        *,
        graceful: bool = False,
        inboundOnly: bool = False,
        skipExit: bool = False,
    ) -> None:
        """
        Stop the listeners: at once, after the drain time, or never.

        Args:
            graceful: begin to drain now and stop listening when the drain time is over; when a
                drain has begun already, nothing changes.
            inboundOnly: stop only listeners whose traffic_direction is INBOUND.
            skipExit: begin to drain and never stop listening.
        """
        if not (graceful or skipExit):
            listeners.stopListening(inboundOnly=inboundOnly)
            return
        if self.draining:
            return
        self.draining = True
        self._inboundOnly = inboundOnly
        self._began = self._reactor.seconds()
        if not skipExit:
            self._timer = self._reactor.callLater(
                self._drainTime, lambda: listeners.stopListening(inboundOnly=inboundOnly)
            )

    def drainClose(self, listener: IListenerInfo) -> bool:
        if not self.healthy and listener.drainType == "DEFAULT":
            return True
        if not self.draining:
            return False
        if self._inboundOnly and listener.trafficDirection != "INBOUND":
            return False
        if self._immediate:
            return True
        # The share of connections that are ended grows with the time that has passed.
        passed = self._reactor.seconds() - self._began
        return passed >= self._random() * self._drainTime

    def stop(self) -> None:
        """Forget the timer; the server ends."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


def stopInOrder(*steps: Callable[[], object]) -> Deferred[None]:
    """
    Call each step when what the one before returned has fired.

    A step that fails is logged and does not keep the others from running.
    """
    done: Deferred[None] = Deferred()
    waiting = list(steps)

    def advance(result: object) -> None:
        if waiting:
            step = maybeDeferred(waiting.pop(0))
            step.addErrback(lambda reason: _log.failure("while stopping", failure=reason))
            step.addCallback(advance)
        else:
            done.callback(None)

    advance(None)
    return done
