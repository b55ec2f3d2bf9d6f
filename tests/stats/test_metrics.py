"""Tests for twisted_envoy.stats.metrics."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.stats.metrics import ComputedGauge, Counter, Gauge, TextReadout


class CounterTests(SynchronousTestCase):
    def test_startsAtZeroAndUnused(self) -> None:
        """A new counter prints 0 and has never been used."""
        counter = Counter("a.b")

        self.assertEqual((counter.name, counter.value, str(counter.value)), ("a.b", 0, "0"))
        self.assertFalse(counter.used)

    def test_anyWriteMakesItUsed(self) -> None:
        """Adding, also adding nothing, is a write."""
        one, nothing = Counter("a"), Counter("b")

        one.value += 5
        nothing.value += 0

        self.assertEqual((one.value, one.used), (5, True))
        self.assertEqual((nothing.value, nothing.used), (0, True))

    def test_resetKeepsWhetherItWasUsed(self) -> None:
        """After a reset a used counter is still used, an unused one still not."""
        used, unused = Counter("a"), Counter("b")
        used.value += 1

        used.reset()
        unused.reset()

        self.assertEqual((used.value, used.used), (0, True))
        self.assertEqual((unused.value, unused.used), (0, False))


class GaugeTests(SynchronousTestCase):
    def test_settingZeroIsAWrite(self) -> None:
        """A gauge that was set to 0 is used, as in Envoy."""
        gauge = Gauge("g")
        self.assertFalse(gauge.used)

        gauge.value = 0

        self.assertTrue(gauge.used)

    def test_goesUpAndDown(self) -> None:
        """Adding and taking away."""
        gauge = Gauge("g")

        gauge.value += 3
        gauge.value -= 1

        self.assertEqual(gauge.value, 2)


class ComputedGaugeTests(SynchronousTestCase):
    def test_addsUpItsFunctions(self) -> None:
        """Each reading asks every function."""
        held = [1, 2]
        gauge = ComputedGauge("g")
        gauge.functions.append(lambda: held[0])
        gauge.functions.append(lambda: held[1])

        before = gauge.value
        held[0] = 10

        self.assertEqual((before, gauge.value, gauge.used), (3, 12, True))

    def test_aDroppedFunctionIsNotAsked(self) -> None:
        """After drop only the others count."""
        gauge = ComputedGauge("g")
        gauge.functions.append(lambda: 5)
        other = lambda: 7  # noqa: E731
        gauge.functions.append(other)

        gauge.drop(other)

        self.assertEqual(gauge.value, 5)


class TextReadoutTests(SynchronousTestCase):
    def test_emptyUntilWritten(self) -> None:
        """Writing the empty text is a write too."""
        text = TextReadout("t")
        self.assertEqual((text.value, text.used), ("", False))

        text.value = ""

        self.assertTrue(text.used)
        text.value = "v1"
        self.assertEqual(text.value, "v1")
