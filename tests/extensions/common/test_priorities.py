"""Priorities, health and panic."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.extensions.load_balancing_policies.hosts import FakeCluster, FakeHost, picks
from twisted_envoy.extensions.common.priorities import (
    Loads,
    Prioritized,
    hostSets,
    loadsOf,
    prioritized,
)
from twisted_envoy.extensions.load_balancing_policies.round_robin.balancer import RoundRobin
from twisted_envoy.interfaces.upstream import ILoadBalancer, LoadBalancerContext
from twisted_envoy.upstream.health.flags import (
    DEGRADED_EDS_HEALTH,
    EDS_STATUS_DRAINING,
    FAILED_ACTIVE_HC,
    FAILED_EDS_HEALTH,
)
from twisted_envoy.upstream.health.policy import HealthPolicy

STATES = {"+": 0, "-": FAILED_EDS_HEALTH, "~": DEGRADED_EDS_HEALTH, "x": EDS_STATUS_DRAINING}


def hostsOf(*priorities: str, cluster: FakeCluster | None = None) -> list[FakeHost]:
    """One host a letter: + healthy, - unhealthy, ~ degraded, x draining."""
    names = iter("abcdefghijklmnopqrstuvwxyz")
    cluster = cluster or FakeCluster()
    made = [
        FakeHost(next(names), priority=priority, health=STATES[state], cluster=cluster)
        for priority, states in enumerate(priorities)
        for state in states
    ]
    cluster.hosts = tuple(made)
    return made


def loads(*priorities: str, threshold: int = 50, weighted: bool = False) -> Loads:
    return loadsOf(hostSets(hostsOf(*priorities)), 140, weighted, threshold)


class LoadsTests(SynchronousTestCase):
    """The examples of Envoy's documentation, and what was observed."""

    def check(self, found: Loads, healthy: list[int], degraded: list[int] | None = None) -> None:
        self.assertEqual(found.healthy, healthy)
        self.assertEqual(found.degraded, degraded or [0] * len(healthy))

    def test_twoPriorities(self) -> None:
        """The second one takes what the first cannot, overprovisioned by 40 %."""
        for up, healthy in ((100, 100), (72, 100), (71, 99), (50, 70), (25, 35), (0, 0)):
            found = loadsOf(
                hostSets(
                    [FakeHost("a", health=0 if at < up else FAILED_EDS_HEALTH) for at in range(100)]
                    + [FakeHost("b", priority=1)]
                ),
                140,
                False,
                50,
            )
            self.check(found, [healthy, 100 - healthy])
            self.assertEqual(found.panics, [False, False])

    def test_normalized(self) -> None:
        """What is left is scaled up until it is all of the load; panic is each priority's own."""
        found = loads("+---", "+---")
        self.check(found, [50, 50])
        self.assertEqual(found.panics, [True, True])
        found = loads("+---", "+---", threshold=20)
        self.check(found, [50, 50])
        self.assertEqual(found.panics, [False, False])

    def test_degraded(self) -> None:
        """Degraded hosts get what healthy ones cannot take, in any priority."""
        self.check(loads("+~~~"), [35], [65])
        self.check(loads("~", "+"), [0, 100])
        self.check(loads("~~", "-"), [0, 0], [100, 0])

    def test_gaps(self) -> None:
        """A priority without hosts has no part of it."""
        self.check(loads("", "+", "+"), [0, 100, 0])

    def test_totalPanic(self) -> None:
        """By the number of hosts then."""
        found = loads("---", "-")
        self.check(found, [75, 25])
        self.assertEqual(found.panics, [True, True])
        self.check(loads("--", "", "-"), [67, 0, 33])

    def test_noPanic(self) -> None:
        """With a threshold of 0 the first priority has all, and nobody in it."""
        found = loads("--", "-", threshold=0)
        self.check(found, [100, 0])
        self.assertEqual(found.panics, [False, False])

    def test_excluded(self) -> None:
        """Hosts that are excluded do not count."""
        self.check(loads("+xxx", "+"), [100, 0])
        self.assertEqual(loads("x").panics, [True])
        self.assertEqual(loads("+-xx").panics, [False])

    def test_weighted(self) -> None:
        """By weight where the config wants that."""
        hosts = hostsOf("+-", "+")
        hosts[0].weight = 9
        self.check(loadsOf(hostSets(hosts), 140, True, 50), [100, 0])
        hosts[0].weight, hosts[1].weight = 1, 9
        self.check(loadsOf(hostSets(hosts), 140, True, 50), [14, 86])

    @given(
        st.lists(st.text("+-~x", max_size=5), min_size=1, max_size=4).filter(any),
        st.integers(0, 100),
    )
    def test_hundred(self, priorities: list[str], threshold: int) -> None:
        """Whatever there is, it is 100 % in all."""
        found = loads(*priorities, threshold=threshold)
        self.assertEqual(sum(found.healthy) + sum(found.degraded), 100)


class PrioritizedTests(SynchronousTestCase):
    """Over round robin."""

    def make(self, *priorities: str, **policy: Any) -> Any:
        self.cluster = FakeCluster(HealthPolicy(**policy))
        self.hosts = hostsOf(*priorities, cluster=self.cluster)
        balancer = Prioritized(self.hosts, RoundRobin, Random(1), RoundRobin)  # type: ignore[arg-type]
        verifyObject(ILoadBalancer, balancer)
        return balancer

    def test_healthyOnly(self) -> None:
        """Unhealthy hosts get nothing; choosing costs nothing more."""
        balancer = self.make("+-+")
        self.assertEqual(picks(balancer, 4), "acac")
        self.assertEqual(balancer.choose.__self__.__class__, RoundRobin)

    def test_healthChanges(self) -> None:
        """The same hosts again: somebody's health has changed. The turn goes on."""
        balancer = self.make("+++")
        picks(balancer, 4)
        self.hosts[1].health = FAILED_ACTIVE_HC
        balancer.hostsChanged(self.hosts)
        self.assertEqual(balancer.choose, balancer._rebuild)  # who asks next pays
        self.assertEqual(picks(balancer, 4), "acac")
        self.hosts[1].health = 0
        balancer.hostsChanged(self.hosts)
        self.assertEqual(picks(balancer, 3), "cab")

    def test_only(self) -> None:
        """The only one in use need not be chosen; who that is, is found out with a choice."""
        balancer = self.make("+-")
        one, other = self.hosts
        self.assertIs(balancer.only, one)
        other.health = 0
        balancer.hostsChanged(self.hosts)
        self.assertIsNone(balancer.only)
        picks(balancer, 1)
        self.assertIsNone(balancer.only)
        one.health = FAILED_ACTIVE_HC
        balancer.hostsChanged(self.hosts)
        picks(balancer, 1)
        self.assertIs(balancer.only, other)
        balancer.hostsChanged(())
        self.assertIsNone(balancer.only)

    def test_onlyInPanic(self) -> None:
        """Each choice is counted then, and so must be made."""
        self.assertIsNone(self.make("-").only)

    def test_panic(self) -> None:
        """Below 50 % everybody is in use, and each choice is counted."""
        balancer = self.make("+--")
        self.assertEqual(picks(balancer, 3), "abc")
        self.assertEqual(self.cluster.stats.lb_healthy_panic.value, 3)

    def test_failsOnPanic(self) -> None:
        """Nobody at all, where the config wants that."""
        balancer = self.make("+--", failsOnPanic=True)
        self.assertIsNone(balancer.choose(None))
        self.assertEqual(self.cluster.stats.lb_healthy_panic.value, 1)

    def test_noPanic(self) -> None:
        """With a threshold of 0 there is nobody when nobody is healthy; nothing is counted."""
        balancer = self.make("--", panicThreshold=0)
        self.assertIsNone(balancer.choose(None))
        self.assertEqual(self.cluster.stats.lb_healthy_panic.value, 0)

    def test_spread(self) -> None:
        """70 % and 30 % when one of two is healthy, as observed on Envoy."""
        balancer = self.make("+-", "+")
        found = Counter(picks(balancer, 1000))
        self.assertEqual(found.keys(), {"a", "c"})
        self.assertLess(abs(found["a"] - 700), 50)

    def test_byHash(self) -> None:
        """The same hash goes to the same set."""
        balancer = self.make("+-", "+")
        for key in range(100):
            wanted = "a" if key + 1 <= 70 else "c"
            self.assertEqual(balancer.choose(LoadBalancerContext(key)).name, wanted)

    def test_chooseOther(self) -> None:
        """A retry may spread the load in its own way; panic stays what it is."""

        class Last:
            def loads(self, health: Any, usual: Any) -> Any:
                self.given = health, usual
                return [0] * (len(health) - 1) + [100], [0] * len(health)

        context = LoadBalancerContext()
        context.priorities = last = Last()
        balancer = self.make("+-", "++")
        self.assertEqual({balancer.chooseOther(context).name for _ in range(4)}, set("cd"))
        self.assertEqual(last.given, ([(70, 0), (100, 0)], ([70, 30], [0, 0])))
        balancer = self.make("--", "-")
        self.assertEqual(balancer.chooseOther(context).name, "c")
        self.assertEqual(self.cluster.stats.lb_healthy_panic.value, 1)
        balancer.hostsChanged(())
        self.assertIsNone(balancer.chooseOther(context))

    def test_none(self) -> None:
        """Without hosts nobody is chosen, and nothing is counted: the cluster does that."""
        balancer = self.make("+")
        balancer.hostsChanged(())
        self.assertIsNone(balancer.choose(None))
        balancer.hostsChanged(self.hosts)
        self.assertEqual(picks(balancer, 2), "aa")

    def test_panicMaker(self) -> None:
        """In panic another balancer may choose."""

        class Last(RoundRobin):
            def choose(self, context: Any) -> Any:
                return self._hosts[-1]

        hosts = hostsOf("--")
        make: Any = prioritized(RoundRobin, Random(0), Last)  # type: ignore[arg-type]
        self.assertEqual(picks(make(hosts), 2), "bb")
