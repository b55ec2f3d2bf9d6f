"""The first process: it binds, starts the workers, starts them again, and ends them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from twisted_envoy.server.log_levels import LogControl
from twisted_envoy.server.workers.hello import Hello
from twisted_envoy.server.workers.pages import WorkerPages
from twisted_envoy.server.workers.process import LogPlace, WorkerProcess
from twisted_envoy.server.workers.sockets import HeldSockets
from twisted_envoy.server.workers.totals import Totals

if TYPE_CHECKING:
    from twisted_envoy.config.load import Text
    from twisted_envoy.server.server import Server

_log = Logger("main")

PATIENCE = 5.0
"""Seconds that a worker has to end, or to answer."""

_LONG = 2.0
"""Seconds; a worker that lived as long is started again at once."""
_SLOWEST = 5.0


class WorkerManager(Service):
    """
    Several workers as one server.

    Args:
        server: built and not started; it binds, but has no connections.
        text: of the config file, which workers build the same from.
        place: where workers log.
        make: makes one worker's process.

    Attributes:
        workers: by their number; None for one that is to be started again.
        shutdown, logControl: as the Server's.
    """

    def __init__(
        self,
        server: Server,
        text: Text | None,
        place: LogPlace,
        make: Callable[..., WorkerProcess] = WorkerProcess,
    ) -> None:
        count = server.options.concurrency
        self.server = server
        self.workers: list[WorkerProcess | None] = [None] * count
        self.totals = Totals(server.store, count)
        self._reactor = server.reactor
        self._text = text
        self._place = place
        self._make = make
        self._folder = os.getcwd()
        self._held = HeldSockets(count)
        self._restarts = server.store.scope("server.").counter("worker_restarts")
        self._restarts.value = 0
        self._quick = [0] * count
        self._began = [0.0] * count
        self._timers: set[IDelayedCall] = set()
        self._pages: WorkerPages | None = None
        self._stopping: Deferred[None] | None = None
        self._gone: Deferred[None] = Deferred()
        server.listeners.sockets = self._held
        if server.admin is not None:
            self._pages = WorkerPages(self, server.admin.factory.router)
            server.admin.factory.router = self._pages

    @property
    def shutdown(self) -> Callable[[], object]:
        """Ends the program."""
        return self.server.shutdown

    @shutdown.setter
    def shutdown(self, shutdown: Callable[[], object]) -> None:
        self.server.shutdown = shutdown

    @property
    def logControl(self) -> LogControl:
        """The log levels of this process."""
        control: LogControl = self.server.logControl
        return control

    @logControl.setter
    def logControl(self, control: LogControl) -> None:
        self.server.logControl = control

    def privilegedStartService(self) -> Deferred[None]:
        """
        Bind everything.

        Raises:
            CannotListenError, OSError: an address that cannot be bound.
        """
        return self.server.privilegedStartService()

    def startService(self) -> None:
        super().startService()  # type: ignore[no-untyped-call]
        self.privilegedStartService()
        self.server.initializing = True
        for index in range(len(self.workers)):
            self._start(index)
        self._scheduleMerge()

    def _start(self, index: int) -> None:
        worker = self.workers[index] = self._make(index, self._ready, self._ended)
        self._began[index] = self._reactor.seconds()
        hello = Hello(
            index,
            type(self._reactor).__module__,
            self._folder,
            self.server.options,
            self._text,
            self._place.path,
            tuple(self._held.descriptors(index)),
            () if self._pages is None else tuple(self._pages.changes),
        )
        try:
            worker.start(self._reactor, hello, self._place)
        except OSError as problem:
            self._ended(worker, f"did not start: {problem.strerror}")

    def _ready(self, worker: WorkerProcess) -> None:
        if self.server.initializing and all(one and one.isReady for one in self.workers):
            self.server.initializing = False

    def _ended(self, worker: WorkerProcess, how: str) -> None:
        index = worker.index
        self.workers[index] = None
        self.totals.ended(index)
        if self._stopping is not None:
            if not any(self.workers):
                self._gone.callback(None)
            return
        lived = self._reactor.seconds() - self._began[index]
        self._quick[index] = 0 if lived >= _LONG else min(10, self._quick[index] + 1)
        delay = min(_SLOWEST, 0.05 * (2 ** self._quick[index] - 1))
        self._restarts.value += 1
        _log.error(
            "worker {index} (process {pid}) {how}; it is started again",
            index=index,
            pid=worker.pid,
            how=how,
        )
        self._later(delay, lambda: self._start(index))

    def _later(self, delay: float, function: Callable[[], object]) -> None:
        def now() -> None:
            self._timers.discard(timer)
            function()

        timer = self._reactor.callLater(delay, now)
        self._timers.add(timer)

    def _scheduleMerge(self) -> None:
        interval = self.server.statsInterval
        if interval:
            self._later(interval, self._merge)

    def _merge(self) -> None:
        self.server.store.merge()
        self.gather("merge")
        self._scheduleMerge()

    def gather(self, what: str, **words: object) -> Deferred[list[Any]]:
        """
        Ask every worker.

        Returns:
            The answers of those that answer in time, by their number; the totals have them, when
            it was asked for figures.
        """
        asked = [self._ask(one, what, words) for one in self.workers if one is not None]
        return gatherResults(asked).addCallback(
            lambda answers: [answer for answer in answers if answer is not None]
        )

    def _ask(self, worker: WorkerProcess, what: str, words: dict[str, Any]) -> Deferred[Any]:
        answer = worker.channel.ask(what, **words)

        def take(found: Any) -> Any:
            if what in ("snapshot", "merge") and self.workers[worker.index] is worker:
                self.totals.take(worker.index, found["stats"])
            return found

        return (
            answer.addTimeout(PATIENCE, self._reactor)
            .addCallback(take)
            .addErrback(lambda failure: None)
        )

    def reopenLogs(self) -> None:
        """Open all logs anew, here and in the workers."""
        self.server.reopenLogs()
        for worker in self.workers:
            if worker is not None:
                worker.channel.tell("reopen")

    def stopService(self) -> Deferred[None]:
        """
        Stop everything.

        Returns:
            Fires when no worker is left and every log is written.
        """
        if self._stopping is None:
            if self.running:
                super().stopService()  # type: ignore[no-untyped-call]
            self._stopping = self._stop()
        return self._stopping

    def _stop(self) -> Deferred[None]:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        left = [worker for worker in self.workers if worker is not None]
        self.server.listeners.stopListening()
        for worker in left:
            worker.channel.tell("stop")
        if not left:
            self._gone.callback(None)
        killing = self._reactor.callLater(PATIENCE, self._kill)
        self._gone.addCallback(lambda _: killing.cancel() if killing.active() else None)
        return self._gone.addCallback(lambda _: maybeDeferred(self.server.stopService))

    def _kill(self) -> None:
        for worker in self.workers:
            if worker is not None:
                _log.warn("worker {index} does not end; it is killed", index=worker.index)
                worker.kill()
