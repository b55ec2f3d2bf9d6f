"""Round robin's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.load_balancing_policies.hosts import hosts, picks
from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.load_balancing_policies.round_robin import factories
from twisted_envoy.interfaces.extensions import IExtensionFactory

CLUSTER = "envoy.config.cluster.v3.Cluster"


class FactoryTests(SynchronousTestCase):
    def setUp(self):
        (self.factory,) = factories

    def test_build(self):
        """Beginnings differ from server to server."""
        config = configOf(self.factory.typeURL)
        context = Context()
        starts = {picks(self.factory.build(config, context)(hosts(1, 1, 1)), 3) for _ in range(40)}
        self.assertEqual(starts, {"abc", "bca", "cab"})
        self.assertTrue(IExtensionFactory.providedBy(self.factory))

    def test_fromCluster(self):
        """By lb_policy; slow start is left to be reported."""
        slow = {"slow_start_config": {"slow_start_window": "1s"}}
        cluster = configOf(CLUSTER, {"name": "c", "round_robin_lb_config": slow})
        make = self.factory.buildFromCluster(cluster, Context())
        self.assertEqual(sorted(picks(make(hosts(1, 1)), 2)), ["a", "b"])
        self.assertEqual(unreadFields(cluster), ["name", "round_robin_lb_config.slow_start_config"])

    def test_unsupportedFields(self):
        """Are left to be reported."""
        content = {
            "slow_start_config": {"slow_start_window": "1s"},
            "locality_lb_config": {"locality_weighted_lb_config": {}},
        }
        config = configOf(self.factory.typeURL, content)
        self.factory.build(config, Context())
        self.assertEqual(sorted(unreadFields(config)), sorted(content))
