"""Tests of twisted_envoy.codec.h1.memo: a head out of the memo is the head that would be made."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import ClientOwner, ServerOwner
from twisted_envoy.codec.h1.memo import REQUEST_HOLES, RESPONSE_HOLES, HeadMemo
from twisted_envoy.codec.headers import HeaderMap

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
VALUES = (b"a", b"%b", b"100%", b"", b"x\r\ny: z", b"1\n", b"/a HTTP/1.1")
FIELDS = st.lists(
    st.tuples(
        st.sampled_from((b"x-request-id", b"date", b"content-length", b"b", b"c")),
        st.sampled_from(VALUES),
    ),
    max_size=4,
)
PATHS = (b"/", b"/%41", b"/b?x=%", b"/ HTTP/1.1", b"/\r\nx: y")


def sentRequest(owner: ClientOwner, headers: HeaderMap) -> tuple[bytes, int, int]:
    """What a codec sends for a request, and how it counts it."""
    before = len(owner.sent)
    owner.request(headers)
    sent = owner.sent[before:]
    owner.feed(b"HTTP/1.1 204 N\r\n\r\n")
    return sent, owner.encoder.headerBytes, owner.encoder.wireBytes


def sentResponse(owner: ServerOwner, headers: HeaderMap) -> tuple[bytes, int, int]:
    before = len(owner.sent)
    owner.feed(GET)
    owner.respond(headers, b"")
    return owner.sent[before:], owner.encoders[-1].headerBytes, owner.encoders[-1].wireBytes


class SameTests(SynchronousTestCase):
    """One codec that remembers, and a new one for each message."""

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(PATHS), FIELDS), min_size=2, max_size=6))
    def test_requests(self, requests: list[tuple[bytes, list[tuple[bytes, bytes]]]]) -> None:
        """Requests are the same, whatever was sent before them."""
        owner = ClientOwner()
        for path, fields in requests * 2:
            pseudo = [(b":method", b"GET"), (b":path", path), (b":authority", b"h")]
            http2 = [pseudo[0], (b":scheme", b"http"), pseudo[2], pseudo[1]]
            for pairs in ([*pseudo, *fields], [*http2, *fields], [*fields, *http2]):
                expected = sentRequest(ClientOwner(), HeaderMap(pairs))
                self.assertEqual(sentRequest(owner, HeaderMap(pairs)), expected)

    @settings(max_examples=200, deadline=None)
    @given(st.lists(FIELDS, min_size=2, max_size=6))
    def test_responses(self, responses: list[list[tuple[bytes, bytes]]]) -> None:
        """So are responses."""
        owner = ServerOwner()
        for fields in responses * 2:
            pairs = [(b":status", b"200"), (b"content-length", b"0"), *fields]
            expected = sentResponse(ServerOwner(), HeaderMap(pairs))
            self.assertEqual(sentResponse(owner, HeaderMap(pairs)), expected)


class MemoTests(SynchronousTestCase):
    def headers(self, *pairs: tuple[bytes, bytes]) -> HeaderMap:
        return HeaderMap([(b":status", b"200"), *pairs])

    def test_holes(self) -> None:
        """Values of holes are those of the headers; they do not end a line."""
        memo = HeadMemo(RESPONSE_HOLES)
        memo.keep(self.headers((b"date", b"1"), (b"a", b"1")), b"X\r\ndate: 1\r\na: 1\r\n\r\n")
        self.assertEqual(
            memo.find(self.headers((b"date", b"2%"), (b"a", b"1"))),
            b"X\r\ndate: 2%\r\na: 1\r\n\r\n",
        )
        for pairs in (
            *(((b"date", b"2\n"), (b"a", b"1")), ((b"date", b"\r2"), (b"a", b"1"))),
            *(((b"date", b"1"), (b"a", b"2")), ((b"a", b"1"), (b"date", b"1"))),
            ((b"date", b"1"),),
        ):
            self.assertIsNone(memo.find(self.headers(*pairs)), pairs)

    def test_otherOrder(self) -> None:
        """A head whose lines are not in the order of its headers is not kept."""
        memo = HeadMemo(RESPONSE_HOLES)
        head = b"X\r\ncontent-length: 2\r\ndate: 1\r\n\r\n"
        memo.keep(self.headers((b"date", b"1"), (b"content-length", b"2")), head)
        self.assertIsNone(memo.find(self.headers((b"date", b"3"), (b"content-length", b"4"))))

    def test_empty(self) -> None:
        """Before anything was kept nothing is found."""
        self.assertIsNone(HeadMemo(REQUEST_HOLES).find(self.headers()))

    def test_patience(self) -> None:
        """Where no head is like another few are looked at; one that comes to stay is kept."""
        memo = HeadMemo(frozenset())
        for number in range(100):
            value = b"%d" % number
            headers = self.headers((b"a", value))
            self.assertIsNone(memo.find(headers))
            memo.keep(headers, b"a: " + value)
        headers = self.headers((b"a", b"x"))
        tries = 0
        while memo.find(headers) is None:
            memo.keep(headers, b"a: x")
            tries += 1
        self.assertLessEqual(tries, 16)

    def test_large(self) -> None:
        """Large heads are not kept."""
        memo = HeadMemo(frozenset())
        memo.keep(self.headers(), b"x" * 10_000)
        self.assertIsNone(memo.find(self.headers()))
