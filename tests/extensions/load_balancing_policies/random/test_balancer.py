"""Random choice."""

from __future__ import annotations

import random
from collections import Counter

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.extensions.load_balancing_policies.hosts import hosts, picks
from twisted_envoy.extensions.load_balancing_policies.random.balancer import RandomChoice
from twisted_envoy.interfaces.upstream import ILoadBalancer, LoadBalancerContext


class RandomChoiceTests(SynchronousTestCase):
    def test_weightsDoNotCount(self):
        """Each host gets about as much as the others."""
        balancer = RandomChoice(hosts(100, 1, 1), random.Random(1))
        counts = Counter(picks(balancer, 3000))
        for name in "abc":
            self.assertLess(abs(counts[name] - 1000), 150)

    def test_hostsChanged(self):
        """Only the new ones, if any."""
        balancer = RandomChoice(hosts(1, 1), random.Random(1))
        balancer.hostsChanged(hosts(1))
        self.assertEqual(picks(balancer, 5), "aaaaa")
        balancer.hostsChanged([])
        self.assertIsNone(balancer.choose(LoadBalancerContext()))
        verifyObject(ILoadBalancer, balancer)
