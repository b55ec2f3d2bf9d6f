"""A share of requests is refused."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.http.edge.support import connectionFrom, makeEdge, requestOf
from twisted_envoy.http.edge.overloaded import OVERLOADED, refuser
from twisted_envoy.http.edge.refusal import Refusal
from twisted_envoy.state.request_info import RequestInfo


class RefuserTests(SynchronousTestCase):
    """Of an edge that refuses none by itself."""

    def test_share(self) -> None:
        """All, about half, and none again: then the edge is as it was."""
        edge = makeEdge()
        own = edge.prepareRequest
        refuse = refuser(edge, Random(7))

        def ask(times: int) -> list[Refusal | None]:
            connection = connectionFrom()
            info = RequestInfo(connection, 0.0)
            return [edge.prepareRequest(requestOf(), info, connection, False) for _ in range(times)]

        refuse(1.0)
        self.assertEqual(ask(50), [OVERLOADED] * 50)
        self.assertFalse(edge.isUsual)
        refuse(0.5)
        found = ask(200).count(OVERLOADED)
        self.assertTrue(60 < found < 140, found)
        refuse(0.0)
        self.assertEqual(edge.prepareRequest, own)
        self.assertTrue(edge.isUsual)
