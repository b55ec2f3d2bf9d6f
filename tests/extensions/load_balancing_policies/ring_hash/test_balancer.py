"""Ring hash; what is chosen, and every figure, is what real Envoy 1.40 chose."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.extensions.load_balancing_policies.hashing import choices, hashedHosts
from twisted_envoy.extensions.load_balancing_policies.ring_hash.balancer import (
    RingHash,
    RingSettings,
    RingStats,
)
from twisted_envoy.interfaces.upstream import ILoadBalancer, LoadBalancerContext
from twisted_envoy.stats.scope import Store

EQUAL = "ccdbbabdcaaaabbcbdbdadcbaaddddbdddcccdddacadaccadacabbcbcdab"
OBSERVED: tuple[tuple[tuple[int, ...], int | None, RingSettings, str, tuple[int, ...]], ...] = (
    ((1, 1, 1, 1), None, RingSettings(), EQUAL, (1024, 256, 256)),
    (
        (1, 2, 3, 7),
        None,
        RingSettings(50, 100),
        "ccdcbbddddcbddcdcdcddddadcdbcddcdcdcddacaccdaddcdbcdddacbdcb",
        (52, 4, 28),
    ),
    (
        (1, 2, 3, 70),
        None,
        RingSettings(5, 30),
        "ddddbddddddbddddcddddddddddddddddcddddddddcdadddddcddddcddcd",
        (30, 1, 27),
    ),
    (
        (1, 1, 1, 1),
        1,
        RingSettings(byHostname=True),
        "abccadcccbccabbcabaaacdabaacbdccbbcbdcacdadabddccbdcaccddcbc",
        (1024, 256, 256),
    ),
    (
        (3, 1, 1, 2),
        0,
        RingSettings(3),
        "aaaabcaaaccbaaaacaaaaaaaaaaaacaaacacaaccbacaaaaacacaaaacaaca",
        (7, 1, 3),
    ),
)


class RingHashTests(SynchronousTestCase):
    """One ring each."""

    def make(self, hosts: Any, settings: RingSettings) -> RingHash:
        self.store = Store()
        stats = RingStats(self.store.scope(""))
        balancer = RingHash(hosts, settings, Random(0), stats)
        verifyObject(ILoadBalancer, balancer)
        return balancer

    def figures(self) -> tuple[int, ...]:
        """Size, fewest and most places of a host."""
        names = ("size", "min_hashes_per_host", "max_hashes_per_host")
        return tuple(self.store.value(name) for name in names)

    def test_observed(self) -> None:
        """Weights, limits of the ring, names and keys of hosts."""
        for weights, keyed, settings, expected, figures in OBSERVED:
            balancer = self.make(hashedHosts(weights, keyed), settings)
            self.assertEqual((choices(balancer), self.figures()), (expected, figures))

    def test_attempts(self) -> None:
        """A host that was turned down gives way to the next of the ring."""
        balancer = self.make(hashedHosts((1, 1)), RingSettings(2))
        first, second = choices(balancer), choices(balancer, 1)
        self.assertEqual(second, first.translate(str.maketrans("ab", "ba")))

    def test_stable(self) -> None:
        """When a host goes away, no hash moves between the others."""
        hosts = hashedHosts((1, 1, 1, 1))
        balancer = self.make(hosts, RingSettings(least=1))
        before = choices(balancer)
        balancer.hostsChanged(hosts[1:])
        after = choices(balancer)
        moved = [one for one, other in zip(before, after, strict=True) if one != other]
        self.assertEqual(set(moved), {"a"})

    def test_nobody(self) -> None:
        """No hosts, no choice."""
        balancer = self.make([], RingSettings())
        self.assertIsNone(balancer.choose(LoadBalancerContext(5)))
        self.assertEqual(self.figures(), (0, 0, 0))

    def test_noHash(self) -> None:
        """Without a hash any host is chosen."""
        balancer = self.make(hashedHosts((1, 1, 1, 1)), RingSettings())
        context = LoadBalancerContext()
        found = {balancer.choose(context).name for _ in range(80)}  # type: ignore[union-attr]
        self.assertEqual(found, set("abcd"))
