"""Tests of twisted_envoy.codec.h1.server."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import Producer, ServerOwner, responseOf
from twisted_envoy.codec.h1.server import MOST_HELD
from twisted_envoy.codec.http import CodecError, Reset
from twisted_envoy.codec.settings import HeaderLimits, HTTP1Settings

GET = b"GET /n HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
CHUNKED = (
    b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;x=y\r\nhello\r\nc \r\n there world\r\n0\r\nT-A: 1\r\nt-b: 2\r\n\r\n"
)
CONNECT = b"CONNECT a:1 HTTP/1.1\r\n\r\n"

EXCHANGES = (
    GET,
    POST + b"hello" + GET,
    CHUNKED + GET,
    b"\r\n\r\n" + GET + b"\r\n" + GET,
    b"GET / HTTP/1.1\nHost: a\nX: b\n c\n\n",
    b"HEAD http://u@b:80/x HTTP/1.1\r\nX: 1\r\nX: 2\r\nHost: h\r\n\r\n",
    CONNECT + b"raw bytes\r\n\r\nGET",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: ws\r\n\r\nraw",
    GET + b"GET /bad path HTTP/1.1\r\n\r\n",
    CHUNKED[:-30] + b"zz",
    POST.replace(b"5", b"5, 5") + b"hello",
    GET + b"\x16\x03\x01",
)
"""Good ones and bad ones."""

TRAILERS = HTTP1Settings(enableTrailers=True)


class ExchangeTests(SynchronousTestCase):
    def test_request(self) -> None:
        """A request without a body has ended with its headers."""
        owner = ServerOwner()
        owner.feed(GET)

        [request] = owner.requests
        self.assertTrue(request.ended)
        self.assertEqual(request.calls, 1)

        owner.respond(responseOf(), b"hi")
        self.assertTrue(owner.sent.endswith(b"\r\n2\r\nhi\r\n0\r\n\r\n"))
        self.assertFalse(owner.codec.waits)

    def test_bodies(self) -> None:
        """Bodies come without their framing; the last bytes say that they are the last."""
        for data, body, calls in (
            (POST + b"hello", b"hello", 2),
            (CHUNKED, b"hello there world", 2),
        ):
            owner = ServerOwner()
            owner.feed(data)
            [request] = owner.requests
            self.assertEqual((request.body, request.ended, request.calls), (body, True, calls))

    def test_trailers(self) -> None:
        """Trailers come when they are wanted, and are dropped else."""
        owner = ServerOwner(TRAILERS)
        owner.feed(CHUNKED)
        trailers = owner.requests[0].trailers
        assert trailers is not None
        self.assertEqual(list(trailers.pairs()), [(b"t-a", b"1"), (b"t-b", b"2")])

        owner = ServerOwner()
        owner.feed(CHUNKED)
        self.assertIsNone(owner.requests[0].trailers)
        self.assertTrue(owner.requests[0].ended)

    def test_everySplit(self) -> None:
        """Where the bytes are cut makes no difference."""
        for data in EXCHANGES:
            whole = ServerOwner(TRAILERS, answers=True)
            whole.feed(data)
            for cut in range(1, len(data)):
                owner = ServerOwner(TRAILERS, answers=True)
                owner.feed(data[:cut], data[cut:])
                self.assertEqual(owner.summary(), whole.summary(), data[:cut])
            owner = ServerOwner(TRAILERS, answers=True)
            owner.feed(*(bytes([byte]) for byte in data))
            self.assertEqual(owner.summary(), whole.summary(), data)

    def test_counts(self) -> None:
        """Bytes of the request are counted as Envoy counts them."""
        owner = ServerOwner()
        owner.feed(POST, b"hello")
        encoder = owner.encoders[0]
        self.assertEqual(encoder.receivedWireBytes, len(POST) + 5)
        self.assertEqual(encoder.receivedHeaderBytes, 8 + 18)

        owner = ServerOwner()
        owner.feed(b"GET http://b/ HTTP/1.1\r\n\r\n")
        self.assertEqual(owner.encoders[0].receivedHeaderBytes, 3)

    def test_countsAsEnvoyDoes(self) -> None:
        """Wire bytes are all that came with a request; header bytes count a refused one's too."""
        owner = ServerOwner()
        owner.feed(b"\r\n" + GET + GET)
        self.assertEqual(owner.encoders[0].receivedWireBytes, 2 * len(GET) + 2)
        owner.respond(responseOf())
        owner.feed(b"")
        self.assertEqual(owner.encoders[1].receivedWireBytes, len(GET))
        for data, count in (
            (b"GET /up HTTP/1.0\r\nHost: a\r\n\r\n", 8),
            (b"GET /up HTTP/1.1\nHost: a\nX: 1\n\n", 13),
            (b"GET /up HTTP/1.1\r\nHost: a b\r\n\r\n", 10),
            (b"GET /up HTTP/1.1\r\nHost\r\n\r\n", 0),
        ):
            owner = ServerOwner()
            owner.feed(data)
            self.assertEqual(owner.encoders[0].receivedHeaderBytes, count, data)

    def test_streamBeginsWithFirstByte(self) -> None:
        """A stream is there before its headers are, but not for line ends alone."""
        owner = ServerOwner()
        owner.feed(b"\r\n\r\n")
        self.assertEqual(len(owner.requests), 0)
        owner.feed(b"G")
        self.assertEqual(len(owner.requests), 1)
        self.assertIsNone(owner.requests[0].headers)
        owner.feed(GET[1:])
        self.assertEqual(len(owner.requests), 1)
        self.assertIsNotNone(owner.requests[0].headers)


class PipelineTests(SynchronousTestCase):
    def test_waits(self) -> None:
        """A second request waits for the first one's response, then for its owner."""
        owner = ServerOwner()
        owner.feed(GET + POST + b"hello")
        self.assertEqual(len(owner.requests), 1)
        self.assertFalse(owner.codec.waits)

        owner.respond(responseOf())
        self.assertEqual(len(owner.requests), 1)
        self.assertTrue(owner.codec.waits)

        owner.feed(b"")
        self.assertEqual(len(owner.requests), 2)
        self.assertEqual(owner.requests[1].body, b"hello")

    def test_bounded(self) -> None:
        """Reading stops while too much waits, and goes on behind the response."""
        owner = ServerOwner()
        owner.feed(GET, POST + b"x" * MOST_HELD)
        self.assertEqual(owner.reading.paused, 1)
        owner.feed(b"more")
        self.assertEqual(owner.reading.paused, 1)

        owner.respond(responseOf())
        owner.codec.connectionLost(Reset.CONNECTION_TERMINATION)

        owner = ServerOwner(answers=True)
        owner.feed(GET + b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000)
        self.assertEqual(owner.reading.paused, 0)
        self.assertEqual(len(owner.requests[1].body), 100000)

    def test_readsAgain(self) -> None:
        """What waited is read when the owner goes on."""
        owner = ServerOwner()
        body = b"x" * MOST_HELD
        owner.feed(GET + b"POST / HTTP/1.1\r\nContent-Length: 65536\r\n\r\n" + body)
        self.assertEqual(owner.reading.paused, 1)
        owner.respond(responseOf())
        owner.feed(b"")
        self.assertEqual(owner.reading.paused, 0)
        self.assertEqual(owner.requests[1].body, body)

    def test_nothingBehindClose(self) -> None:
        """Once we have said that the connection closes, what comes is no request."""
        owner = ServerOwner()
        owner.feed(GET * 2)
        owner.respond(responseOf(b"200", (b"connection", b"close")))
        self.assertFalse(owner.codec.waits)
        owner.feed(GET, b"garbage")
        self.assertEqual(len(owner.requests), 1)
        self.assertIsNone(owner.error)

    def test_flood(self) -> None:
        """The third answer of one event is one too many; it is not given."""
        owner = ServerOwner(answers=True)
        owner.feed(GET * 4)
        assert owner.error is not None
        self.assertEqual(owner.error.details, "codec_error:Too many responses queued.")
        self.assertEqual(owner.error.status, 0)
        self.assertEqual(owner.sent.count(b"HTTP/1.1 200"), 2)
        self.assertEqual(owner.stats.response_flood.value, 1)
        self.assertIs(owner.requests[2].failure, owner.error)

    def test_noFlood(self) -> None:
        """Answers of several events are no flood, as long as the transport takes them."""
        owner = ServerOwner(answers=True)
        owner.feed(GET * 2, GET * 2, GET)
        self.assertIsNone(owner.error)
        self.assertEqual(owner.sent.count(b"HTTP/1.1 200"), 5)

        owner.codec.pauseProducing()
        owner.feed(GET)
        self.assertIsNone(owner.error)
        owner.feed(GET)
        self.assertIsNotNone(owner.error)

    def test_earlyResponse(self) -> None:
        """A request goes on after its response; the next one begins behind it."""
        owner = ServerOwner()
        owner.feed(POST + b"he")
        owner.respond(responseOf())
        owner.feed(b"llo" + GET)
        self.assertTrue(owner.requests[0].ended)
        self.assertEqual(len(owner.requests), 2)

    def test_tunnelNeverEnds(self) -> None:
        """No request is found in a tunnel, even when it was refused."""
        owner = ServerOwner()
        owner.feed(CONNECT)
        owner.respond(responseOf(b"403"))
        owner.feed(GET)
        self.assertEqual(len(owner.requests), 1)
        self.assertFalse(owner.requests[0].ended)


class EndTests(SynchronousTestCase):
    def test_deadAfterError(self) -> None:
        """Nothing is read behind an error, but the answer can be sent."""
        owner = ServerOwner()
        owner.feed(b"GET / HTTP/9\r\n\r\n" + GET)
        self.assertEqual(len(owner.requests), 1)

        owner.respond(responseOf(b"400"), b"Bad Request")
        self.assertIn(b"HTTP/1.1 400 Bad Request\r\n", owner.sent)
        owner.codec.dataReceived(GET)
        self.assertEqual(len(owner.requests), 1)
        self.assertFalse(owner.codec.waits)

    def test_errorBehindResponse(self) -> None:
        """A body that breaks after the response is no failure of the stream any more."""
        owner = ServerOwner()
        owner.feed(CHUNKED[:57])
        owner.respond(responseOf())
        owner.feed(b"zz\r\n")
        self.assertIsNotNone(owner.error)
        self.assertIsNone(owner.requests[0].failure)

    def test_connectionLost(self) -> None:
        """What is open is reset, once; then nothing is sent or decoded."""
        owner = ServerOwner()
        owner.feed(POST)
        owner.codec.connectionLost(Reset.CONNECTION_TERMINATION)
        owner.codec.connectionLost(Reset.LOCAL)
        self.assertEqual(owner.requests[0].reset, Reset.CONNECTION_TERMINATION)

        owner.respond(responseOf(), b"x")
        owner.encoders[0].encode1xx(responseOf(b"100"))
        owner.encoders[0].encodeTrailers(responseOf())
        owner.encoders[0].resetStream(Reset.LOCAL)
        owner.encoders[0].pauseReading()
        owner.feed(b"hello")
        self.assertEqual(owner.sent, b"")
        self.assertEqual(owner.requests[0].body, b"")
        self.assertEqual(owner.reading.paused, 0)

    def test_idleConnectionLost(self) -> None:
        """Nobody is told when nothing is open."""
        owner = ServerOwner(answers=True)
        owner.feed(GET)
        owner.codec.connectionLost(Reset.CONNECTION_TERMINATION)
        self.assertIsNone(owner.requests[0].reset)

    def test_lostBeforeItWasTold(self) -> None:
        """Nobody is told of a request's end who was not told that it began."""

        def carryOther(*arguments: Any) -> None:
            raise ZeroDivisionError

        owner = ServerOwner()
        owner.codec.answers = SimpleNamespace(carryOther=carryOther)
        self.assertRaises(ZeroDivisionError, owner.codec.dataReceived, GET)

        owner.codec.connectionLost(Reset.CONNECTION_TERMINATION)
        self.assertEqual(owner.requests, [])

    def test_resetByOwner(self) -> None:
        """A stream that its owner resets is not told, and ends the reading."""
        owner = ServerOwner()
        owner.feed(POST)
        owner.encoders[0].resetStream(Reset.LOCAL)
        owner.feed(b"hello" + GET)
        owner.codec.connectionLost(Reset.LOCAL)
        self.assertEqual(len(owner.requests), 1)
        self.assertIsNone(owner.requests[0].reset)

    def test_resetInACall(self) -> None:
        """A stream that is reset while it is told of data is not told of trailers."""
        for cut in (57, 68, len(CHUNKED)):
            owner = ServerOwner(TRAILERS)
            owner.feed(CHUNKED[:57])
            encoder, request = owner.encoders[0], owner.requests[0]
            encoder.pauseReading()
            reset = partial(encoder.resetStream, Reset.LOCAL)
            self.patch(request, "decodeData", lambda data, endStream, reset=reset: reset())
            owner.feed(CHUNKED[57:cut], CHUNKED[cut:])
            self.assertIsNone(request.trailers)
            self.assertEqual(owner.reading.paused, 0)
            self.assertIsNone(owner.error)

    def test_readConnectionLost(self) -> None:
        """A FIN ends a tunnel's one direction, resets what is not whole, and leaves what is."""
        owner = ServerOwner()
        owner.feed(CONNECT + b"abc")
        owner.codec.readConnectionLost()
        self.assertTrue(owner.requests[0].ended)
        owner.respond(responseOf(), b"late")
        self.assertTrue(owner.sent.endswith(b"late"))

        for part in (POST, GET[:9]):
            owner = ServerOwner()
            owner.feed(part)
            owner.codec.readConnectionLost()
            self.assertEqual(owner.requests[0].reset, Reset.CONNECTION_TERMINATION)

        owner = ServerOwner()
        owner.feed(GET)
        owner.codec.readConnectionLost()
        self.assertIsNone(owner.requests[0].reset)
        owner.respond(responseOf())
        self.assertIn(b"200 OK", owner.sent)

        owner = ServerOwner()
        owner.codec.readConnectionLost()
        owner.feed(GET)
        self.assertEqual(len(owner.requests), 0)

    def test_noWords(self) -> None:
        """HTTP/1.1 has nothing to say before a close."""
        owner = ServerOwner()
        owner.codec.shutdownNotice()
        owner.codec.goAway()
        self.assertEqual(owner.sent, b"")


class PressureTests(SynchronousTestCase):
    def test_reading(self) -> None:
        """The first reason pauses the connection, the last one's end resumes it."""
        owner = ServerOwner()
        owner.feed(POST)
        encoder = owner.encoders[0]
        encoder.pauseReading()
        encoder.pauseReading()
        self.assertEqual(owner.reading.paused, 1)
        encoder.resumeReading()
        self.assertEqual(owner.reading.paused, 1)
        encoder.resumeReading()
        encoder.resumeReading()
        self.assertEqual(owner.reading.paused, 0)

    def test_endOfStreamResumes(self) -> None:
        """A stream that is over keeps nothing paused."""
        owner = ServerOwner()
        owner.feed(GET)
        owner.encoders[0].pauseReading()
        owner.encoders[0].pauseReading()
        owner.respond(responseOf())
        self.assertEqual(owner.reading.paused, 0)
        owner.encoders[0].pauseReading()
        self.assertEqual(owner.reading.paused, 0)

    def test_writing(self) -> None:
        """A full transport pauses who makes the response."""
        owner = ServerOwner()
        owner.codec.pauseProducing()
        owner.codec.resumeProducing()
        owner.feed(GET)
        producer = Producer()
        owner.codec.pauseProducing()
        owner.encoders[0].registerProducer(producer)
        self.assertEqual(producer.paused, 1)
        owner.codec.resumeProducing()
        self.assertEqual(producer.paused, 0)
        owner.codec.pauseProducing()
        self.assertEqual(producer.paused, 1)
        owner.encoders[0].registerProducer(None)
        owner.codec.resumeProducing()
        self.assertEqual(producer.paused, 1)
        owner.encoders[0].setBufferLimit(1)


PIECES = st.lists(
    st.sampled_from(
        [
            *(
                GET,
                POST,
                CHUNKED,
                CONNECT,
                b"hello",
                b"\r\n",
                b"\n",
                b" ",
                b":",
                b"\r",
                b"\0",
                b"0",
            ),
            *(b"5\r\nhello\r\n", b"0\r\n\r\n", b"GET ", b" HTTP/1.1\r\n", b"Content-Length: 3\r\n"),
            *(b"Transfer-Encoding: chunked\r\n", b"Host: x\r\n", b"X: y\r\n z\r\n", b"HTTP/1.0"),
            *(
                b"Connection: upgrade\r\nUpgrade: x\r\n",
                b"ffffffff",
                b";a=b",
                b"POST / HTTP/1.1\r\n",
            ),
        ]
    )
    | st.binary(max_size=6),
    max_size=12,
).map(b"".join)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    """data in pieces."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in zip(places, places[1:], strict=False)]


class PropertyTests(SynchronousTestCase):
    @settings(max_examples=150, deadline=None)
    @given(PIECES, st.lists(st.integers(0, 10_000), max_size=6))
    def test_anything(self, data: bytes, cuts: list[int]) -> None:
        """Whatever comes, nothing but a CodecError does, and splits make no difference."""
        whole = ServerOwner(TRAILERS, answers=True)
        whole.feed(data)
        owner = ServerOwner(TRAILERS, answers=True)
        owner.feed(*split(data, cuts))
        details = whole.error.details if whole.error else ""
        if "queued" not in details:
            self.assertEqual(owner.summary(), whole.summary())
        owner.codec.connectionLost(Reset.CONNECTION_TERMINATION)

    @settings(max_examples=150, deadline=None)
    @given(
        st.sampled_from(EXCHANGES), st.integers(0, 10_000), st.binary(max_size=2), st.integers(0, 2)
    )
    def test_mutated(self, data: bytes, place: int, change: bytes, removed: int) -> None:
        """The same for exchanges with one change."""
        place %= len(data)
        owner = ServerOwner(TRAILERS, answers=True)
        owner.feed(data[:place] + change + data[place + removed :])
        if owner.error is not None:
            self.assertIsInstance(owner.error, CodecError)
        for request in owner.requests[:-1]:
            self.assertTrue(request.ended)

    def test_memory(self) -> None:
        """What never ends is not kept: heads, lines of chunks, trailers."""
        head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        for begin in (b"GET /", b"GET / HTTP/1.1\r\nx: ", head + b"5;", head + b"0\r\nx: "):
            owner = ServerOwner(limits=HeaderLimits(maxBytes=1000))
            owner.feed(begin, *[b"a" * 100] * 11)
            assert owner.error is not None, begin
            self.assertEqual(owner.error.status, 431)
