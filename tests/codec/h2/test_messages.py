"""Which header fields make a message."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.support import REQUEST
from twisted_envoy.codec.h2.failures import MessageFailure
from twisted_envoy.codec.h2.messages import _REQUEST_PSEUDO, Messages, contentLength
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings
from twisted_envoy.http.h2_stats import HTTP2Stats
from twisted_envoy.stats.scope import Store

FIELD = "http2.invalid.header.field"
MESSAGING = "http2.violation.of.messaging.rule"
LIMIT = "http2.too_many_headers"


words = st.one_of(
    st.sampled_from(
        (b":method", b":path", b":scheme", b":status", b"cookie", b"te", b"via", b"content-length")
    ),
    st.sampled_from((b"x", b"x-1", b"a_b", b"Bad", b"connection", b"", b"trailers", b"host")),
    st.binary(max_size=4),
    st.just(b"v" * 90),
)
fieldLists = st.lists(st.tuples(words, words), max_size=8)


class MessagesTests(SynchronousTestCase):
    """Requests, responses and trailers."""

    def setUp(self) -> None:
        self.stats = HTTP2Stats(Store().scope("http2."))
        self.messages = self.make()

    def make(self, limits: HeaderLimits | None = None, **settings: object) -> Messages:
        return Messages(
            HTTP2Settings(**settings),  # type: ignore[arg-type]
            limits or HeaderLimits(),
            self.stats,
        )

    def refused(self, *fields: tuple[bytes, bytes], messages: Messages | None = None) -> str:
        with self.assertRaises(MessageFailure) as caught:
            (messages or self.messages).request(fields)
        return caught.exception.details

    def request(self, **changed: bytes) -> tuple[tuple[bytes, bytes], ...]:
        """REQUEST with other pseudo-headers, named without colon."""
        return tuple((name, changed.get(name[1:].decode(), value)) for name, value in REQUEST)

    @settings(max_examples=300, deadline=None, database=None)
    @given(fieldLists)
    def test_allAtOnce(self, fields: list[tuple[bytes, bytes]]) -> None:
        """What is looked at as a whole is what it is when each field is."""
        made = self.make(HeaderLimits(200, 6))
        for read in (made._readEach, made._read, made._read):
            try:
                found: object = list(read(fields, _REQUEST_PSEUDO).pairs())
            except MessageFailure as failure:
                found = failure.details, failure.violation
            if read == made._readEach:
                expected = found
            self.assertEqual(found, expected)

    def test_request(self) -> None:
        """Fields keep their order, and several of a name."""
        fields = [*REQUEST, (b"x", b"1"), (b"accept", b"a"), (b"x", b"2"), (b"accept", b"b")]
        headers = self.messages.request(fields)
        self.assertEqual(list(headers)[-2:], [b"x", b"accept"])
        self.assertEqual(headers.every(b"x"), [b"1", b"2"])
        self.assertEqual(headers.every(b"accept"), [b"a", b"b"])

    def test_again(self) -> None:
        """The same fields make the same headers, each time others."""
        fields = [*REQUEST, (b"x", b"1"), (b"x", b"2")]
        for _ in range(4):
            headers = self.messages.request(fields)
            self.assertEqual(headers.every(b"x"), [b"1", b"2"])
            headers.remove(b"x")
            headers.set(b":path", b"/elsewhere")
        answer = [(b":status", b"200"), (b"server", b"s")]
        for _ in range(4):
            headers = self.messages.response(answer)
            self.assertEqual(list(headers.pairs()), answer)
            headers.clear()
        wrong = [(b":status", b"2000")]
        for _ in range(3):
            self.assertRaises(MessageFailure, self.messages.response, wrong)

    def test_countsAgain(self) -> None:
        """What is counted is counted each time."""
        messages = self.make(HeaderLimits(underscores="DROP_HEADER"))
        fields = [*REQUEST, (b"x_y", b"1")]
        for _ in range(3):
            self.assertNotIn(b"x_y", messages.request(fields))
        self.assertEqual(self.stats.dropped_headers_with_underscores.value, 3)

    def test_cookies(self) -> None:
        """Crumbs are one cookie."""
        headers = self.messages.request([*REQUEST, (b"cookie", b"a=1"), (b"cookie", b"b=2")])
        self.assertEqual(headers.every(b"cookie"), [b"a=1; b=2"])

    def test_host(self) -> None:
        """It is the authority when there is none, nothing otherwise; two are refused."""
        bare = [pair for pair in REQUEST if pair[0] != b":authority"]

        headers = self.messages.request([*bare, (b"host", b"h"), (b"x", b"y")])
        self.assertEqual(list(headers), [b":method", b":scheme", b":path", b":authority", b"x"])
        self.assertEqual(headers[b":authority"], b"h")
        headers = self.messages.request([*bare, (b"host", b"h")])
        self.assertEqual(headers[b":authority"], b"h")
        headers = self.messages.request([*REQUEST, (b"host", b"other")])
        self.assertEqual(headers, HeaderMap(REQUEST))
        self.assertEqual(self.refused(*bare), MESSAGING)
        self.assertEqual(self.refused(*REQUEST, (b"host", b"a"), (b"host", b"b")), FIELD)

    def test_paths(self) -> None:
        """Origin form without spaces, or a star for OPTIONS."""
        for path in (b"/", b'/"<>\\^`{|}#?%[]\x80', b"//"):
            self.messages.request(self.request(path=path))
        self.messages.request(self.request(path=b"*", method=b"OPTIONS"))
        for path in (b"up", b"/a b", b"/\x7f", b"", b"http://host/"):
            self.assertEqual(self.refused(*self.request(path=path)), FIELD)
        self.assertEqual(self.refused(*self.request(path=b"*")), MESSAGING)

    def test_authorities(self) -> None:
        """Hosts and ports, no user and no path."""
        for authority in (b"a", b"a:80", b"[::1]:80", b"a%20_~"):
            self.messages.request(self.request(authority=authority))
        for authority in (b"", b"u@a", b"a/b", b"a b", b"a\x80", b"a?", b"a#"):
            self.assertEqual(self.refused(*self.request(authority=authority)), FIELD)

    def test_schemesAndMethods(self) -> None:
        """Any scheme and any token."""
        self.messages.request(self.request(scheme=b"ftp"))
        self.messages.request(self.request(method=b"get!"))
        for changed in ({"scheme": b""}, {"scheme": b"h p"}, {"method": b""}, {"method": b"G:T"}):
            self.assertEqual(self.refused(*self.request(**changed)), FIELD)

    def test_values(self) -> None:
        """Any bytes but control characters; obs-text when it is not refused."""
        self.messages.request([*REQUEST, (b"a", b" b\tc \xff")])
        for byte in (0, 1, 10, 13, 127):
            self.assertEqual(self.refused(*REQUEST, (b"a", bytes([byte]))), FIELD)
        strict = self.make(refusesObsText=True)
        self.assertEqual(self.refused(*REQUEST, (b"a", b"\xff"), messages=strict), FIELD)

    def test_connect(self) -> None:
        """Plain CONNECT has no content-length; extended CONNECT needs to be allowed."""
        plain = ((b":method", b"CONNECT"), (b":authority", b"a:1"))
        headers = self.messages.request([*plain, (b"content-length", b"5")])
        self.assertEqual(headers, HeaderMap(plain))

        extended = (*self.request(method=b"CONNECT"), (b":protocol", b"websocket"))
        self.assertEqual(self.refused(*extended), FIELD)
        allowed = self.make(allowConnect=True)
        self.assertEqual(allowed.request(extended)[b":protocol"], b"websocket")
        other = (*REQUEST, (b":protocol", b"websocket"))
        self.assertEqual(self.refused(*other, messages=allowed), MESSAGING)

    def test_te(self) -> None:
        """Trailers, however it is spelt."""
        self.messages.request([*REQUEST, (b"te", b"Trailers")])
        self.assertEqual(self.refused(*REQUEST, (b"te", b"gzip")), FIELD)

    def test_limits(self) -> None:
        """Bytes of all, count of all, bytes of one."""
        few = self.make(HeaderLimits(maxCount=5))
        few.request([*REQUEST, (b"a", b"b")])
        self.assertEqual(self.refused(*REQUEST, (b"a", b"b"), (b"c", b"d"), messages=few), LIMIT)
        small = self.make(HeaderLimits(maxBytes=100))
        self.assertEqual(self.refused(*REQUEST, (b"a", b"b" * 60), messages=small), LIMIT)
        field = self.make(maxFieldBytes=20)
        self.assertEqual(self.refused(*REQUEST, (b"a", b"b" * 21), messages=field), LIMIT)

    def test_underscores(self) -> None:
        """Kept, dropped or refused."""
        fields = (*REQUEST, (b"a_b", b"c"))
        self.assertEqual(self.messages.request(fields)[b"a_b"], b"c")
        dropping = self.make(HeaderLimits(underscores="DROP_HEADER"))
        self.assertNotIn(b"a_b", dropping.request(fields))
        self.assertEqual(self.stats.dropped_headers_with_underscores.value, 1)
        refusing = self.make(HeaderLimits(underscores="REJECT_REQUEST"))
        self.assertEqual(self.refused(*fields, messages=refusing), "http2.unexpected_underscore")
        self.assertEqual(self.stats.requests_rejected_with_underscores_in_headers.value, 1)

    def test_responses(self) -> None:
        """One status of three digits, and not 101."""
        good = self.messages.response([(b":status", b"200"), (b"a", b"b")])
        self.assertEqual(good, {b":status": b"200", b"a": b"b"})
        for status in (b"", b"20", b"2000", b"101", b"abc", b"099"):
            with self.assertRaises(MessageFailure):
                self.messages.response([(b":status", status)])
        for fields in ([], [(b":status", b"200")] * 2, [*REQUEST, (b":status", b"200")]):
            with self.assertRaises(MessageFailure):
                self.messages.response(fields)

    def test_trailers(self) -> None:
        """No pseudo-headers."""
        self.assertEqual(self.messages.trailers([(b"a", b"b")]), {b"a": b"b"})
        with self.assertRaises(MessageFailure):
            self.messages.trailers([(b":status", b"200")])

    def test_contentLength(self) -> None:
        """A number, once."""
        self.assertEqual(contentLength(HeaderMap()), -1)
        self.assertEqual(contentLength(HeaderMap([(b"content-length", b"12")])), 12)
        for value in (b"", b"-1", b"+1", b"1,1", b"0x1", b"1" * 19):
            with self.assertRaises(MessageFailure):
                contentLength(HeaderMap([(b"content-length", value)]))
        pair = (b"content-length", b"1")
        self.assertEqual(self.refused(*REQUEST, pair, pair), FIELD)
