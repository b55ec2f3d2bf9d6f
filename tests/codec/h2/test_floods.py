"""The limits on cheap frames: where they are, what is counted, what the peer gets."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import (
    EH,
    ES,
    HELLO,
    PING,
    SETTINGS,
    block,
    frame,
    headers,
    names,
    number,
    parse,
    rst,
    window,
)
from tests.codec.h2.support import RESPONSE, OverLibrary, Side
from twisted_envoy.codec.h2 import failures
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.settings import HTTP2Settings

CALM = 11
PRIORITY = frame(2, 0, 1, number(0) + b"\x10")
EMPTY = frame(0, 0, 1)


class FloodTests(SynchronousTestCase):
    """A server's limits with Envoy's defaults, unless said otherwise."""

    def server(self, settings: HTTP2Settings | None = None) -> Side:
        self.clock = Clock()
        side = Side(False, settings, seconds=self.clock.seconds)
        side.receive(HELLO)
        side.wire.take()
        return side

    def assertFlood(self, side: Side, frames: bytes, last: bytes, details: str) -> None:
        """frames are taken, one more ends the connection with GOAWAY."""
        self.assertIsNone(side.receive(frames))
        self.assertEqual(side.receive(last), details)
        goAway = parse(side.wire.take())[-1]
        self.assertEqual((type(goAway).__name__, goAway.error_code), ("GoAwayFrame", CALM))
        self.assertIsNone(side.receive(last))
        self.assertEqual(side.wire.take(), b"")

    def test_priority(self) -> None:
        """A hundred, and a hundred more a stream."""
        self.assertFlood(self.server(), PRIORITY * 100, PRIORITY, failures.PRIORITIES)
        side = self.server()
        self.assertFlood(side, headers(1) + PRIORITY * 200, PRIORITY, failures.PRIORITIES)
        self.assertEqual(side.stats.inbound_priority_frames_flood.value, 1)

    def test_windowUpdates(self) -> None:
        """Five, two a stream, and 2 * 10 for each DATA frame that we sent."""
        side = self.server()
        details = failures.WINDOW_UPDATES
        self.assertFlood(side, window(0, 1) * 5, window(0, 1), details)
        self.assertEqual(side.stats.inbound_window_update_frames_flood.value, 1)

        side = self.server()
        side.receive(headers(1))
        encoder = side.owner.requests[0].encoder
        encoder.encodeHeaders(HeaderMap(RESPONSE), False)
        encoder.encodeData(b"x", False)
        self.assertFlood(side, window(0, 1) * (5 + 2 + 20), window(0, 1), details)

    def test_emptyFrames(self) -> None:
        """One in a row; what has a payload begins anew."""
        side = self.server()
        side.receive(headers(1, flags=EH))
        data = frame(0, 0, 1, b"x")
        self.assertFlood(
            side, (EMPTY + data) * 3 + EMPTY, EMPTY, "http2.inbound_empty_frames_flood"
        )
        self.assertEqual(side.stats.inbound_empty_frames_flood.value, 1)

    def test_emptyContinuations(self) -> None:
        """HEADERS and CONTINUATION count with them."""
        side = self.server()
        first = frame(1, 0, 1) + frame(9, 0, 1, block()[:2])
        self.assertFlood(
            side, first + frame(9, 0, 1), frame(9, 0, 1), "http2.inbound_empty_frames_flood"
        )

    def test_continuations(self) -> None:
        """Of one block there are not many, full or not."""
        side = self.server()
        side.receive(frame(1, ES, 1, block()))
        piece = frame(9, 0, 1, b"\x00\x01a\x01b")
        taken = 0
        while side.receive(piece) is None:
            taken += 1
        self.assertLess(taken, 80)
        self.assertEqual(names(side.wire.take())[-1], "GoAway")

    def test_controlFrames(self) -> None:
        """1000 answers may wait for the transport, of one read or while it is full."""
        for ask in (PING, SETTINGS):
            side = self.server()
            self.assertFlood(side, b"", ask * 1001, failures.OUTBOUND_CONTROL)
            self.assertEqual(side.stats.outbound_control_flood.value, 1)

            side = self.server()
            for _ in range(3):
                self.assertIsNone(side.receive(ask * 900))
            side.codec.pauseProducing()
            self.assertFlood(side, ask * 100, ask, failures.OUTBOUND_CONTROL)

    def test_resetsOfOursCount(self) -> None:
        """A peer that makes us reset streams floods us as well."""
        side = self.server(HTTP2Settings(streamErrors=True, maxOutboundControlFrames=4))
        bad = [headers(stream, [(b":method", b"GET")]) for stream in (1, 3, 5, 7)]
        side.codec.pauseProducing()
        self.assertFlood(side, b"".join(bad[:3]), bad[3], failures.OUTBOUND_CONTROL)

    def test_outboundFrames(self) -> None:
        """All frames that wait for the transport have a limit as well."""
        side = self.server(HTTP2Settings(maxOutboundFrames=4))
        side.codec.pauseProducing()
        for stream in range(1, 10, 2):
            side.receive(headers(stream))
        for request in side.owner.requests:
            request.encoder.encodeHeaders(HeaderMap(RESPONSE), True)
        self.assertEqual(side.receive(PING), failures.OUTBOUND)
        self.assertEqual(names(side.wire.take())[-1], "GoAway")
        self.assertEqual(side.stats.outbound_flood.value, 1)

    def test_aDrainedTransportForgets(self) -> None:
        """What was taken by the transport no longer waits."""
        side = self.server()
        side.codec.pauseProducing()
        side.receive(PING * 999)
        side.codec.resumeProducing()
        side.codec.pauseProducing()
        self.assertIsNone(side.receive(PING * 999))


class ResetTests(SynchronousTestCase):
    """Requests that are sent and reset."""

    def server(self, settings: HTTP2Settings | None = None) -> Side:
        self.clock = Clock()
        self.clock.advance(100)
        side = Side(False, settings, seconds=self.clock.seconds)
        side.receive(HELLO)
        return side

    def test_premature(self) -> None:
        """250 requests reset at once end the connection, whatever else it does."""
        side = self.server()
        for index in range(249):
            stream = 2 * index + 1
            self.assertIsNone(side.receive(headers(stream) + rst(stream)))
        self.assertEqual(side.receive(headers(999) + rst(999)), "http2.too_many_premature_resets")
        self.assertEqual(names(side.wire.take())[-1], "GoAway")

    def test_late(self) -> None:
        """A request that was open for a second may be reset."""
        side = self.server()
        for index in range(600):
            stream = 2 * index + 1
            self.assertIsNone(side.receive(headers(stream)))
            self.clock.advance(1)
            self.assertIsNone(side.receive(rst(stream)))

    def test_halfOfMany(self) -> None:
        """After 500 requests half of them is the limit."""
        side = self.server()
        failure = None
        for index in range(3000):
            stream = 4 * index + 1
            side.receive(headers(stream))
            side.owner.requests[-1].encoder.encodeHeaders(HeaderMap(RESPONSE), True)
            if index >= 300:
                failure = side.receive(headers(stream + 2) + rst(stream + 2))
            if failure:
                break
        self.assertIsNone(failure)

    def test_burst(self) -> None:
        """resetBurst at once, resetRate a second after."""
        side = self.server(HTTP2Settings(resetBurst=3, resetRate=1))
        streams = iter(range(1, 99, 2))

        def reset() -> str | None:
            stream = next(streams)
            return side.receive(headers(stream) + rst(stream))

        self.assertEqual([reset() for _ in range(3)], [None] * 3)
        self.clock.advance(1)
        self.assertIsNone(reset())
        self.assertEqual(reset(), "http2.too_many_premature_resets")

    def test_answered(self) -> None:
        """A client may reset what was answered whole."""
        side = self.server()
        for index in range(400):
            stream = 2 * index + 1
            side.receive(headers(stream, flags=EH))
            side.owner.requests[-1].encoder.encodeHeaders(HeaderMap(RESPONSE), True)
            self.assertIsNone(side.receive(rst(stream)))


class LibraryFloodTests(OverLibrary, FloodTests):
    """The same over the reference core."""


class LibraryResetTests(OverLibrary, ResetTests):
    """The same over the reference core."""
