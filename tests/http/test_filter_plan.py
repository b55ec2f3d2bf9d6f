"""Which filters of a chain have a say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http.test_filter_chain import Idle, Teller
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.filter_plan import FilterPlan


class FilterPlanTests(SynchronousTestCase):
    """Who has a say."""

    def test_idleFiltersHaveNone(self) -> None:
        """A filter that defines nothing is in no direction's steps."""
        plan = FilterPlan([Idle, Teller, Idle])

        self.assertEqual([step[0] for step in plan.decodeSteps], [1])
        self.assertEqual([step[0] for step in plan.encodeSteps], [1])
        self.assertEqual([index for index, _ in plan.needed], [1, 2])
        self.assertEqual(plan.ended, ())
        self.assertFalse(plan.decodesAlone)

    def test_terminalAlone(self) -> None:
        """Where only the last looks at requests and nobody at responses, the plan says so."""

        class Terminal(HTTPFilter):
            def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
                """Looks."""

            def streamEnded(self) -> None:
                """Lets go."""

        plan = FilterPlan([Idle, Terminal])

        self.assertTrue(plan.decodesAlone)
        self.assertTrue(plan.encodesAlone)
        self.assertEqual(plan.ended, (1,))


class DisabledTests(SynchronousTestCase):
    """Filters that are off for some requests."""

    def test_forRoute(self) -> None:
        """What the chain or the route disables is left out; the route has the last word."""
        plan = FilterPlan([Teller, Teller, Teller], ["a", "b", "c"], frozenset({"a"}))

        self.assertEqual(plan.forRoute({}).names, ("b", "c"))
        self.assertEqual(plan.forRoute({"b": True}).names, ("c",))
        self.assertEqual(plan.forRoute({"a": False}).names, ("a", "b", "c"))
        self.assertIs(plan.forRoute({"a": False}), plan)
        self.assertIs(plan.forRoute({}), plan.forRoute({}))


class Watching(Teller):
    """Says which header it watches for."""

    __slots__ = ()

    def watches(self, route: Any, name: str) -> frozenset[bytes]:
        return frozenset((self.name.encode(),))


class WatchedTests(SynchronousTestCase):
    """Filters that need not see each request."""

    def test_watched(self) -> None:
        """Names of headers add up; one filter that has to see each request is enough."""
        route: Any = SimpleNamespace(filterDisabled={})

        def watched(*filters: Any, **disabled: bool) -> frozenset[bytes] | None:
            makers = [lambda one=one: one for one in (*filters, Idle())]  # type: ignore[misc]
            names = [f"f{number}" for number in range(len(makers))]
            route.filterDisabled = disabled
            return FilterPlan(makers, names, frozenset(("f0",))).watched(route)

        one, two, each = Watching("a"), Watching("b"), Teller()
        self.assertEqual(watched(one, one, Idle(), two), {b"a", b"b"})
        self.assertEqual(watched(one, Idle()), frozenset())
        self.assertIsNone(watched(one, each))
        self.assertEqual(watched(each, two), {b"b"})
        self.assertIsNone(watched(each, two, f0=False))
        self.assertEqual(watched(one, each, f1=True), frozenset())

    def test_alone(self) -> None:
        """A request that no other filter has to see has only the terminal one."""
        plan = FilterPlan([Teller, Idle, Teller], ["a", "b", "c"])
        self.assertEqual((plan.alone.makers, plan.alone.names), ((Teller,), ("c",)))
        self.assertIs(plan.alone, plan.alone)
