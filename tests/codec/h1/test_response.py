"""Tests of twisted_envoy.codec.h1.response; what follows a head is test_client's subject."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import ClientOwner
from twisted_envoy.codec.h1.response import (
    CHUNKED,
    RAW,
    UNTIL_CLOSE,
    ResponseHead,
    checkStart,
    parseResponse,
)
from twisted_envoy.codec.http import CodecError
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings


def parse(*lines: bytes, method: bytes = b"GET", upgrade: bool = False) -> ResponseHead:
    size = sum(len(line) + 2 for line in lines) + 2
    asked = (method, upgrade)
    return parseResponse(list(lines), size, asked, HTTP1Settings(), HeaderLimits())


class StatusTests(SynchronousTestCase):
    def test_taken(self) -> None:
        """Any single-digit version, any reason or none."""
        for line in (
            *(b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.1  200  \xff y"),
            *(b"HTTP/0.9 200 OK", b"HTTP/2.0\t200", b"HTTP/1.1 200 a\tb"),
        ):
            head = parse(line)
            self.assertEqual((head.status, head.headers), (200, {b":status": b"200"}))
            self.assertEqual(head.headerBytes, 3)

    def test_refused(self) -> None:
        """A status has three digits and begins with none of 0."""
        for line in (
            *(b"HTTP/1.1 20", b"HTTP/1.1 2000", b"HTTP/1.1 020", b"HTTP/1.1", b"HTTP/1.1 200x"),
            *(b"HTTP/11 200 OK", b"HTTP/1.10 200 OK", b" HTTP/1.1 200 OK", b"", b"HTTP/1.1 +20 OK"),
        ):
            self.assertRaises(CodecError, parse, line)

    def test_start(self) -> None:
        """Every beginning of a status line may become one."""
        for data in (b"H", b"HTTP/", b"HTTP/1.1 2"):
            checkStart(data)
        for data in (b"h", b"HTTX", b"\r\nHTTP/1.1"):
            self.assertRaises(CodecError, checkStart, data)


class LengthTests(SynchronousTestCase):
    def test_lengths(self) -> None:
        """What follows a head."""
        ok, chunked, five = b"HTTP/1.1 200 OK", b"transfer-encoding: Chunked", b"content-length: 5"
        for head, length in (
            (parse(ok, five), 5),
            (parse(ok, chunked), CHUNKED),
            (parse(ok), UNTIL_CLOSE),
            (parse(ok, five, method=b"HEAD"), 0),
            (parse(ok, method=b"CONNECT"), RAW),
            (parse(ok, five, method=b"CONNECT"), RAW),
            (parse(b"HTTP/1.1 304 N", five), 0),
            (parse(b"HTTP/1.1 304 N", chunked), 0),
            (parse(b"HTTP/1.1 101 S", b"upgrade: x", upgrade=True), RAW),
            (parse(b"HTTP/1.1 101 S", b"upgrade: x"), 0),
        ):
            self.assertEqual(head.length, length)
            self.assertEqual(head.closes, length in (RAW, UNTIL_CLOSE))


class CaseTests(SynchronousTestCase):
    def test_preserve(self) -> None:
        """Spellings are kept with preserve_case, the reason with forward_reason_phrase."""
        for reason in (False, True):
            settings = HTTP1Settings(headerCase="preserve", preserveReasonPhrase=reason)
            owner = ClientOwner(settings)
            owner.request()
            owner.feed(b"HTTP/1.1 200 Fine by me\r\nX-aB: 1\r\nContent-Length: 0\r\n\r\n")
            assert owner.response.headers is not None
            expected = {b"x-ab": b"X-aB", b"content-length": b"Content-Length"}
            if reason:
                expected[b":status"] = b"Fine by me"
            self.assertEqual(owner.response.headers.cases, expected)
