"""Tests for twisted_envoy.extensions.internal_redirect.previous_routes.config."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf
from twisted_envoy.extensions.internal_redirect.previous_routes import factories
from twisted_envoy.state.stream_info import StreamInfo


class FactoryTests(SynchronousTestCase):
    def test_predicate(self) -> None:
        """A redirect between two routes is followed once a request."""
        (factory,) = factories
        accepts = factory.build(configOf(factory.typeURL), Context())
        info = StreamInfo(0.0)
        asked = [("a", "b"), ("a", "c"), ("c", "b"), ("a", "b"), ("a", "c")]
        found = [accepts(info, route, target, False, False) for route, target in asked]
        self.assertEqual(found, [True, True, True, False, False])
        self.assertTrue(accepts(StreamInfo(0.0), "a", "b", False, False))
