"""Tests for twisted_envoy.http.routes.entry."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import action, only, request, requestInfo
from twisted_envoy.http.routes.entry import (
    DEFAULT_TIMEOUT,
    RouteEntry,
    noRequestEdits,
    noResponseEdits,
)


class EntryTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """A route that says nothing costs nothing."""
        entry = action("")
        self.assertIs(entry.finalizeRequest, noRequestEdits)
        self.assertIs(entry.finalizeResponse, noResponseEdits)
        self.assertEqual(entry.timeout, DEFAULT_TIMEOUT)
        before = request()
        headers = before.copy()
        entry.finalizeRequest(headers, requestInfo())
        entry.finalizeResponse(headers, requestInfo())
        self.assertEqual(headers, before)

    def test_copy(self) -> None:
        """A copy says the same."""
        entry = action("timeout: 3s, priority: HIGH")
        copy = entry.copy()
        for slot in RouteEntry.__slots__:
            self.assertIs(getattr(copy, slot), getattr(entry, slot))

    def test_noCluster(self) -> None:
        """What is no cluster route names no cluster."""
        entry = only("{match: {prefix: /}, non_forwarding_action: {}}")
        self.assertEqual(entry.kind, "non_forwarding")
        self.assertIsNone(entry.clusterName(request()))
