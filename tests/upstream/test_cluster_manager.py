"""Tests for twisted_envoy.upstream.cluster_manager."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.support import World
from twisted_envoy.interfaces.upstream import IClusterManager
from twisted_envoy.upstream.cluster_manager import ClusterManager


class ClusterManagerTests(SynchronousTestCase):
    """All clusters by name."""

    def test_byName(self):
        """What was added is found; a second of one name is refused."""
        manager = ClusterManager()
        cluster = World().cluster
        manager.add(cluster)
        self.assertIs(manager.get("c"), cluster)
        self.assertIsNone(manager.get("d"))
        self.assertEqual(list(manager.names()), ["c"])
        self.assertRaises(ValueError, manager.add, World().cluster)
        self.assertTrue(IClusterManager.providedBy(manager))
