"""Maglev's factory; texts as observed on Envoy 1.40."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.load_balancing_policies.hashing import choices, hashedHosts
from tests.extensions.load_balancing_policies.maglev.test_balancer import EQUAL, NAMED, OBSERVED
from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.load_balancing_policies.maglev import factories

CLUSTER = "envoy.config.cluster.v3.Cluster"


class FactoryTests(SynchronousTestCase):
    def setUp(self) -> None:
        (self.factory,) = factories

    def test_build(self) -> None:
        """Each field counts; what is not obeyed is left to be reported."""
        hashing = {"use_hostname_for_hashing": True, "hash_balance_factor": 120}
        content = {"table_size": 101, "consistent_hashing_lb_config": hashing}
        config = configOf(self.factory.typeURL, content)
        make = self.factory.build(config, Context())
        self.assertEqual(choices(make(hashedHosts((5, 1, 1, 2)))), NAMED)
        unread = ["consistent_hashing_lb_config.hash_balance_factor"]
        self.assertEqual(unreadFields(config), unread)

    def test_fromCluster(self) -> None:
        """By lb_policy."""
        config = configOf(CLUSTER, {"name": "c"})
        make = self.factory.buildFromCluster(config, Context())
        self.assertEqual(choices(make(hashedHosts((1, 1, 1, 1)))), EQUAL)
        config = configOf(CLUSTER, {"name": "c", "maglev_lb_config": {"table_size": 1009}})
        make = self.factory.buildFromCluster(config, Context())
        self.assertEqual(choices(make(hashedHosts((1, 2, 3, 7), 2))), OBSERVED[1][3])

    def test_prime(self) -> None:
        """The table's size must be a prime number; on 1 Envoy crashes."""
        for size in (0, 1, 4, 65536):
            config = configOf(self.factory.typeURL, {"table_size": size})
            problem = self.assertRaises(ConfigError, self.factory.build, config, Context())
            self.assertEqual(problem.problem, "The table size of maglev must be prime number")
        self.factory.build(configOf(self.factory.typeURL, {"table_size": 2}), Context())
