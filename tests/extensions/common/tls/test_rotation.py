"""Tests for twisted_envoy.extensions.common.tls.rotation."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.tls.rotation import Rotating
from twisted_envoy.stats.metrics import Counter


class Subscription:
    """A secret that changes when it is looked at."""

    def __init__(self, *contents):
        self.contents = list(contents)
        self.users = []

    def add(self, user):
        self.users.append(user)

    def look(self):
        if self.contents:
            content = self.contents.pop(0)
            for user in self.users:
                user.take(content)


class RotatingTests(SynchronousTestCase):
    """Something made of secrets."""

    def setUp(self):
        self.updated = Counter("u")

    def test_changes(self):
        """What a secret brings is there at once, and counted, the first included."""
        rotating = Rotating(lambda: "one", [Subscription("two")], self.updated)
        self.assertEqual((rotating.value, self.updated.value), ("one", 1))

        self.assertEqual(rotating.current(), "two")
        self.assertEqual(rotating.current(), "two")
        self.assertEqual(self.updated.value, 2)

    def test_nothingToWatch(self):
        """Without secrets nothing ever changes."""
        rotating = Rotating(lambda: "one", [], self.updated)

        self.assertEqual((rotating.current(), self.updated.value), ("one", 0))

    def test_badAtFirst(self):
        """At start-up a mistake is a mistake."""

        def make():
            raise ConfigError("", "bad")

        self.assertRaises(ConfigError, Rotating, make, [], self.updated)
