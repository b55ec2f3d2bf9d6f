"""Tests for twisted_envoy.extensions.common.tls.rotation."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.tls.rotation import Rotating
from twisted_envoy.stats.metrics import Counter


class RotatingTests(SynchronousTestCase):
    """A file's content, made into something."""

    def setUp(self):
        self.path = self.mktemp()
        self.clock = Clock()
        self.updated, self.rejected = Counter("u"), Counter("r")
        self.write("one")

    def write(self, text):
        with open(self.path, "w") as file:
            file.write(text)

    def make(self):
        with open(self.path) as file:
            text = file.read()
        if "bad" in text:
            raise ConfigError("", "bad")
        return text

    def rotating(self, *paths):
        return Rotating(self.make, lambda: paths, self.clock.seconds, self.updated, self.rejected)

    def test_changes(self):
        """A change counts from the next look on, at most a second later."""
        rotating = self.rotating(self.path)
        self.write("another")
        self.assertEqual(rotating.current(), "one")

        self.clock.advance(1)

        self.assertEqual((rotating.current(), self.updated.value), ("another", 1))
        self.clock.advance(1)
        self.assertEqual((rotating.current(), self.updated.value), ("another", 1))

    def test_garbage(self):
        """What cannot be used changes nothing, and is told once."""
        rotating = self.rotating(self.path)
        self.write("bad thing")
        for _ in range(3):
            self.clock.advance(1)
            self.assertEqual(rotating.current(), "one")
        self.assertEqual((self.updated.value, self.rejected.value), (0, 1))

        self.write("good again")
        self.clock.advance(1)
        self.assertEqual(rotating.current(), "good again")

    def test_nothingToWatch(self):
        """Without files nothing ever changes."""
        rotating = self.rotating()
        self.write("another")
        self.clock.advance(5)

        self.assertEqual(rotating.current(), "one")

    def test_badAtFirst(self):
        """At start-up a mistake is a mistake."""
        self.write("bad")

        self.assertRaises(ConfigError, self.rotating, self.path)
