"""Tests for twisted_envoy.extensions.retry.host.previous_hosts.config."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf
from twisted_envoy.extensions.retry.host.previous_hosts import factories


class FactoryTests(SynchronousTestCase):
    def test_predicate(self) -> None:
        """Hosts that were tried are rejected."""
        (factory,) = factories
        rejects = factory.build(configOf(factory.typeURL), Context())
        host, other = object(), object()
        self.assertTrue(rejects(host, [other, host]))
        self.assertFalse(rejects(host, [other]))
