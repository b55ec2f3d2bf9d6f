"""What a downstream connection asks of the upstream one."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
from twisted_envoy.state.filter_state import (
    FilterState,
    HashableStringObject,
    Sharing,
    StringObject,
)


class TransportSocketOptionsTests(SynchronousTestCase):
    """What separates pools."""

    def options(self, **objects):
        state = FilterState()
        for name, value in objects.items():
            state.set(name, value, sharing=Sharing.ONCE)
        return TransportSocketOptions(state.shared())

    def test_hashKey(self):
        """Hashable objects do, by name and value; others and the number of hops do not."""
        one = self.options(a=HashableStringObject("1"), b=StringObject("x"))
        same = self.options(b=StringObject("y"), a=HashableStringObject("1"))
        self.assertEqual(one.hashKey(), (("a", "1"),))
        self.assertEqual(one.hashKey(), same.hashKey())
        self.assertNotEqual(one.hashKey(), self.options(a=HashableStringObject("2")).hashKey())
        self.assertEqual(TransportSocketOptions(hops=3).hashKey(), ())

    def test_order(self):
        """The order in which objects were stored never splits a pool."""
        first = self.options(a=HashableStringObject("1"), b=HashableStringObject("2"))
        second = self.options(b=HashableStringObject("2"), a=HashableStringObject("1"))
        self.assertEqual(first.hashKey(), second.hashKey())
