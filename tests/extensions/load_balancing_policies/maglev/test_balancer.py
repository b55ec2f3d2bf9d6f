"""Maglev; what is chosen, and every figure, is what real Envoy 1.40 chose."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.extensions.load_balancing_policies.hashing import choices, hashedHosts
from twisted_envoy.extensions.load_balancing_policies.maglev.balancer import (
    Maglev,
    MaglevSettings,
    MaglevStats,
)
from twisted_envoy.interfaces.upstream import ILoadBalancer, LoadBalancerContext
from twisted_envoy.stats.scope import Store

EQUAL = "dabdadacdbbcacaabdcdaddbbadbdadcddddbddcccdbaaabccabaaaaccbb"
NAMED = "bbcabacaddcaadaaaccbaaaadaaaaacdbcaaaaadbbdbdaaabcaaaababdac"
OBSERVED: tuple[tuple[tuple[int, ...], int | None, MaglevSettings, str, tuple[int, ...]], ...] = (
    ((1, 1, 1, 1), None, MaglevSettings(), EQUAL, (16384, 16385)),
    (
        (1, 2, 3, 7),
        2,
        MaglevSettings(1009),
        "bbbdaddcdcddbddbdddbcddcddddaccddcddbdcdddbccdadddddbddcddda",
        (78, 542),
    ),
    ((5, 1, 1, 2), None, MaglevSettings(101, True), NAMED, (11, 55)),
)


class MaglevTests(SynchronousTestCase):
    """One table each."""

    def make(self, hosts: Any, settings: MaglevSettings) -> Maglev:
        self.store = Store()
        balancer = Maglev(hosts, settings, Random(0), MaglevStats(self.store.scope("")))
        verifyObject(ILoadBalancer, balancer)
        return balancer

    def test_observed(self) -> None:
        """Weights, sizes, names and keys of hosts; the order of hosts does not matter."""
        for weights, keyed, settings, expected, figures in OBSERVED:
            hosts = hashedHosts(weights, keyed)
            for order in (hosts, hosts[::-1]):
                balancer = self.make(order, settings)
                self.assertEqual(choices(balancer), expected)
                names = ("min_entries_per_host", "max_entries_per_host")
                self.assertEqual(tuple(self.store.value(name) for name in names), figures)

    def test_oneHost(self) -> None:
        """A host that is alone has one place, whatever the size."""
        (host,) = hosts = hashedHosts((3,))
        balancer = self.make(hosts, MaglevSettings(101))
        self.assertEqual({balancer.choose(LoadBalancerContext(hash)) for hash in range(9)}, {host})
        names = ("min_entries_per_host", "max_entries_per_host")
        self.assertEqual([self.store.value(name) for name in names], [1, 1])

    def test_attempts(self) -> None:
        """Who was turned down is tried elsewhere: not always at another host."""
        balancer = self.make(hashedHosts((1, 1, 1, 1)), MaglevSettings(1009))
        tried = {choices(balancer, attempt) for attempt in range(4)}
        self.assertEqual(len(tried), 4)

    def test_nobody(self) -> None:
        """No hosts, no choice; and they may all go."""
        hosts = hashedHosts((1, 1))
        balancer = self.make(hosts, MaglevSettings(7))
        self.assertIsNotNone(balancer.choose(LoadBalancerContext(5)))
        balancer.hostsChanged([])
        self.assertIsNone(balancer.choose(LoadBalancerContext(5)))

    def test_noHash(self) -> None:
        """Without a hash any host is chosen."""
        balancer = self.make(hashedHosts((1, 1, 1, 1)), MaglevSettings(101))
        context = LoadBalancerContext()
        found = {balancer.choose(context).name for _ in range(80)}  # type: ignore[union-attr]
        self.assertEqual(found, set("abcd"))
