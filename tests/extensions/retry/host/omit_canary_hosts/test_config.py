"""Tests for twisted_envoy.extensions.retry.host.omit_canary_hosts.config."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf
from twisted_envoy.extensions.retry.host.omit_canary_hosts import factories


class FactoryTests(SynchronousTestCase):
    def test_predicate(self) -> None:
        """Hosts whose envoy.lb metadata says canary are rejected."""
        (factory,) = factories
        rejects = factory.build(configOf(factory.typeURL), Context())
        self.assertTrue(rejects(SimpleNamespace(metadata={"envoy.lb": {"canary": True}}), []))
        self.assertFalse(rejects(SimpleNamespace(metadata={"envoy.lb": {"canary": False}}), []))
        self.assertFalse(rejects(SimpleNamespace(metadata={}), []))
