"""Tests for twisted_envoy.extensions.retry.host.omit_host_metadata.config."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf
from twisted_envoy.extensions.retry.host.omit_host_metadata import factories


def build(content: dict[str, Any]) -> Any:
    (factory,) = factories
    return factory.build(configOf(factory.typeURL, content), Context())


class FactoryTests(SynchronousTestCase):
    def test_predicate(self) -> None:
        """Hosts that have all of metadata_match are rejected."""
        wanted = {"envoy.lb": {"stage": "old", "n": 1}}
        rejects = build({"metadata_match": {"filter_metadata": wanted}})
        self.assertTrue(rejects(SimpleNamespace(metadata=wanted), []))
        self.assertFalse(rejects(SimpleNamespace(metadata={"envoy.lb": {"stage": "old"}}), []))
        self.assertFalse(rejects(SimpleNamespace(metadata={}), []))

    def test_nothing(self) -> None:
        """Without metadata_match none is."""
        self.assertFalse(build({})(SimpleNamespace(metadata={}), []))
