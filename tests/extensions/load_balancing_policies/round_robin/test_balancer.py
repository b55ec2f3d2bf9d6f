"""Round robin."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.extensions.load_balancing_policies.hosts import hosts, picks
from twisted_envoy.extensions.load_balancing_policies.round_robin.balancer import RoundRobin
from twisted_envoy.interfaces.upstream import ILoadBalancer, LoadBalancerContext


class RoundRobinTests(SynchronousTestCase):
    def test_equalWeights(self):
        """In turn, beginning where the seed says."""
        self.assertEqual(picks(RoundRobin(hosts(1, 1, 1)), 7), "abcabca")
        self.assertEqual(picks(RoundRobin(hosts(4, 4, 4), 5), 7), "cabcabc")

    def test_differentWeights(self):
        """As real Envoy's sequence, wherever it begins."""
        for seed in range(8):
            self.assertIn(picks(RoundRobin(hosts(5, 1, 2), seed), 64), "aabcaaac" * 10)

    def test_noHosts(self):
        """None."""
        self.assertIsNone(RoundRobin([]).choose(LoadBalancerContext()))

    def test_triedHostsArePickedAgain(self):
        """A retry just picks on, as in Envoy."""
        both = hosts(1, 1)
        balancer = RoundRobin(both)
        context = LoadBalancerContext()
        context.tried = both
        self.assertIs(balancer.choose(context), both[0])

    def test_hostsChanged(self):
        """The turn goes on among the new ones."""
        balancer = RoundRobin(hosts(1, 1, 1))
        picks(balancer, 4)
        balancer.hostsChanged(hosts(1, 1))
        self.assertEqual(picks(balancer, 4), "abab")
        balancer.hostsChanged(hosts(2, 1))
        self.assertEqual(picks(balancer, 6).count("a"), 4)
        balancer.hostsChanged([])
        self.assertIsNone(balancer.choose(LoadBalancerContext()))

    def test_interface(self):
        """It is one."""
        verifyObject(ILoadBalancer, RoundRobin([]))
