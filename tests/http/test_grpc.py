"""Tests for twisted_envoy.http.grpc; the tables are what Envoy 1.40 did."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.grpc import (
    codeOfStatus,
    percentEncode,
)


class StatusTests(SynchronousTestCase):
    """Statuses."""

    def test_toCode(self) -> None:
        """All seventeen, and what is none."""
        codes = [codeOfStatus(status) for status in (*range(17), 17, -1)]
        self.assertEqual(
            codes,
            [
                *(200, 499, 500, 400, 504, 404, 409, 403, 429, 400),
                *(409, 400, 501, 500, 503, 500, 401, 500, 500),
            ],
        )


class MessageTests(SynchronousTestCase):
    """grpc-message."""

    def test_encoded(self) -> None:
        """What is not printable, percent and tilde."""
        for text, expected in (
            (b"orig", b"orig"),
            ('a%b \u00e9\n\t"~\x7f'.encode(), b'a%25b %C3%A9%0A%09"%7E%7F'),
            (b"", b""),
        ):
            self.assertEqual(percentEncode(text), expected)
