"""Errors that users meet."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.errors import (
    ConfigError,
    Position,
    StreamError,
    UnsupportedExtension,
    UnsupportedField,
)


class ConfigErrorTests(SynchronousTestCase):
    """A config that cannot be obeyed."""

    def test_text(self):
        """Place, path and problem, as far as they are known."""
        position = Position("a.yaml", 3, 7)
        self.assertEqual(str(ConfigError("x.y", "no", position)), "a.yaml:3:7: x.y: no")
        self.assertEqual(str(ConfigError("x.y", "no")), "x.y: no")
        self.assertEqual(str(ConfigError("", "no")), "no")
        for kind in (UnsupportedField, UnsupportedExtension):
            self.assertIsInstance(kind("x", "no"), ConfigError)

    def test_order(self):
        """Places are in the order of the text."""
        self.assertLess(Position("a", 2, 9), Position("a", 10, 1))


class StreamErrorTests(SynchronousTestCase):
    """A fault of one connection."""

    def test_attributes(self):
        """It carries its flag and reason."""
        problem = StreamError("UF", "why")
        self.assertEqual((problem.flag, problem.reason), ("UF", "why"))
        self.assertEqual(StreamError("UH").reason, "")
