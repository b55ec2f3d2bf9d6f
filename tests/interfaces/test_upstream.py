"""What a load balancer may look at."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.interfaces.upstream import LoadBalancerContext


class LoadBalancerContextTests(SynchronousTestCase):
    """One for each choice."""

    def test_own(self):
        """Without a word it asks for nothing; hosts that failed are its own."""
        first, second = LoadBalancerContext(), LoadBalancerContext(7, {"a": 1})
        first.tried.append(object())
        self.assertEqual((first.hashKey, first.metadataMatch), (None, None))
        self.assertEqual((second.hashKey, second.metadataMatch, second.tried), (7, {"a": 1}, []))
