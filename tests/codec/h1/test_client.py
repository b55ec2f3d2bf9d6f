"""Tests of twisted_envoy.codec.h1.client."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import ClientOwner, Producer, requestOf
from tests.codec.h1.test_server import split
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

OK = b"HTTP/1.1 200 OK\r\n"
FIXED = OK + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nT: 1\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: ws\r\n\r\n"
ASKS_UPGRADE = requestOf(b"GET", b"/", (b"connection", b"Upgrade"), (b"upgrade", b"ws"))
ASKS_CONNECT = requestOf(b"CONNECT")
TRAILERS = HTTP1Settings(enableTrailers=True)

GOOD = (
    FIXED,
    CHUNKED,
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n" + FIXED,
    OK.replace(b"\r\n", b"\n") + b"X: y\n z\nContent-Length: 2\n\nok",
    b"HTTP/1.1 204 N\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 304 N\r\nContent-Length: 7\r\n\r\n",
    OK + b"\r\nuntil the end",
    b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
)


class ExchangeTests(SynchronousTestCase):
    def exchange(
        self, data: bytes, end: bool = False, request: HeaderMap | None = None
    ) -> ClientOwner:
        owner = ClientOwner(TRAILERS)
        owner.request(request)
        owner.feed(data)
        if end:
            owner.end()
        return owner

    def test_bodies(self) -> None:
        """A response comes without framing; then another request may begin."""
        for data in (FIXED, CHUNKED):
            owner = self.exchange(data)
            response = owner.response
            self.assertEqual((response.body, response.ended), (b"hello", True))
            self.assertTrue(owner.codec.reusable)
            self.assertEqual(owner.closedStreams, 1)
            owner.request()
            owner.feed(FIXED)
            self.assertEqual(owner.response.body, b"hello")
        self.assertEqual(owner.encoder.receivedWireBytes, len(FIXED))
        self.assertEqual(owner.encoder.receivedHeaderBytes, 18)

    def test_everySplit(self) -> None:
        """Where the bytes are cut makes no difference."""
        for data in GOOD:
            whole = self.exchange(data, end=True)
            self.assertIsNone(whole.error, data)
            for cut in range(1, len(data)):
                owner = ClientOwner(TRAILERS)
                owner.request()
                owner.feed(data[:cut], data[cut:])
                owner.end()
                self.assertEqual(owner.summary(), whole.summary(), data[:cut])

    def test_trailers(self) -> None:
        """Trailers end the response."""
        trailers = self.exchange(CHUNKED).response.trailers
        assert trailers is not None
        self.assertEqual(list(trailers.pairs()), [(b"t", b"1")])

    def test_interim(self) -> None:
        """Every 1xx but 101 is told and passed over."""
        owner = self.exchange(GOOD[2])
        self.assertEqual([each[b":status"] for each in owner.response.interim], [b"100", b"103"])
        self.assertEqual(owner.response.body, b"hello")

    def test_untilClose(self) -> None:
        """Without a length the body ends with the connection."""
        owner = self.exchange(OK + b"\r\nbody")
        self.assertFalse(owner.response.ended)
        owner.end()
        self.assertEqual((owner.response.body, owner.response.ended), (b"body", True))
        self.assertFalse(owner.codec.reusable)
        self.assertEqual(owner.closedStreams, 1)

    def test_head(self) -> None:
        """The response to HEAD has no body, whatever it says."""
        for fields in (b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b""):
            owner = self.exchange(OK + fields + b"\r\n", request=requestOf(b"HEAD"))
            self.assertTrue(owner.response.ended)
            self.assertTrue(owner.codec.reusable)

    def test_connect(self) -> None:
        """Behind a 2xx to CONNECT is the tunnel, whatever the response says."""
        for head in (
            *(OK, OK + b"Transfer-Encoding: chunked\r\n", OK + b"Content-Length: 2\r\n"),
            *(b"HTTP/1.1 204 N\r\n", b"HTTP/1.1 299 N\r\n"),
        ):
            owner = ClientOwner()
            owner.request(ASKS_CONNECT, b"")
            owner.feed(head + b"\r\nraw bytes")
            self.assertEqual((owner.response.body, owner.response.ended), (b"raw bytes", False))
            owner.encoder.encodeData(b"up", False)
            self.assertTrue(owner.sent.endswith(b"\r\n\r\nup"))
            owner.end()
            owner.encoder.encodeData(b"later", True)
            self.assertTrue(owner.sent.endswith(b"uplater"))
            self.assertTrue(owner.response.ended)
            self.assertFalse(owner.codec.reusable)

    def test_refusedConnect(self) -> None:
        """Another answer to CONNECT has an ordinary body."""
        data = b"HTTP/1.1 403 F\r\nContent-Length: 2\r\n\r\nno"
        owner = self.exchange(data, request=ASKS_CONNECT)
        self.assertEqual((owner.response.body, owner.response.ended), (b"no", True))
        owner = self.exchange(b"HTTP/1.1 101 F\r\n\r\n", request=ASKS_CONNECT)
        self.assertTrue(owner.response.ended)

    def test_upgrade(self) -> None:
        """Behind a 101 that was asked for and agrees is the tunnel."""
        owner = self.exchange(SWITCHING + b"raw", request=ASKS_UPGRADE)
        self.assertEqual((owner.response.body, owner.response.ended), (b"raw", False))

        owner = self.exchange(b"HTTP/1.1 101 S\r\n\r\n", request=ASKS_UPGRADE)
        self.assertTrue(owner.response.ended)
        owner = self.exchange(SWITCHING)
        self.assertTrue(owner.response.ended)
        self.assertFalse(owner.codec.reusable)
        owner = self.exchange(FIXED, request=ASKS_UPGRADE)
        self.assertTrue(owner.response.ended)


class RefusalTests(SynchronousTestCase):
    def test_garbage(self) -> None:
        """What is no response resets the stream with a protocol error, at once."""
        for data in (
            *(b"garbage", b"http/1.1 200 OK\r\n\r\n", b"ICY 200 OK\r\n\r\n", b" HTTP/1.1 200 OK"),
            *(b"HTTP/1.1 099 X\r\n\r\n", b"HTTP/1.1 0 X\r\n\r\n", b"HTTP/1.1 abc X\r\n\r\n"),
            *(b"HTTP/1.1 200X\r\n\r\n", b"\r\n" + FIXED, OK + b"x y: 1\r\n\r\n"),
            *(OK + b"x: a\0\r\n\r\n", OK + b"x\r\n\r\n", OK + b" folded\r\n\r\n"),
            OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
            OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            *(OK + b"Content-Length: +2\r\n\r\nok", OK + b"Content-Length: 2, 2\r\n\r\nok"),
            *(OK + b"Transfer-Encoding: gzip\r\n\r\n", OK + b"Transfer-Encoding: identity\r\n\r\n"),
            *(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",),
            *(b"HTTP/1.1 204 N\r\nContent-Length: 2\r\n\r\nok",),
            *(b"HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n",),
            *(b"HTTP/1.1 100 N\r\nContent-Length: 2\r\n\r\nok",),
            *(b"HTTP/1.1 100 N\r\nTransfer-Encoding: chunked\r\n\r\n",),
        ):
            owner = ClientOwner()
            owner.request()
            owner.feed(data)
            self.assertIsNotNone(owner.error, data)
            self.assertEqual(owner.response.reset, Reset.PROTOCOL_ERROR)
            self.assertFalse(owner.codec.reusable)
            self.assertEqual(owner.closedStreams, 1)

    def test_chunkedLength(self) -> None:
        """With allow_chunked_length a length beside chunks is forgotten."""
        owner = ClientOwner(HTTP1Settings(allowChunkedLength=True))
        owner.request()
        owner.feed(CHUNKED.replace(b"Transfer", b"Content-Length: 9\r\nTransfer"))
        assert owner.response.headers is not None
        self.assertNotIn(b"content-length", owner.response.headers)
        self.assertEqual(owner.response.body, b"hello")

    def test_limits(self) -> None:
        """Heads that are too large, or have too many fields."""
        limits = HeaderLimits(maxBytes=200, maxCount=3)
        for data in (
            *(OK + b"x: " + b"y" * 200, OK + b"x: " + b"y" * 200 + b"\r\n\r\n"),
            OK + b"x: y\r\n" * 4 + b"\r\n",
        ):
            owner = ClientOwner(limits=limits)
            owner.request()
            owner.feed(data)
            assert owner.error is not None
            self.assertEqual(owner.error.status, 431)
            self.assertEqual(owner.response.reset, Reset.PROTOCOL_ERROR)

    def test_unasked(self) -> None:
        """Bytes without a request, and behind a response, spoil the connection."""
        owner = ClientOwner()
        owner.feed(b"H")
        self.assertIsNotNone(owner.error)
        self.assertFalse(owner.codec.reusable)

        owner = ClientOwner()
        owner.request()
        owner.feed(FIXED + b"x")
        self.assertTrue(owner.response.ended)
        self.assertIsNone(owner.response.reset)
        self.assertIsNotNone(owner.error)
        self.assertFalse(owner.codec.reusable)

        owner = ClientOwner()
        owner.codec.newStream(owner.response)
        owner.feed(FIXED)
        self.assertEqual(owner.response.reset, Reset.PROTOCOL_ERROR)

    def test_oneAtATime(self) -> None:
        """A second request cannot begin."""
        owner = ClientOwner()
        owner.request()
        self.assertFalse(owner.codec.reusable)
        self.assertRaises(RuntimeError, owner.codec.newStream, owner.response)


class EndTests(SynchronousTestCase):
    def test_nothing(self) -> None:
        """An end before any byte of the response is a terminated connection."""
        for before in (b"", b"HTTP/1.1 100 C\r\n\r\n"):
            owner = ClientOwner()
            owner.request()
            owner.feed(before)
            owner.end()
            self.assertEqual(owner.response.reset, Reset.CONNECTION_TERMINATION)
            self.assertIsNone(owner.error)

    def test_cut(self) -> None:
        """An end in the middle is a protocol error."""
        for data in (b"H", OK + b"x: ", FIXED[:-1], FIXED[:-5], CHUNKED[:-9], CHUNKED[:-1]):
            owner = ClientOwner()
            owner.request()
            owner.feed(data)
            owner.end()
            self.assertEqual(owner.response.reset, Reset.PROTOCOL_ERROR, data)
            self.assertIsNotNone(owner.error)

    def test_idle(self) -> None:
        """An end between requests only says that there will be no more."""
        owner = ClientOwner()
        owner.end()
        self.assertFalse(owner.codec.reusable)
        self.assertIsNone(owner.error)

    def test_lostInTheMiddle(self) -> None:
        """A connection that is lost within a head or a body has broken the protocol."""
        for data, reason in (
            (b"", Reset.CONNECTION_TERMINATION),
            (OK, Reset.PROTOCOL_ERROR),
            (FIXED[:-1], Reset.PROTOCOL_ERROR),
            (OK + b"\r\nuntil the end", Reset.CONNECTION_TERMINATION),
        ):
            owner = ClientOwner()
            owner.request()
            owner.feed(data)
            owner.codec.connectionLost(Reset.CONNECTION_TERMINATION)

            self.assertIs(owner.response.reset, reason, data)

    def test_connectionLost(self) -> None:
        """The open stream is reset with the reason; then nothing happens any more."""
        owner = ClientOwner()
        owner.request(requestOf(b"POST"), b"")
        owner.codec.connectionLost(Reset.CONNECTION_TERMINATION)
        owner.codec.connectionLost(Reset.LOCAL)
        self.assertEqual(owner.response.reset, Reset.CONNECTION_TERMINATION)
        self.assertEqual(owner.closedStreams, 1)
        before = owner.sent
        owner.encoder.encodeData(b"x", True)
        owner.encoder.encodeHeaders(requestOf(), True)
        owner.encoder.encodeTrailers(requestOf())
        owner.encoder.resetStream(Reset.LOCAL)
        owner.feed(FIXED)
        self.assertEqual(owner.sent, before)
        self.assertIsNone(owner.response.headers)

    def test_resetByOwner(self) -> None:
        """A stream that its owner resets is not told; the connection is spoilt."""
        owner = ClientOwner()
        owner.request()
        owner.encoder.resetStream(Reset.LOCAL)
        owner.feed(FIXED)
        self.assertIsNone(owner.response.reset)
        self.assertIsNone(owner.error)
        self.assertFalse(owner.codec.reusable)
        self.assertEqual(owner.closedStreams, 1)

    def test_resetInACall(self) -> None:
        """A stream that is reset while it is told of data is not told of trailers."""
        owner = ClientOwner(TRAILERS)
        owner.request()
        encoder = owner.encoder
        encoder.pauseReading()
        self.patch(owner.response, "decodeData", lambda *_: encoder.resetStream(Reset.LOCAL))
        owner.feed(CHUNKED)
        self.assertIsNone(owner.response.trailers)
        self.assertEqual(owner.reading.paused, 0)
        self.assertEqual(owner.closedStreams, 1)
        self.assertIsNone(owner.error)

    def test_earlyResponse(self) -> None:
        """A response before the request's end: it may end, the connection is not used again."""
        owner = ClientOwner()
        owner.request(requestOf(b"POST"), b"")
        owner.feed(FIXED)
        self.assertTrue(owner.response.ended)
        self.assertEqual(owner.closedStreams, 0)
        owner.encoder.encodeData(b"rest", True)
        self.assertEqual(owner.closedStreams, 1)
        self.assertFalse(owner.codec.reusable)

    def test_lostBehindEarlyResponse(self) -> None:
        """A whole response is not reset by the loss of its connection."""
        owner = ClientOwner()
        owner.request(requestOf(b"POST"), b"")
        owner.feed(FIXED)
        owner.end()
        owner.codec.connectionLost(Reset.CONNECTION_TERMINATION)
        self.assertIsNone(owner.response.reset)
        self.assertEqual(owner.closedStreams, 1)

    def test_keepAlive(self) -> None:
        """What the response says of its connection."""
        for head, reusable in (
            (b"HTTP/1.1 200 OK\r\n", True),
            (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", False),
            (b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\n", False),
            (b"HTTP/1.1 200 OK\r\nProxy-Connection: close\r\n", False),
            (b"HTTP/1.0 200 OK\r\n", False),
            (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n", True),
            (b"HTTP/1.0 200 OK\r\nConnection: x\r\n", False),
            (b"HTTP/2.0 200 OK\r\n", False),
        ):
            owner = ClientOwner()
            owner.request()
            owner.feed(head + b"Content-Length: 0\r\n\r\n")
            self.assertTrue(owner.response.ended)
            self.assertEqual(owner.codec.reusable, reusable, head)
            self.assertEqual(owner.codec.closeAfterStream, not reusable)

    def test_noWords(self) -> None:
        """HTTP/1.1 has nothing to say before a close."""
        owner = ClientOwner()
        owner.codec.shutdownNotice()
        owner.codec.goAway()
        self.assertEqual(owner.sent, b"")


class PressureTests(SynchronousTestCase):
    def test_reading(self) -> None:
        """Reading is paused as often as it is resumed, and not beyond the stream."""
        owner = ClientOwner()
        owner.request()
        owner.encoder.pauseReading()
        owner.encoder.pauseReading()
        self.assertEqual(owner.reading.paused, 1)
        owner.encoder.resumeReading()
        self.assertEqual(owner.reading.paused, 1)
        owner.feed(FIXED)
        self.assertEqual(owner.reading.paused, 0)
        owner.encoder.pauseReading()
        owner.encoder.resumeReading()
        self.assertEqual(owner.reading.paused, 0)

    def test_writing(self) -> None:
        """A full transport pauses who makes the request."""
        owner = ClientOwner()
        owner.codec.pauseProducing()
        owner.request(requestOf(b"POST"), b"")
        producer = Producer()
        owner.encoder.registerProducer(producer)
        self.assertEqual(producer.paused, 1)
        owner.codec.resumeProducing()
        owner.codec.pauseProducing()
        self.assertEqual(producer.paused, 1)
        owner.encoder.registerProducer(None)
        owner.codec.resumeProducing()
        self.assertEqual(producer.paused, 1)
        owner.encoder.setBufferLimit(1)


class PropertyTests(SynchronousTestCase):
    @settings(max_examples=200, deadline=None)
    @given(
        st.sampled_from(GOOD),
        st.integers(0, 10_000),
        st.binary(max_size=3),
        st.integers(0, 3),
        st.lists(st.integers(0, 10_000), max_size=5),
        st.sampled_from([b"GET", b"HEAD", b"CONNECT"]),
    )
    def test_mutated(
        self, data: bytes, place: int, change: bytes, removed: int, cuts: list[int], method: bytes
    ) -> None:
        """Responses with one change: nothing but a CodecError, however they are split."""
        place %= len(data)
        data = data[:place] + change + data[place + removed :]
        summaries = []
        for pieces in ([data], split(data, cuts)):
            owner = ClientOwner(TRAILERS)
            owner.request(requestOf(method))
            owner.feed(*pieces)
            owner.end()
            summaries.append(owner.summary())
        self.assertEqual(*summaries)

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=40), st.sampled_from([b"", b"HTTP/1.1 ", OK, CHUNKED[:49]]))
    def test_anything(self, data: bytes, begin: bytes) -> None:
        """Random bytes: nothing but a CodecError."""
        owner = ClientOwner()
        owner.request()
        owner.feed(begin + data)
        owner.end()
        self.assertFalse(owner.codec.reusable and owner.response.reset is not None)


class CleanTests(SynchronousTestCase):
    """What goes out."""

    def test_noSecondRequest(self) -> None:
        """No value, path or host can begin another line, whatever put it together."""
        for name in (b":path", b":authority", b"x-a"):
            for more in ((), ((b"connection", b"upgrade"), (b"upgrade", b"x"))):
                request = requestOf(b"GET", b"/", *more)
                request.set(name, b"1\r\nx-b: 2\r\n\r\nGET /two HTTP/1.1\n\0")
                owner = ClientOwner()
                owner.request(request)

                head, blank, rest = owner.sent.partition(b"\r\n\r\n")
                self.assertEqual((blank, rest), (b"\r\n\r\n", b""), owner.sent)
                self.assertNotIn(b"\nx-b", head)
                self.assertEqual(head.count(b"\n"), head.count(b"\r\n"))
