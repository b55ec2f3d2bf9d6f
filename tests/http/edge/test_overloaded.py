"""A share of requests is refused."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.edge.overloaded import OVERLOADED, refuser


class RefuserTests(SynchronousTestCase):
    """Of an edge that refuses none by itself."""

    def test_share(self) -> None:
        """All, about half, and none again: then the edge is as it was."""
        edge: Any = SimpleNamespace(prepareRequest=lambda *args: None)
        own = edge.prepareRequest
        refuse = refuser(edge, Random(7))
        refuse(1.0)
        self.assertEqual({edge.prepareRequest(1, 2) for _ in range(50)}, {OVERLOADED})
        refuse(0.5)
        found = [edge.prepareRequest(1, 2) for _ in range(200)].count(OVERLOADED)
        self.assertTrue(60 < found < 140, found)
        refuse(0.0)
        self.assertIs(edge.prepareRequest, own)
