"""Tests for twisted_envoy.network.fraction."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.views import viewOfYAML
from twisted_envoy.network.fraction import buildFraction
from twisted_envoy.server.runtime import Runtime

TYPE = "envoy.config.core.v3.RuntimeFractionalPercent"


class FractionTests(SynchronousTestCase):
    def within(self, value: int, default: str, runtime: object = None, key: str = "k") -> bool:
        yaml = f"{{default_value: {default}, runtime_key: {key!r}}}"
        values = {} if runtime is None else {"k": runtime}
        return buildFraction(viewOfYAML(TYPE, yaml), Runtime(values))(value)

    def test_default(self) -> None:
        """numerator of denominator, with a key that has no value and without a key."""
        for key in ("", "k"):
            self.assertTrue(self.within(124, "{numerator: 25}", key=key))
            self.assertFalse(self.within(125, "{numerator: 25}", key=key))
            million = "{numerator: 25, denominator: MILLION}"
            self.assertTrue(self.within(1000024, million, key=key))
            self.assertFalse(self.within(124, million, key=key))

    def test_runtime(self) -> None:
        """A number means hundredths; a fraction means itself; other values mean nothing."""
        self.assertTrue(self.within(49, "{numerator: 0}", 50))
        self.assertFalse(self.within(50, "{numerator: 100}", 50))
        fraction = {"numerator": 1, "denominator": "TEN_THOUSAND"}
        self.assertTrue(self.within(10000, "{numerator: 0}", fraction))
        self.assertFalse(self.within(1, "{numerator: 100}", fraction))
        self.assertTrue(self.within(1, "{numerator: 100}", "text"))

    def test_keyIsAskedFor(self) -> None:
        """The runtime knows that the key has an effect."""
        runtime = Runtime({"k": 1})
        buildFraction(viewOfYAML(TYPE, "{default_value: {}, runtime_key: k}"), runtime)
        self.assertEqual(runtime.unasked(), [])
