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
            (b"text/plain", False),
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
        self.assertEqual(grpcStatusOfHTTP(418), 2)
