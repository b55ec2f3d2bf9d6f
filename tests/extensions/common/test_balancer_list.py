"""The first policy of a list that is known."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.load_balancing_policies.hosts import hosts
from tests.extensions.support import configOf
from twisted_envoy.errors import ConfigError, UnsupportedExtension
from twisted_envoy.extensions.common.balancer_list import buildFirst
from twisted_envoy.extensions.common.priorities import Prioritized

LIST = "envoy.config.cluster.v3.LoadBalancingPolicy"
ANY = "type.googleapis.com/envoy.extensions.load_balancing_policies.random.v3.Random"


class FakeContext:
    """Builds by name."""

    random = Random(0)

    def build(self, extension: Any, category: str) -> object:
        assert category == "load_balancing_policies"
        name: str = extension.name
        extension.take()
        if name == "unknown":
            raise ConfigError("p", "Didn't find a registered implementation for 'unknown'")
        if name == "wrong":
            raise ConfigError("p", "a mistake")
        if name == "later":
            raise UnsupportedExtension("p", "not implemented")

        class Balancer:
            """Chooses its own name."""

            hosts: Any = None

            def choose(self, context: Any) -> str:
                return name

            def hostsChanged(self, hosts: Any) -> None:
                """All are alike."""

        def make(hosts: Any) -> Any:
            return Balancer()

        make.looksAtHealth = name == "own"  # type: ignore[attr-defined]
        return make


class BuildFirstTests(SynchronousTestCase):
    """Without a server."""

    def build(self, *names: str) -> Any:
        """What comes of a list of these; "" has no config at all."""
        policies = [
            {"typed_extension_config": {"name": name, "typed_config": {"@type": ANY}}}
            if name
            else {}
            for name in names
        ]
        return buildFirst(configOf(LIST, {"policies": policies}), "me", FakeContext())

    def test_first(self) -> None:
        """Those that are not known, or not implemented, are passed over."""
        make = self.build("", "unknown", "later", "good", "wrong")
        balancer = make(hosts(1, 1))
        self.assertIsInstance(balancer, Prioritized)
        self.assertEqual(balancer.choose(None), "good")

    def test_looksAtHealth(self) -> None:
        """A policy that looks at priorities and health by itself gets all hosts."""
        self.assertNotIsInstance(self.build("own")(()), Prioritized)

    def test_none(self) -> None:
        """What is not implemented is said before what nobody knows."""
        self.assertRaises(UnsupportedExtension, self.build, "unknown", "later")
        problem = self.assertRaises(ConfigError, self.build, "unknown", "")
        self.assertEqual(
            problem.problem,
            "cluster: didn't find a registered load balancer factory implementation for me with "
            "names from [unknown, ]",
        )

    def test_mistake(self) -> None:
        """A mistake in one that is known is not passed over."""
        self.assertRaises(ConfigError, self.build, "wrong", "good")
