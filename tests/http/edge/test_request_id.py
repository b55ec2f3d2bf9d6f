"""Tests for twisted_envoy.http.edge.request_id."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from tests.http.edge.support import UUID, requestOf
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.request_id import REQUEST_ID, UUIDRequestID, idOf, withID

GIVEN = b"0d2a7d64-66b1-9d39-a39e-a6c5dd6b1f3f"


class UUIDTests(SynchronousTestCase):
    """Ids."""

    def test_new(self) -> None:
        """Random UUIDs of version 4, none twice."""
        ids = UUIDRequestID()
        made = [ids.new() for _ in range(500)]

        self.assertEqual(len(set(made)), 500)
        self.assertEqual([each for each in made if not re.match(UUID, each)], [])

    def test_withID(self) -> None:
        """Headers are copied for an id that is given, and stay; idOf says which one it is."""
        for own in (HeaderMap(), HeaderMap([(REQUEST_ID, GIVEN)])):
            for value in (b"", b"other"):
                made = withID(own, value)
                self.assertEqual(made.get(REQUEST_ID), value or own.get(REQUEST_ID))
                self.assertEqual(idOf(own, value), made.get(REQUEST_ID))
                self.assertEqual(made is own, not value)
            self.assertNotEqual(own.get(REQUEST_ID), b"other")

    def test_bits(self) -> None:
        """Each random digit is in its place; those of version and variant are set."""
        digits = "0123456789abcdef0123456789abcdef"
        ids = UUIDRequestID(randomBytes=lambda count: bytes.fromhex(digits) * (count // 16))

        self.assertEqual(ids.new(), b"01234567-89ab-4def-8123-456789abcdef")

    def test_set(self) -> None:
        """Whose id counts."""
        for packs, edge, keeps, expected in (
            (True, False, False, GIVEN),
            (True, True, True, GIVEN[:14] + b"4" + GIVEN[15:]),
            (False, True, True, GIVEN),
            (True, True, False, None),
        ):
            headers = requestOf((b"x-request-id", GIVEN))
            UUIDRequestID(packs).set(headers, edge, keeps)
            if expected is None:
                self.assertNotEqual(headers[b"x-request-id"], GIVEN)
            else:
                self.assertEqual(headers[b"x-request-id"], expected)

    def test_inResponse(self) -> None:
        """Only if there is one."""
        response = HeaderMap()
        ids = UUIDRequestID()
        ids.setInResponse(response, requestOf())
        self.assertEqual(response, {})
        ids.setInResponse(response, requestOf((b"x-request-id", b"a")))
        self.assertEqual(response, {b"x-request-id": b"a"})
