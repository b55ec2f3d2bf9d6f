"""Tests for `twisted_envoy.server.server_stats`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.options import ServerOptions
from twisted_envoy.server.server_stats import residentBytes
from twisted_envoy.testing import MemoryEnvoy


class ServerStatsTests(SynchronousTestCase):
    """The figures of a whole server."""

    def test_workers(self) -> None:
        """Each worker has its watchdog's counters."""
        envoy = MemoryEnvoy("static_resources: {}\n", options=ServerOptions(concurrency=2))
        stats = envoy.server.store.counters
        found = sorted(name for name in stats if ".worker_" in name)
        self.assertEqual(
            found,
            [
                "server.worker_0.watchdog_mega_miss",
                "server.worker_0.watchdog_miss",
                "server.worker_1.watchdog_mega_miss",
                "server.worker_1.watchdog_miss",
            ],
        )
        self.assertEqual(envoy.stat("server.concurrency"), 2)

    def test_memory(self) -> None:
        """It is that of this process."""
        self.assertGreater(residentBytes(), 1 << 20)
