"""Tests of twisted_envoy.codec.h1.similar: a similar head is read as the parser reads it."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import ServerOwner, responseOf
from twisted_envoy.codec.h1.request import RequestHead, parseRequest
from twisted_envoy.codec.h1.similar import readSimilar
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

METHODS = (b"GET", b"POST", b"CONNECT", b"OPTIONS", b"GE")
TARGETS = (b"/", b"/a?b", b"*", b"http://x/y", b"a:1", b"/ ", b"/\x7f", b"", b"/#", b"//")
VERSIONS = (b"HTTP/1.1", b"HTTP/1.0", b" HTTP/1.1", b"HTTP/1.1 ")
FIELDS = (
    *(b"Host: a", b"Host: b", b"x-request-id: 12", b"x-request-id: 34", b"x-request-id: 3\t"),
    *(b"x-request-id:  4", b"X-Request-Id: 56", b" folded", b"content-length: 0", b"a: 1"),
    *(b"upgrade: x", b"connection: upgrade", b"x-request-id: ", b"x-request-id: \x00\n"),
)
HEADS = st.tuples(
    st.sampled_from(METHODS),
    st.sampled_from(TARGETS),
    st.sampled_from(VERSIONS),
    st.lists(st.sampled_from(FIELDS), max_size=4),
)
Head = tuple[bytes, bytes, bytes, list[bytes]]


def blockOf(head: Head) -> bytes:
    method, target, version, fields = head
    first = b"%b %b %b" % (method, target, version)
    return b"\r\n".join((first, b"Host: h", *fields)) + b"\r\n\r\n"


def summary(owner: ServerOwner) -> tuple[object, ...]:
    """What an owner has heard of its newest request."""
    encoder = owner.encoders[-1]
    message = owner.requests[-1]
    failure = None if owner.error is None else (owner.error.details, owner.error.status)
    counts = (encoder.receivedHeaderBytes, encoder.receivedWireBytes)
    return (message.summary(), failure, counts, owner.codec.protocol)


class SameTests(SynchronousTestCase):
    @settings(max_examples=400, deadline=None)
    @given(HEADS, st.sampled_from(TARGETS), st.lists(st.sampled_from(FIELDS), max_size=4))
    @example((b"GET", b"/", b"HTTP/1.1", [b"x-request-id: 12"]), b"/a?b", [b"x-request-id: 34"])
    @example((b"GET", b"http://x/y", b"HTTP/1.1", []), b"/", [])
    @example((b"GET", b"/", b"HTTP/1.1", [b"x-request-id: 12", b" folded"]), b"/", [])
    @example((b"GET", b"/", b"HTTP/1.1", [b"X-Request-Id: 56", b"x-request-id: 12"]), b"/", [])
    def test_afterAnother(self, first: Head, target: bytes, fields: list[bytes]) -> None:
        """Whatever came before, a request is what it is on a connection of its own."""
        for second in (
            *((first[0], target, first[2], first[3]), (first[0], target, first[2], fields)),
            (*first[:3], [line.replace(b"12", b"34") for line in first[3]]),
        ):
            block = blockOf(second)
            owner, fresh = ServerOwner(), ServerOwner()
            owner.feed(blockOf(first))
            message = owner.requests[0]
            if owner.error is not None or not message.ended:
                return
            owner.respond(responseOf(), b"")
            if owner.encoders[0].closes or owner.codec.isDead:
                return
            owner.feed(block)
            fresh.feed(block)
            self.assertEqual(summary(owner), summary(fresh), second)


class SimilarTests(SynchronousTestCase):
    SEEN = b"GET /a HTTP/1.1\r\nhost: h\r\nx-request-id: 1234\r\na: b\r\n\r\n"

    def read(self, block: bytes) -> HeaderMap | None:
        head = RequestHead()
        lines = self.SEEN.split(b"\r\n")[:-2]
        parseRequest(head, lines, len(self.SEEN), HTTP1Settings(), HeaderLimits())
        return readSimilar(block, self.SEEN, head)

    def test_similar(self) -> None:
        """The path and the id are read, in their places."""
        headers = self.read(self.SEEN.replace(b"/a", b"/other").replace(b"1234", b"5678"))
        assert headers is not None
        self.assertEqual(
            list(headers.items()),
            [
                *((b":method", b"GET"), (b":path", b"/other"), (b":authority", b"h")),
                *((b"x-request-id", b"5678"), (b"a", b"b")),
            ],
        )

    def test_notSimilar(self) -> None:
        """Anything else is for the parser."""
        for old, new in (
            *((b"GET", b"PUT"), (b"/a", b"a"), (b"1.1", b"1.0"), (b"1234", b"12345")),
            *((b"1234", b"12 4"), (b"1234", b"12\n4"), (b"host", b"Host"), (b"/a", b"/a b")),
            *((b"a: b", b"a: c"), (b"/a", b"/\xff"), (b"GET /a", b"GET  /")),
        ):
            self.assertIsNone(self.read(self.SEEN.replace(old, new)), (old, new))
