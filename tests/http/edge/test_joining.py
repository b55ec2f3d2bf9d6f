"""Tests for twisted_envoy.http.edge.joining; what is expected is what Envoy 1.40 did."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.edge.support import Sent, makeEdge, requestOf
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.joining import (
    JOINED_IN_REQUESTS,
    JOINED_IN_RESPONSES,
    joinValues,
)


class JoiningTests(SynchronousTestCase):
    """joinValues."""

    def test_inPlace(self) -> None:
        """The name keeps its place; other names keep their values."""
        headers = HeaderMap(((b"via", b"1"), (b"x", b"1"), (b"via", b"2"), (b"x", b"2")))

        joinValues(headers, JOINED_IN_REQUESTS)

        self.assertEqual(list(headers.pairs()), [(b"via", b"1,2"), (b"x", b"1"), (b"x", b"2")])

    def test_nothingToJoin(self) -> None:
        """Costs nothing and changes nothing."""
        headers = HeaderMap(((b"via", b"1"),))

        joinValues(headers, JOINED_IN_REQUESTS)

        self.assertEqual(list(headers.pairs()), [(b"via", b"1")])

    def test_requests(self) -> None:
        """Cookies and unknown names stay apart."""
        names = (b"accept", b"cookie", b"x-request-id", b"x-foo")
        headers = requestOf(*((name, value) for name in names for value in (b"1", b"2")))

        sent = Sent(makeEdge(), headers)

        self.assertEqual(
            [sent.headers.every(name) for name in names],
            [[b"1,2"], [b"1", b"2"], [b"1,2"], [b"1", b"2"]],
        )

    def test_responses(self) -> None:
        """So do set-cookie's."""
        edge = makeEdge(server_header_transformation="PASS_THROUGH")
        names = (b"vary", b"set-cookie", b"server", b"date", b"accept")
        headers = HeaderMap(((b":status", b"200"),))
        for name in names:
            headers.add(name, b"1")
            headers.add(name, b"2")
        sent = Sent(edge, requestOf())

        edge.prepareResponse(headers, sent.info, sent.headers)

        self.assertEqual(
            [headers.every(name) for name in names],
            [[b"1,2"], [b"1", b"2"], [b"1,2"], [b"1,2"], [b"1", b"2"]],
        )

    def test_neverJoined(self) -> None:
        """What a comma would change."""
        for names in (JOINED_IN_REQUESTS, JOINED_IN_RESPONSES):
            self.assertTrue(names.isdisjoint((b"cookie", b"set-cookie", b"content-length")))
