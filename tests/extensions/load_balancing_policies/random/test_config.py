"""Random's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.load_balancing_policies.hosts import hosts, picks
from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.extensions.load_balancing_policies.random import factories


class FactoryTests(SynchronousTestCase):
    def test_build(self):
        """The same by type and by lb_policy."""
        (factory,) = factories
        config = configOf(factory.typeURL, {"locality_lb_config": {"zone_aware_lb_config": {}}})
        cluster = configOf("envoy.config.cluster.v3.Cluster", {"name": "c"})
        for make in (
            factory.build(config, Context()),
            factory.buildFromCluster(cluster, Context()),
        ):
            self.assertEqual(set(picks(make(hosts(1, 1)), 50)), {"a", "b"})
        self.assertEqual(unreadFields(config), ["locality_lb_config"])
