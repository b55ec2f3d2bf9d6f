"""Shares of random values."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf
from twisted_envoy.network.fraction import buildFraction, buildPercent, isWithin, readPercent
from twisted_envoy.server.runtime import Runtime

TYPE = "envoy.config.core.v3.RuntimeFractionalPercent"
PERCENT = "envoy.type.v3.FractionalPercent"


class FractionTests(SynchronousTestCase):
    def test_share(self) -> None:
        """Of 100, 10,000 or a million."""
        for denominator, of in (("HUNDRED", 100), ("TEN_THOUSAND", 10_000), ("MILLION", 10**6)):
            default = {"numerator": 7, "denominator": denominator}
            within = buildFraction(configOf(TYPE, {"default_value": default}), Runtime())
            self.assertEqual([within(value) for value in (6, 7, of + 6)], [True, False, True])

    def test_runtime(self) -> None:
        """A whole number is of 100, a percentage is itself, anything else is nothing."""
        runtime = Runtime()
        view = configOf(TYPE, {"default_value": {"numerator": 7}, "runtime_key": "k"})
        within = buildFraction(view, runtime)
        for value, most in (
            (50, 50),
            ({"numerator": 3, "denominator": "TEN_THOUSAND"}, 3),
            ({"denominator": "MILLION"}, 0),
            (True, 7),
            (-1, 7),
            ("x", 7),
        ):
            runtime.values["k"] = value
            found = [number for number in range(100) if within(number)]
            self.assertEqual(len(found), most, value)

    def test_percent(self) -> None:
        """Without a runtime key, and none at all."""
        within = buildPercent(configOf(PERCENT, {"numerator": 1}), "", Runtime())
        self.assertEqual((within(0), within(1)), (True, False))
        self.assertFalse(buildPercent(None, "", Runtime())(0))
        self.assertEqual(readPercent(None), (0, 100))

    def test_isWithin(self) -> None:
        """Asked for at each time."""
        runtime = Runtime({"k": 1})
        self.assertTrue(isWithin(runtime, "k", 0, 100, 0))
        self.assertFalse(isWithin(runtime, "other", 0, 100, 0))
