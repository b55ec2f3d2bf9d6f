"""How a balancer is asked."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.upstream.balancing import chooseFrom


class Balancer:
    """Names its methods."""

    def choose(self, context: Any) -> str:
        return "choose"


class Other(Balancer):
    def chooseOther(self, context: Any) -> str:
        return "other"


class ChooseTests(SynchronousTestCase):
    def test_which(self) -> None:
        """Only a retry with a wish, and only who knows priorities, goes another way."""
        plain, wishing = LoadBalancerContext(), LoadBalancerContext()
        wishing.priorities = object()
        for balancer, context, found in (
            (Other(), plain, "choose"),
            (Other(), wishing, "other"),
            (Balancer(), wishing, "choose"),
        ):
            made: Any = balancer
            self.assertEqual(chooseFrom(made, context), found)
