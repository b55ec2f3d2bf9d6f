"""What hosts must have."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.load_balancing_policies.subset.criteria import (
    criteriaOf,
    frozen,
    has,
    keysOf,
    subsetKey,
)
from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo


class FakeHost:
    """A host with metadata for balancers."""

    def __init__(self, **values: object) -> None:
        self.metadata = {"envoy.lb": values} if values else {}


class FrozenTests(SynchronousTestCase):
    """Values that are compared."""

    def test_different(self) -> None:
        """No two of these are equal."""
        values: list[Any] = [None, True, False, 1, 0, "1", "", [], [1], [1, 2], {}, {"a": 1}]
        values += [{"a": True}, [[1]], [None]]
        for one, other in combinations(values, 2):
            self.assertNotEqual(frozen(one), frozen(other), (one, other))

    def test_equal(self) -> None:
        """Numbers are compared as numbers, structs in any order."""
        self.assertEqual(hash(frozen(1)), hash(frozen(1.0)))
        one, other = frozen({"a": [1], "b": {}}), frozen({"b": {}, "a": [1.0]})
        self.assertEqual((one, hash(one)), (other, hash(other)))
        self.assertEqual(subsetKey({"b": 1, "a": 2}), subsetKey({"a": 2, "b": 1}))


class CriteriaTests(SynchronousTestCase):
    """Where criteria come from."""

    def test_merged(self) -> None:
        """The request's own say more than its connection's, and those more than the route's."""
        connection = StreamInfo(0.0)
        request = RequestInfo(connection, 0.0)
        context = LoadBalancerContext(None, {"a": 1, "b": 1, "c": 1}, request)
        self.assertEqual(criteriaOf(context), {"a": 1, "b": 1, "c": 1})
        connection.dynamicMetadata["envoy.lb"] = {"b": 2, "c": 2}
        request.dynamicMetadata["envoy.lb"] = {"c": 3, "d": 3}
        self.assertEqual(criteriaOf(context), {"a": 1, "b": 2, "c": 3, "d": 3})
        context = LoadBalancerContext(None, None, connection)
        self.assertEqual(criteriaOf(context), {"b": 2, "c": 2})
        self.assertIsNone(criteriaOf(LoadBalancerContext()))
        self.assertIsNone(criteriaOf(LoadBalancerContext(None, None, StreamInfo(0.0))))


class HostTests(SynchronousTestCase):
    """What hosts have."""

    def test_keysOf(self) -> None:
        """A host is in one subset of a selector, or in none."""
        host: Any = FakeHost(a=1, b="x", c=[1, 2])
        self.assertEqual(keysOf(host, ("a", "b"), False), [subsetKey({"a": 1, "b": "x"})])
        self.assertEqual(keysOf(host, ("a", "q"), False), [])
        self.assertEqual(keysOf(host, (), False), [])
        bare: Any = FakeHost()
        self.assertEqual(keysOf(bare, ("a",), False), [])
        self.assertEqual(keysOf(host, ("c",), False), [subsetKey({"c": [1, 2]})])

    def test_listAsAny(self) -> None:
        """A list stands for each of its values, in every combination."""
        host: Any = FakeHost(a=[1, 2], b=["x", "y"], c=[])
        expected = [subsetKey({"a": a, "b": b}) for a in (1, 2) for b in "xy"]
        self.assertEqual(keysOf(host, ("a", "b"), True), expected)
        self.assertEqual(keysOf(host, ("c",), True), [])

    def test_has(self) -> None:
        """All that is wanted; nothing is always there."""
        host: Any = FakeHost(a=1, c=[1, 2])
        self.assertTrue(has(host, {}, False))
        self.assertTrue(has(host, {"a": 1, "c": [1, 2]}, False))
        self.assertFalse(has(host, {"a": True}, False))
        self.assertFalse(has(host, {"b": 1}, False))
        self.assertFalse(has(host, {"c": 2}, False))
        self.assertTrue(has(host, {"c": 2}, True))
        self.assertFalse(has(host, {"c": [1, 2]}, True))
