"""Tests for twisted_envoy.formatter.operators.values."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import answeredRecord, bareRecord
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.formatter.operators.values import (
    grpcStatusOf,
    grpcStatusOfHTTP,
    headerText,
    isGRPC,
)


class ValuesTests(SynchronousTestCase):
    def test_headerText(self) -> None:
        """Every value comes back as the bytes that it was."""
        for value in (b"a", b"\xc3\xa9", b"\xe9\x80"):
            self.assertEqual(headerText(value).encode("utf-8", "surrogateescape"), value)

    def test_isGRPC(self) -> None:
        """By the content type alone."""
        for kind, answer in (
            (b"application/grpc", True),
            (b"application/grpc+json", True),
            (b"application/grpc;x", False),
            (b"application/grpc-web", False),
            (b"application/GRPC", False),
            (b"application/grpcx", False),
            (b"application/grpc, a", False),
            (b"text/plain", False),
            (b"", False),
        ):
            self.assertIs(isGRPC(HeaderMap([(b"content-type", kind)])), answer)
        self.assertFalse(isGRPC(HeaderMap()))
        self.assertFalse(isGRPC(None))

    def test_status(self) -> None:
        """Of trailers, headers, or the HTTP status."""
        info = answeredRecord().streamInfo
        self.assertEqual(grpcStatusOf(info), 2)
        info.responseHeaders.add(b"grpc-status", b"5")
        self.assertEqual(grpcStatusOf(info), 5)
        info.responseTrailers.add(b"grpc-status", b"x")
        self.assertEqual(grpcStatusOf(info), -1)
        self.assertIsNone(grpcStatusOf(bareRecord().streamInfo))

    def test_statusOfHTTP(self) -> None:
        """The few that mean something; 2 for all others."""
        known = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
        for code in range(200, 600):
            self.assertEqual(grpcStatusOfHTTP(code), known.get(code, 2), code)
