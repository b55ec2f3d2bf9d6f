"""Tests for `twisted_envoy.server.workers.manager`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from tests.server.workers.crew import CrewTestCase
from twisted_envoy.server.workers.manager import PATIENCE
from twisted_envoy.server.workers.sockets import CLOSED


class WorkerManagerTests(CrewTestCase):
    """The first process."""

    def test_starts(self) -> None:
        """Each worker gets a number, the options, and its own sockets."""
        self.start()
        first, second = (one.hello for one in self.made)
        self.assertEqual((first.index, second.index), (0, 1))
        self.assertEqual(first.options, self.server.options)
        self.assertEqual(len(first.listening), 2)
        self.assertFalse(set(first.listening) & set(second.listening))
        self.assertEqual(first.reactor, "twisted.internet.task")

    def test_state(self) -> None:
        """The server is not LIVE before each worker is."""
        self.manager.startService()
        self.assertEqual(self.server.state, "PRE_INITIALIZING")
        self.made[0].becomeReady()
        self.assertEqual(self.server.state, "PRE_INITIALIZING")
        self.made[1].becomeReady()
        self.assertEqual(self.server.state, "LIVE")

    def test_crash(self) -> None:
        """A worker that ends is started again, with the same sockets; it is counted and logged."""
        self.start()
        self.clock.advance(10)
        self.made[1].end()
        self.clock.advance(0)
        self.assertEqual(len(self.made), 3)
        self.assertEqual(self.made[2].hello, self.made[1].hello)
        self.assertEqual(self.server.store.value("server.worker_restarts"), 1)
        self.assertEqual(self.server.state, "LIVE")

    def test_crashesAgainAndAgain(self) -> None:
        """It waits longer and longer, up to five seconds."""
        self.start()
        waits = []
        for _ in range(10):
            count, began = len(self.made), self.clock.seconds()
            self.made[-1].end("status 1")
            while len(self.made) == count:
                self.clock.advance(0.01)
            waits.append(round(self.clock.seconds() - began, 1))
        self.assertEqual(waits, sorted(waits))
        self.assertLessEqual(waits[0], 0.1)
        self.assertEqual(waits[-1], 5.0)

    def test_cannotStart(self) -> None:
        """Without descriptors or memory for one more process it tries again."""
        self.failing = True
        self.manager.startService()
        self.assertEqual(self.manager.workers, [None, None])
        self.failing = False
        self.clock.advance(1)
        self.assertEqual([one is not None for one in self.manager.workers], [True, True])
        self.assertEqual(self.server.store.value("server.worker_restarts"), 2)

    def test_stops(self) -> None:
        """Workers are told, the sockets are closed; it is over when the last one has ended."""
        self.start()
        stopped = self.manager.stopService()
        self.assertIs(self.manager.stopService(), stopped)
        self.assertEqual([one.channel.told for one in self.made], [["stop"], ["stop"]])
        self.assertEqual(self.manager._held.descriptors(0), [CLOSED, CLOSED])
        self.made[0].end("status 0")
        self.assertNoResult(stopped)
        self.made[1].end("status 0")
        self.clock.advance(0)
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.made), 2)

    def test_doesNotEnd(self) -> None:
        """Who takes too long is killed."""
        self.start()
        stopped: Deferred[Any] = self.manager.stopService()
        self.made[0].end("status 0")
        self.clock.advance(PATIENCE)
        self.assertEqual([one.killed for one in self.made], [False, True])
        self.made[1].end()
        self.clock.advance(0)
        self.successResultOf(stopped)

    def test_stopsWithoutAStart(self) -> None:
        """As --mode init_only does."""
        self.manager.privilegedStartService()
        self.successResultOf(self.manager.stopService())

    def test_stopsWhileOneIsDown(self) -> None:
        """It is not started again."""
        self.start()
        self.made[1].end()
        stopped = self.manager.stopService()
        self.made[0].end("status 0")
        self.clock.advance(10)
        self.successResultOf(stopped)
        self.assertEqual(len(self.made), 2)

    def test_reopens(self) -> None:
        """SIGUSR1 reaches all, but those that are down."""
        self.start()
        self.made[0].end()
        opened: list[bool] = []
        self.patch(self.server.accessLogs, "reopen", lambda: opened.append(True))
        self.manager.reopenLogs()
        self.assertEqual((self.made[1].channel.told, opened), (["reopen"], [True]))

    def test_merges(self) -> None:
        """Histograms end their intervals together."""
        self.start()
        name = "listener.x.length_ms"
        self.made[0].server.store.histogram(name).record(5)
        self.clock.advance(5)
        self.assertEqual(self.manager.totals.store().histograms[name].interval.count, 1)
        self.clock.advance(5)
        self.assertEqual(self.manager.totals.store().histograms[name].interval.count, 0)

    def test_silence(self) -> None:
        """Who does not answer in time is left out."""
        self.start()
        self.made[0].channel.silent = True
        gathered = self.manager.gather("snapshot")
        self.assertNoResult(gathered)
        self.clock.advance(PATIENCE)
        self.assertEqual(len(self.successResultOf(gathered)), 1)

    def test_attributes(self) -> None:
        """What the service sets is the server's."""
        control: Any = object()
        self.manager.logControl = control
        self.manager.shutdown = self.fail
        self.assertIs(self.server.logControl, control)
        self.assertIs(self.manager.logControl, control)
        self.assertEqual(self.manager.shutdown, self.fail)
