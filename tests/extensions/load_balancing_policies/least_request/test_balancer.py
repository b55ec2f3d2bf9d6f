"""Least request."""

from __future__ import annotations

import random
from collections import Counter

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.extensions.load_balancing_policies.hosts import hosts, picks
from twisted_envoy.extensions.load_balancing_policies.least_request.balancer import (
    LeastRequest,
    LeastRequestSettings,
)
from twisted_envoy.interfaces.upstream import ILoadBalancer, LoadBalancerContext


def balancer(given, **settings):
    return LeastRequest(given, LeastRequestSettings(**settings), random.Random(1))


class EqualWeightTests(SynchronousTestCase):
    def test_idleHostsGetAlike(self):
        """Any of them."""
        counts = Counter(picks(balancer(hosts(1, 1, 1)), 3000))
        for name in "abc":
            self.assertLess(abs(counts[name] - 1000), 150)

    def test_theBusyOneIsAvoided(self):
        """Unless it is looked at twice: with two looks at three hosts one time in nine."""
        three = hosts(1, 1, 1)
        three[0].busy(5)
        counts = Counter(picks(balancer(three), 9000))
        self.assertLess(abs(counts["a"] - 1000), 150)

    def test_choiceCount(self):
        """More looks find the idle one more often."""
        three = hosts(1, 1, 1)
        three[0].busy(5)
        three[1].busy(5)
        counts = Counter(picks(balancer(three, choiceCount=8), 3000))
        self.assertGreater(counts["c"], 2800)

    def test_fullScan(self):
        """Always the least, any of those that are alike."""
        four = hosts(1, 1, 1, 1)
        four[0].busy(2)
        four[2].busy(1)
        chosen = Counter(picks(balancer(four, fullScan=True), 1000))
        self.assertEqual(set(chosen), {"b", "d"})
        self.assertLess(abs(chosen["b"] - 500), 100)


class DifferentWeightTests(SynchronousTestCase):
    def test_idle(self):
        """The same as round robin."""
        self.assertIn(picks(balancer(hosts(5, 1, 2)), 64), "aabcaaac" * 10)

    def test_loadCountsAgainstWeight(self):
        """Weight 4 with 3 requests is as good as weight 1 with none."""
        two = hosts(4, 1)
        two[0].busy(3)
        counts = Counter(picks(balancer(two), 1000))
        self.assertLess(abs(counts["a"] - 500), 5)

    def test_bias(self):
        """0 does not look at load, 2 looks harder."""
        two = hosts(4, 1)
        two[0].busy(1)
        shares = {}
        for bias in (0.0, 2.0):
            shares[bias] = Counter(picks(balancer(two, bias=bias), 1000))["a"]
        self.assertLess(abs(shares[0.0] - 800), 5)
        self.assertLess(abs(shares[2.0] - 500), 5)


class HostsTests(SynchronousTestCase):
    def test_none(self):
        """None."""
        self.assertIsNone(balancer([]).choose(LoadBalancerContext()))

    def test_changed(self):
        """Only the new ones, by their weights."""
        made = balancer(hosts(1, 1, 1))
        made.hostsChanged(hosts(1))
        self.assertEqual(picks(made, 3), "aaa")
        made.hostsChanged(hosts(3, 1))
        self.assertEqual(picks(made, 8).count("a"), 6)
        made.hostsChanged([])
        self.assertIsNone(made.choose(LoadBalancerContext()))
        verifyObject(ILoadBalancer, made)
