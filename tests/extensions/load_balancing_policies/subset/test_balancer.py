"""Subsets of hosts; what is chosen was compared with Envoy 1.40."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twisted_envoy.extensions.load_balancing_policies.round_robin.balancer import RoundRobin
from twisted_envoy.extensions.load_balancing_policies.subset.balancer import (
    Selector,
    SubsetBalancer,
    SubsetSettings,
    SubsetStats,
)
from twisted_envoy.interfaces.upstream import ILoadBalancer, LoadBalancerContext
from twisted_envoy.stats.scope import Store


class FakeHost:
    """A host with a name and metadata."""

    weight = 1
    priority = 0

    def __init__(self, name: str, **values: object) -> None:
        self.name = name
        self.metadata = {"envoy.lb": values} if values else {}


def world() -> list[FakeHost]:
    """Two hosts of production, two of development, and one that says nothing."""
    return [
        FakeHost("a", stage="prod", v=1),
        FakeHost("b", stage="prod", v=2),
        FakeHost("c", stage="dev", v=[1, 3]),
        FakeHost("d", stage="dev", x=True),
        FakeHost("e"),
    ]


BOTH, STAGE, X = Selector(("stage", "v")), Selector(("stage",)), Selector(("x",))


class SubsetBalancerTests(SynchronousTestCase):
    """Round robin within subsets."""

    def make(self, *selectors: Selector, **fields: Any) -> SubsetBalancer:
        self.store = Store()
        self.balancer = SubsetBalancer(
            world(),  # type: ignore[arg-type]
            SubsetSettings(selectors or (BOTH, STAGE, X), **fields),
            RoundRobin,  # type: ignore[arg-type]
            SubsetStats(self.store.scope("")),
        )
        verifyObject(ILoadBalancer, self.balancer)
        return self.balancer

    def chosen(self, **criteria: object) -> str:
        """The hosts that are chosen in turn for these."""
        context = LoadBalancerContext(None, criteria or None)
        names = set()
        for _ in range(6):
            host: Any = self.balancer.choose(context)
            if host is not None:
                names.add(host.name)
        return "".join(sorted(names))

    def stats(self) -> dict[str, int]:
        """Those of choices that are not 0."""
        found = {
            one.name.removeprefix("lb_subsets_"): one.value
            for one in self.store.numbers()
            if one.value
        }
        return {key: value for key, value in found.items() if key not in ("active", "created")}

    def test_subsets(self) -> None:
        """All the criteria, and no others, choose a subset; without one there is no host."""
        self.make()
        self.assertEqual(self.chosen(stage="prod"), "ab")
        self.assertEqual(self.chosen(v=2, stage="prod"), "b")
        self.assertEqual(self.chosen(v=[1, 3], stage="dev"), "c")
        self.assertEqual(self.chosen(x=True), "d")
        self.assertEqual(self.stats(), {"selected": 24})
        for nothing in ({"v": 1}, {"stage": "test"}, {"x": 1}, {"stage": "prod", "q": 1}, {}):
            self.assertEqual(self.chosen(**nothing), "", nothing)
        self.assertEqual(self.stats(), {"selected": 24})

    def test_anyEndpoint(self) -> None:
        """The fallback may be everyone."""
        self.make(fallback="ANY_ENDPOINT")
        self.assertEqual(self.chosen(), "abcde")
        self.assertEqual(self.chosen(stage="test"), "abcde")
        self.assertEqual(self.chosen(stage="dev"), "cd")
        self.assertEqual(self.stats(), {"selected": 6, "fallback": 12})

    def test_defaultSubset(self) -> None:
        """Or those that have something of their own; nobody, unless in panic."""
        self.make(fallback="DEFAULT_SUBSET", default={"stage": "dev"})
        self.assertEqual(self.chosen(v=9), "cd")
        self.make(fallback="DEFAULT_SUBSET", default={"v": 3}, listAsAny=True)
        self.assertEqual(self.chosen(), "c")
        self.make(fallback="DEFAULT_SUBSET")
        self.assertEqual(self.chosen(), "abcde")
        self.make(fallback="DEFAULT_SUBSET", default={"stage": "x"})
        self.assertEqual(self.chosen(), "")
        self.assertEqual(self.stats(), {"lb_healthy_panic": 6})
        self.make(fallback="DEFAULT_SUBSET", default={"stage": "x"}, panicAny=True)
        self.assertEqual(self.chosen(), "abcde")
        self.assertEqual(self.stats(), {"fallback_panic": 6, "lb_healthy_panic": 6})
        self.balancer.hostsChanged(())
        self.assertEqual(self.chosen(), "")

    def test_panicWithoutFallback(self) -> None:
        """There is no panic where there is no fallback."""
        self.make(panicAny=True)
        self.assertEqual(self.chosen(stage="test"), "")

    def test_selectorFallback(self) -> None:
        """A selector's own fallback holds for its keys."""
        self.make(
            Selector(("stage",), "ANY_ENDPOINT"),
            Selector(("v",), "NO_FALLBACK"),
            Selector(("x",), "DEFAULT_SUBSET"),
            fallback="ANY_ENDPOINT",
            default={"v": 2},
        )
        self.assertEqual(self.chosen(stage="test"), "abcde")
        self.assertEqual(self.chosen(v=9), "")
        self.assertEqual(self.chosen(x=9), "b")
        self.assertEqual(self.stats(), {})

    def test_keysSubset(self) -> None:
        """Fewer criteria may be tried instead."""
        keys = frozenset(["stage"])
        self.make(Selector(("stage", "v"), "KEYS_SUBSET", keys), STAGE)
        self.assertEqual(self.chosen(stage="prod", v=9), "ab")
        self.assertEqual(self.chosen(stage="test", v=9), "")
        self.assertEqual(self.chosen(stage="prod", v=1), "a")

    def test_shadowedFallback(self) -> None:
        """Envoy forgets the fallback of a selector that an earlier, longer one begins with."""
        stage = Selector(("stage",), "ANY_ENDPOINT")
        self.make(BOTH, stage)
        self.assertEqual(self.chosen(stage="test"), "")
        self.make(stage, BOTH)
        self.assertEqual(self.chosen(stage="test"), "abcde")

    def test_listAsAny(self) -> None:
        """A host with a list is in several subsets."""
        self.make(listAsAny=True)
        self.assertEqual(self.chosen(stage="dev", v=1), "c")
        self.assertEqual(self.chosen(stage="dev", v=3), "c")
        self.assertEqual(self.chosen(stage="dev", v=[1, 3]), "")

    def test_singleHost(self) -> None:
        """A subset may have one host only; the others are counted."""
        self.make(Selector(("stage",), singleHost=True))
        self.assertEqual(self.chosen(stage="prod"), "a")
        self.assertEqual(self.chosen(stage="dev"), "c")
        self.assertEqual(self.stats(), {"selected": 12, "single_host_per_subset_duplicate": 2})

    def test_fallbackList(self) -> None:
        """Alternatives are tried in turn, on top of the other criteria."""
        self.make(fallbackList=True)
        tried = [{"v": 9}, {"v": 2}, {"v": 1}]
        self.assertEqual(self.chosen(stage="prod", fallback_list=tried), "b")
        self.assertEqual(self.chosen(stage="test", fallback_list=tried), "")
        self.assertEqual(self.chosen(fallback_list=[{"stage": "test"}, {"x": True}]), "d")
        self.assertEqual(self.chosen(stage="prod", v=1, fallback_list=[]), "a")
        self.make()
        self.assertEqual(self.chosen(stage="prod", fallback_list=tried), "")

    def test_redundantKeys(self) -> None:
        """Keys that no selector has may be passed over; the first selector that fits holds."""
        self.make(redundantKeys=True)
        self.assertEqual(self.chosen(stage="prod", q=1), "ab")
        self.assertEqual(self.chosen(stage="prod", q=1, v=1), "a")
        self.assertEqual(self.chosen(q=1), "")

    def test_hostsChange(self) -> None:
        """Subsets come and go with their hosts; those that stay keep their turn."""
        balancer = self.make(STAGE)
        store = self.store
        hosts = world()
        balancer.hostsChanged(hosts[:3])
        self.assertEqual(self.chosen(stage="dev"), "c")
        inner = dict(balancer._subsets)
        balancer.hostsChanged(hosts[:2])
        self.assertEqual(self.chosen(stage="dev"), "")
        (kept,) = balancer._subsets.values()
        self.assertIn(kept, inner.values())
        self.assertEqual(
            [store.value(f"lb_subsets_{name}") for name in ("active", "created", "removed")],
            [2, 4, 2],  # each twice, as of Envoy's main thread and one worker
        )
