"""Bodies: windows, queues, producers, gates."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import EH, HELLO, frame, headers, names, parse, rst, setting, window
from tests.codec.h2.support import REQUEST, RESPONSE, OverLibrary, Pair, Producer, Recorder, Side
from twisted_envoy.codec.h2 import failures
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.codec.settings import HTTP2Settings

WINDOW = 65535


def answered(side: Side, streams: int = 1) -> list[Recorder]:
    """Requests on streams 1, 3... of a server whose response headers are sent."""
    side.receive(b"".join(headers(2 * number + 1, flags=EH) for number in range(streams)))
    for request in side.owner.requests:
        request.encoder.encodeHeaders(HeaderMap(RESPONSE), False)
    side.wire.take()
    return side.owner.requests


class SendTests(SynchronousTestCase):
    """What the peer's windows do not take waits."""

    def setUp(self) -> None:
        self.side = Side(False)
        self.side.receive(HELLO)

    def sent(self) -> list[tuple[int, int, bool]]:
        """(stream, bytes, ended) of each DATA frame."""
        return [
            (found.stream_id, len(found.data), "END_STREAM" in found.flags)
            for found in parse(self.side.wire.take())
            if type(found).__name__ == "DataFrame"
        ]

    def test_framesAndWindows(self) -> None:
        """Frames of the size that the peer takes, up to its window, and the rest later."""
        (request,) = answered(self.side)

        request.encoder.encodeData(bytes(100_000), True)
        first = self.sent()
        self.assertEqual(self.side.stats.pending_send_bytes.value, 100_000 - WINDOW)
        self.side.receive(window(1, 1 << 20))
        self.assertEqual(self.sent(), [])
        self.side.receive(window(0, 20_000))
        second = self.sent()
        self.side.receive(window(0, 20_000))
        third = self.sent()

        self.assertEqual(first, [(1, 16384, False)] * 3 + [(1, 16383, False)])
        self.assertEqual(second, [(1, 16384, False), (1, 3616, False)])
        self.assertEqual(third, [(1, 100_000 - WINDOW - 20_000, True)])
        self.assertEqual(self.side.stats.pending_send_bytes.value, 0)

    def test_streamWindow(self) -> None:
        """Its own window holds a stream back while the connection has more; also below zero."""
        self.side.receive(setting(4, 10) + window(0, 1 << 20))
        (request,) = answered(self.side)

        request.encoder.encodeData(b"x" * 30, False)
        self.assertEqual(self.sent(), [(1, 10, False)])
        self.side.receive(setting(4, 5) + window(1, 5))
        self.assertEqual(self.sent(), [])
        self.side.receive(window(1, 1))
        self.assertEqual(self.sent(), [(1, 1, False)])
        self.side.receive(setting(4, 100))
        self.assertEqual(self.sent(), [(1, 19, False)])

    def test_largerFrames(self) -> None:
        """The peer may raise what a frame holds."""
        self.side.receive(setting(5, 30_000))
        (request,) = answered(self.side)

        request.encoder.encodeData(bytes(40_000), False)

        self.assertEqual(self.sent(), [(1, 30_000, False), (1, 10_000, False)])

    def test_fairness(self) -> None:
        """When the connection's window opens, streams take turns."""
        self.side.receive(setting(4, 1 << 20))
        one, two, three = answered(self.side, 3)
        for request in (one, two, three):
            request.encoder.encodeData(bytes(70_000), True)
        self.sent()

        self.side.receive(window(0, 4 * 16384))

        self.assertEqual([stream for stream, _, _ in self.sent()], [1, 3, 5, 3, 5])

    def test_trailersWait(self) -> None:
        """Trailers follow the bytes before them."""
        (request,) = answered(self.side)

        request.encoder.encodeData(bytes(WINDOW + 1), False)
        request.encoder.encodeTrailers(HeaderMap([(b"a", b"b")]))
        self.assertEqual(names(self.side.wire.take()), ["Data"] * 4)
        self.side.receive(window(1, 1) + window(0, 1))

        self.assertEqual(names(self.side.wire.take()), ["Data", "Headers"])

    def test_noTrailers(self) -> None:
        """Trailers without fields only end the stream, waiting or not."""
        (request,) = answered(self.side)
        request.encoder.encodeTrailers(HeaderMap())
        self.assertEqual(self.sent(), [(1, 0, True)])

        self.setUp()
        (request,) = answered(self.side)
        request.encoder.encodeData(bytes(WINDOW + 1), False)
        request.encoder.encodeTrailers(HeaderMap())
        self.sent()
        self.side.receive(window(1, 1) + window(0, 1))
        self.assertEqual(self.sent(), [(1, 1, False), (1, 0, True)])

    def test_endWaits(self) -> None:
        """The end of the stream follows the bytes before it, and takes no window itself."""
        (request,) = answered(self.side)
        request.encoder.encodeData(bytes(WINDOW), False)
        self.sent()

        request.encoder.encodeData(b"", True)

        self.assertEqual(self.sent(), [(1, 0, True)])
        request.encoder.encodeData(b"late", True)
        request.encoder.encodeTrailers(HeaderMap())
        request.encoder.encodeHeaders(HeaderMap(RESPONSE), True)
        self.assertEqual(self.sent(), [])

    def test_producer(self) -> None:
        """Paused over the limit, resumed at half of it."""
        (request,) = answered(self.side)
        producer = Producer()
        request.encoder.setBufferLimit(1000)
        request.encoder.registerProducer(producer)

        request.encoder.encodeData(bytes(WINDOW + 1000), False)
        self.assertFalse(producer.paused)
        request.encoder.encodeData(b"x", False)
        self.assertTrue(producer.paused)
        self.side.receive(window(1, 1 << 20) + window(0, 500))
        self.assertTrue(producer.paused)
        self.side.receive(window(0, 1))
        self.assertFalse(producer.paused)

    def test_producerThatComesLate(self) -> None:
        """It is paused at once when too much waits; none is none."""
        (request,) = answered(self.side)
        request.encoder.setBufferLimit(10)
        request.encoder.encodeData(bytes(WINDOW + 11), False)

        producer = Producer()
        request.encoder.registerProducer(producer)
        self.assertTrue(producer.paused)
        request.encoder.registerProducer(None)
        self.side.receive(window(1, 100) + window(0, 100))
        self.assertTrue(producer.paused)

    def test_noLimit(self) -> None:
        """A limit of 0 is none."""
        (request,) = answered(self.side)
        request.encoder.setBufferLimit(0)
        producer = Producer()
        request.encoder.registerProducer(producer)
        request.encoder.encodeData(bytes(10 << 20), False)
        self.assertEqual(producer.calls, 0)

    def test_transport(self) -> None:
        """While the transport is full bodies wait and producers pause; frames that must go, go."""
        one, two = answered(self.side, 2)
        producer, late = Producer(), Producer()
        one.encoder.registerProducer(producer)

        self.side.codec.pauseProducing()
        two.encoder.registerProducer(late)
        one.encoder.encodeData(b"one", False)
        two.encoder.encodeTrailers(HeaderMap([(b"a", b"b")]))
        self.assertTrue(producer.paused and late.paused)
        self.assertEqual(names(self.side.wire.take()), ["Headers"])
        self.side.codec.resumeProducing()
        self.side.codec.resumeProducing()

        self.assertEqual(self.sent(), [(1, 3, False)])
        self.assertFalse(producer.paused)

    def test_endWhilePaused(self) -> None:
        """A producer that is paused still when its stream ends does no harm."""

        def full(encoder: Any, producer: Producer) -> None:
            encoder.registerProducer(producer)
            self.side.codec.pauseProducing()
            encoder.encodeData(b"last", True)
            self.side.codec.resumeProducing()

        def slow(encoder: Any, producer: Producer) -> None:
            encoder.setBufferLimit(1000)
            encoder.registerProducer(producer)
            encoder.encodeData(bytes(WINDOW + 1001), False)
            encoder.encodeData(b"last", True)
            self.side.receive(window(1, 1 << 20) + window(0, 1 << 20))

        for play in (full, slow):
            self.setUp()
            self.side.receive(headers(1))
            encoder = self.side.owner.requests[0].encoder
            encoder.encodeHeaders(HeaderMap(RESPONSE), False)
            producer = Producer()
            play(encoder, producer)

            self.assertEqual(self.sent()[-1][2], True)
            self.assertEqual(self.side.stats.streams_active.value, 0)

    def test_resetDropsWhatWaits(self) -> None:
        """By us, by the peer, by the end of the connection."""
        for end in (
            lambda request: request.encoder.resetStream(Reset.LOCAL),
            lambda request: self.side.receive(frame(3, 0, 1, bytes(4))),
            lambda request: self.side.codec.connectionLost(Reset.CONNECTION_TERMINATION),
        ):
            self.setUp()
            (request,) = answered(self.side)
            request.encoder.encodeData(bytes(WINDOW + 1000), False)
            end(request)
            self.side.wire.take()

            request.encoder.encodeData(b"more", True)
            request.encoder.resetStream(Reset.LOCAL)
            self.side.receive(window(0, 1 << 20))

            self.assertEqual(self.sent(), [])
            self.assertEqual(self.side.stats.pending_send_bytes.value, 0)
            self.assertEqual(self.side.stats.streams_active.value, 0)

    def test_counts(self) -> None:
        """Bytes of blocks, and of all frames."""
        self.side.receive(headers(1))
        encoder = self.side.owner.requests[0].encoder
        self.side.wire.take()

        encoder.encodeHeaders(HeaderMap(RESPONSE), False)
        encoder.encodeData(b"12345", True)

        self.assertEqual(encoder.streamID, 1)
        self.assertEqual(encoder.wireBytes, len(self.side.wire.data))
        self.assertEqual(encoder.headerBytes, encoder.wireBytes - 9 - 5)


class ReceiveTests(SynchronousTestCase):
    """A gate that is shut stops what is decoded and acknowledged."""

    def setUp(self) -> None:
        self.side = Side(
            False, HTTP2Settings(initialStreamWindow=1000, initialConnectionWindow=100_000)
        )
        self.side.receive(HELLO + headers(1, flags=EH))
        self.request = self.side.owner.requests[0]
        self.encoder = self.request.encoder
        self.side.wire.take()

    def updates(self) -> list[tuple[int, int]]:
        return [
            (found.stream_id, found.window_increment)
            for found in parse(self.side.wire.take())
            if type(found).__name__ == "WindowUpdateFrame"
        ]

    def test_windowsOpenAsBytesAreTaken(self) -> None:
        """At half of a window, padding included."""
        self.side.receive(frame(0, 0, 1, bytes(499)))
        self.assertEqual(self.updates(), [])
        self.side.receive(frame(0, 8, 1, b"\x09" + bytes(9)))
        self.assertEqual(self.updates(), [(1, 509)])
        self.assertEqual(len(self.request.body), 499)

    def test_connectionWindow(self) -> None:
        """It opens with what all streams have taken."""
        for _ in range(99):
            self.side.receive(frame(0, 0, 1, bytes(505)))
        updates = self.updates()
        self.assertEqual([update for update in updates if not update[0]], [])
        self.side.receive(frame(0, 0, 1, bytes(505)))
        self.assertIn((0, 50500), self.updates())

    def test_gate(self) -> None:
        """Shut: nothing is decoded. Open: everything, in order, and acknowledged."""
        self.encoder.pauseReading()
        self.encoder.pauseReading()
        self.side.receive(frame(0, 0, 1, b"a" * 600) + frame(0, 0, 1, b"b" * 400))
        self.side.receive(headers(1, [(b"x", b"y")]))
        self.encoder.resumeReading()
        self.assertEqual(self.request.kinds(), ["headers"])
        self.assertEqual(self.updates(), [])

        self.encoder.resumeReading()

        self.assertEqual(self.request.kinds(), ["headers", "data", "trailers"])
        self.assertEqual(bytes(self.request.body), b"a" * 600 + b"b" * 400)
        self.encoder.resumeReading()

    def test_shutWhileItOpens(self) -> None:
        """A receiver that shuts the gate again gets no more."""
        self.encoder.pauseReading()
        self.side.receive(frame(0, 0, 1, b"a") + frame(0, 0, 1, b"b"))
        request, encoder = self.request, self.encoder

        class Shutting:
            def decodeData(self, data: bytes, endStream: bool) -> None:
                request.decodeData(data, endStream)
                encoder.pauseReading()

        encoder.decoder = Shutting()
        encoder.resumeReading()
        self.assertEqual(bytes(request.body), b"a")
        self.side.receive(frame(0, 1, 1, b"c"))
        encoder.resumeReading()
        encoder.resumeReading()
        self.assertEqual(bytes(request.body), b"abc")
        self.assertTrue(request.ended)

    def test_windowIsTheLimit(self) -> None:
        """A peer that sends more than a shut gate's window breaks the protocol."""
        self.encoder.pauseReading()
        self.side.receive(frame(0, 0, 1, bytes(1000)))
        self.assertIsNone(self.side.receive(frame(0, 0, 1, bytes(1))))
        self.assertEqual(names(self.side.wire.take()), ["RstStream"])
        self.assertEqual(self.request.reset, (Reset.PROTOCOL_ERROR, failures.PROTOCOL))
        self.encoder.resumeReading()
        self.assertEqual(bytes(self.request.body), b"")

    def test_connectionWindowIsTheLimit(self) -> None:
        """Of all streams together, those that are gone included."""
        side = Side(False, HTTP2Settings(initialConnectionWindow=70_000))
        side.receive(HELLO + headers(1, flags=EH))
        side.owner.requests[0].encoder.pauseReading()
        for _ in range(4):
            side.receive(frame(0, 0, 1, bytes(16384)))
        self.assertEqual(side.receive(frame(0, 0, 1, bytes(16384))), failures.PROTOCOL)
        self.assertEqual(parse(side.wire.take())[-1].error_code, 3)

    def test_endedWhileShut(self) -> None:
        """A stream that both sides have ended still gives what was held."""
        self.encoder.pauseReading()
        self.side.receive(frame(0, 1, 1, b"body"))
        self.encoder.encodeHeaders(HeaderMap(RESPONSE), True)
        self.assertEqual(self.side.stats.deferred_stream_close.value, 1)
        self.assertEqual(self.side.stats.streams_active.value, 0)

        self.encoder.resumeReading()

        self.assertEqual(bytes(self.request.body), b"body")
        self.assertTrue(self.request.ended)

    def test_resetFreesTheConnection(self) -> None:
        """What a stream held when it was reset is acknowledged for the others."""
        self.encoder.pauseReading()
        for number in range(110):
            self.side.receive(headers(2 * number + 3, flags=EH))
            encoder = self.side.owner.requests[-1].encoder
            encoder.pauseReading()
            self.assertIsNone(self.side.receive(frame(0, 0, 2 * number + 3, bytes(1000))))
            encoder.resetStream(Reset.LOCAL)
            self.assertIsNone(self.side.receive(frame(0, 0, 2 * number + 3, bytes(100))))


class TinyWindowTests(SynchronousTestCase):
    """Both sides with windows of a few bytes."""

    def test_bytesArrive(self) -> None:
        """Whatever the windows are, both bodies arrive whole."""
        for size in (1, 7, 100):
            settings = HTTP2Settings(initialStreamWindow=size)
            pair = Pair(settings, settings)
            body = bytes(range(200))
            response = pair.client.request(REQUEST, False)
            pair.settle()
            (request,) = pair.server.owner.requests
            request.encoder.encodeHeaders(HeaderMap(RESPONSE), False)
            response.encoder.encodeData(body, True)
            request.encoder.encodeData(body, True)
            pair.settle()
            self.assertEqual((bytes(request.body), bytes(response.body)), (body, body))
            self.assertTrue(request.ended and response.ended)


class FlushTests(SynchronousTestCase):
    """Who waits until all is sent, and how much came."""

    def setUp(self) -> None:
        self.side = Side(False)
        self.side.receive(HELLO)
        (self.request,) = answered(self.side)
        self.flushed = 0

    def _flushed(self) -> None:
        self.flushed += 1

    def test_flushed(self) -> None:
        """It is told once, when the last byte goes out."""
        encoder = self.request.encoder
        encoder.encodeData(bytes(WINDOW + 10), True)
        self.assertTrue(encoder.isFlushing)
        encoder.flushed = self._flushed

        self.side.receive(window(0, 1 << 20) + window(1, 5))
        self.assertEqual((self.flushed, encoder.isFlushing), (0, True))
        self.side.receive(window(1, 5))

        self.assertEqual((self.flushed, encoder.isFlushing), (1, False))

    def test_trailers(self) -> None:
        """Trailers wait too."""
        encoder = self.request.encoder
        encoder.encodeData(bytes(WINDOW + 10), False)
        self.assertFalse(encoder.isFlushing)
        encoder.encodeTrailers(HeaderMap([(b"x", b"1")]))
        encoder.flushed = self._flushed

        self.side.receive(window(0, 1 << 20) + window(1, 10))

        self.assertEqual((self.flushed, encoder.isFlushing), (1, False))

    def test_reset(self) -> None:
        """After a reset nobody is told."""
        encoder = self.request.encoder
        encoder.encodeData(bytes(WINDOW + 10), True)
        encoder.flushed = self._flushed

        self.side.receive(rst(1))

        self.assertEqual((self.flushed, encoder.isFlushing), (0, False))
        self.assertEqual(self.request.reset, (Reset.REMOTE, "http2.remote_reset"))

    def test_received(self) -> None:
        """Header blocks and DATA count with a frame's header; a reset does too."""
        encoder = self.request.encoder
        block = len(headers(1, flags=EH))
        self.assertEqual(encoder.receivedHeaderBytes, block)

        self.side.receive(frame(0, 0, 1, b"12345") + rst(1))

        self.assertEqual(encoder.receivedWireBytes, block + 9 + 5 + 13)


class LibrarySendTests(OverLibrary, SendTests):
    """The same over the reference core."""


class LibraryReceiveTests(OverLibrary, ReceiveTests):
    """The same over the reference core."""


class LibraryTinyWindowTests(OverLibrary, TinyWindowTests):
    """The same over the reference core."""


class LibraryFlushTests(OverLibrary, FlushTests):
    """The same over the reference core."""
