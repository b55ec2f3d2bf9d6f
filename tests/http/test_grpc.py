"""Tests for twisted_envoy.http.grpc; the tables are what Envoy 1.40 did."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.grpc import (
    codeOfStatus,
    isGRPC,
    isGRPCType,
    percentEncode,
    statusOfCode,
)


class TypeTests(SynchronousTestCase):
    """What is gRPC."""

    def test_types(self) -> None:
        """Exactly this, or with a plus."""
        for text, expected in (
            (b"application/grpc", True),
            (b"application/grpc+proto", True),
            (b"application/grpc;x", False),
            (b"application/grpc-web", False),
            (b"application/GRPC", False),
            (b"application/grpcx", False),
            (b"application/grpc, a", False),
            (b"", False),
        ):
            self.assertIs(isGRPCType(text), expected, text)
            self.assertIs(isGRPC(HeaderMap(((b"content-type", text),))), expected, text)

    def test_noType(self) -> None:
        """None is not gRPC's."""
        self.assertFalse(isGRPC(HeaderMap()))


class StatusTests(SynchronousTestCase):
    """Statuses."""

    def test_ofCode(self) -> None:
        """The few that mean something; 2 for all others."""
        known = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
        for code in (*range(200, 600),):
            self.assertEqual(statusOfCode(code), known.get(code, 2), code)

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
