"""Tests for twisted_envoy.stats.scope."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.stats.scope import Store, sanitizeName


class ScopeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.store = Store()

    def test_prefixesAddUp(self) -> None:
        """A scope's names start with its prefix; a missing dot is added."""
        inner = self.store.scope("listener").scope("127.0.0.1_80.")

        self.assertEqual(inner.counter("downstream_cx_total").name[:23], "listener.127.0.0.1_80.d")
        self.assertEqual(self.store.scope("").counter("x").name, "x")

    def test_oneNameIsOneObject(self) -> None:
        """However a full name is reached, it is the same metric."""
        scope = self.store.scope("tcp.a")

        self.assertIs(scope.counter("x"), self.store.counter("tcp.a.x"))
        self.assertIs(scope.gauge("x"), self.store.gauge("tcp.a.x"))
        self.assertIs(scope.histogram("x", "ms"), self.store.histogram("tcp.a.x"))
        self.assertIs(scope.textReadout("x"), self.store.textReadout("tcp.a.x"))
        self.assertEqual(self.store.histogram("tcp.a.x").unit, "ms")

    def test_counterAndGaugeOfOneNameAreTwo(self) -> None:
        """Kinds do not mix."""
        self.assertIsNot(self.store.counter("x"), self.store.gauge("x"))

    def test_namesAreSanitized(self) -> None:
        """Colons become underscores as in Envoy."""
        names = ("a", "a:b", "a://b", "a:/b", "a\0b")
        self.assertEqual([sanitizeName(name) for name in names], ["a", *["a_b"] * 4])
        self.assertEqual(self.store.scope("listener.[::1]_80").counter("x").name[9:14], "[__1]")

    def test_computedGaugesOfOneNameAddUp(self) -> None:
        """Two listeners with one stat_prefix share the gauge."""
        self.store.computedGauge("g", lambda: 2)
        gauge = self.store.computedGauge("g", lambda: 3)

        self.assertEqual((gauge.value, self.store.value("g")), (5, 5))

    def test_useOfComputedGauges(self) -> None:
        """From the start; or once somebody says so or it is seen not to be 0, and then for good."""
        value = 0
        said = False
        always = self.store.computedGauge("a", lambda: 0)
        gauge = self.store.computedGauge("g", lambda: value, lambda: said)
        other = self.store.computedGauge("o", lambda: value, lambda: False)

        self.assertEqual((always.used, gauge.used, other.used), (True, False, False))
        said = True
        self.assertTrue(gauge.used)
        said, value = False, 7
        self.assertEqual((gauge.used, other.used), (True, True))
        value = 0
        self.assertTrue(other.used)

    def test_writtenAndComputedGaugesDoNotMix(self) -> None:
        """One name cannot be both."""
        self.store.gauge("written")
        self.store.computedGauge("computed", lambda: 1)

        self.assertRaises(ValueError, self.store.computedGauge, "written", lambda: 1)
        self.assertRaises(ValueError, self.store.gauge, "computed")


class StoreTests(SynchronousTestCase):
    def test_resetTouchesCountersOnly(self) -> None:
        """Gauges and histograms keep what they have."""
        store = Store()
        store.counter("c").value += 3
        store.gauge("g").value += 3
        store.histogram("h").record(3)
        store.merge()

        store.resetCounters()

        self.assertEqual((store.value("c"), store.value("g")), (0, 3))
        self.assertEqual(store.histogram("h").total.count, 1)

    def test_valueOfNothing(self) -> None:
        """An unknown name is a KeyError."""
        self.assertRaises(KeyError, Store().value, "nope")

    def test_numbersAreCountersAndGauges(self) -> None:
        """Counters come before gauges."""
        store = Store()
        store.gauge("a")
        store.counter("b")

        self.assertEqual([one.name for one in store.numbers()], ["b", "a"])
