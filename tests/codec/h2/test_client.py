"""The client's side: what a server may say, and what ends a stream or the connection."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import (
    EH,
    ES,
    HELLO,
    PING,
    SETTINGS,
    Fields,
    frame,
    headers,
    names,
    number,
    parse,
    rst,
    setting,
    window,
)
from tests.codec.h2.support import REQUEST, RESPONSE, OverLibrary, Recorder, Side
from twisted_envoy.codec.h2 import failures
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings

MESSAGING = "http2.violation.of.messaging.rule"


def response(stream: int = 1, fields: Fields = RESPONSE, flags: int = EH) -> bytes:
    return headers(stream, fields, flags)


class ClientTests(SynchronousTestCase):
    """One client, and a server made of bytes."""

    def client(self, *requests: bool, **settings: object) -> Side:
        side = Side(True, HTTP2Settings(**settings))  # type: ignore[arg-type]
        side.receive(SETTINGS)
        self.requests = [side.request(REQUEST, ended) for ended in requests]
        side.wire.take()
        return side

    def test_greeting(self) -> None:
        """The bytes that Envoy's client begins with."""
        side = Side(True)
        data = side.wire.take()
        self.assertTrue(data.startswith(HELLO[:24]))
        first, second = parse(data)
        self.assertEqual(
            list(first.settings.items()),
            [
                (2, 0),
                (1, 4096),
                (8, 0),
                (3, 1024),
                (4, 16777216),
            ],
        )
        self.assertEqual((second.stream_id, second.window_increment), (0, 25100289))

    def test_streamIDs(self) -> None:
        """They are given as headers are sent, not as streams are made."""
        side = self.client()
        one, two = Recorder(), Recorder()
        first, second = side.codec.newStream(one), side.codec.newStream(two)
        second.encodeHeaders(HeaderMap(REQUEST), True)
        first.encodeHeaders(HeaderMap(REQUEST), True)
        self.assertEqual((second.streamID, first.streamID), (1, 3))

    def test_response(self) -> None:
        """Interim headers, headers, body, trailers; then the stream is free again."""
        side = self.client(True)
        interim = [(b":status", b"100")]
        side.receive(response(1, interim) + response() + frame(0, 0, 1, b"body"))
        self.assertEqual(side.owner.closed, 0)
        side.receive(headers(1, [(b"a", b"b")]))
        self.assertEqual(self.requests[0].kinds(), ["1xx", "headers", "data", "trailers"])
        self.assertEqual(side.owner.closed, 1)
        self.assertEqual(side.stats.trailers.value, 1)

    def test_connectionFailures(self) -> None:
        """What ends the connection, with its code."""
        for name, data, code in (
            ("push", frame(5, EH, 1, number(2)), 1),
            ("even DATA", frame(0, 0, 2, b"x"), 1),
            ("even HEADERS", response(2), 1),
            ("idle HEADERS", response(5), 1),
            ("idle DATA", frame(0, 0, 5, b"x"), 1),
            ("idle RST", rst(5), 1),
            ("idle WINDOW_UPDATE", window(5, 1), 1),
            ("push setting", setting(2, 1), 1),
            ("too long", frame(0, 0, 1, bytes(16385)), 6),
            ("compression", frame(1, EH, 1, b"\xff\xff\xff\xff\xff\x01"), 9),
        ):
            side = self.client(True, True)
            self.assertEqual(side.receive(data), failures.PROTOCOL, name)
            goAway = parse(side.wire.take())[-1]
            self.assertEqual((goAway.error_code, goAway.last_stream_id), (code, 0), name)
            resets = [request.reset for request in self.requests]
            self.assertEqual(resets, [(Reset.PROTOCOL_ERROR, failures.PROTOCOL)] * 2)

    def test_malformedResponses(self) -> None:
        """They end the connection, or only the stream when that is asked for."""
        for data, details in (
            (response(1, [(b"server", b"x")]), MESSAGING),
            (response(1, [(b":status", b"101")]), MESSAGING),
            (response(1, [(b":status", b"20")]), MESSAGING),
            (response(1, [*RESPONSE, (b"connection", b"close")]), failures.INVALID_FIELD),
            (response(1, [*RESPONSE, (b"content-length", b"5")], ES | EH), MESSAGING),
            (response() + headers(1, [(b":status", b"200")]), failures.INVALID_FIELD),
        ):
            side = self.client(True)
            self.assertEqual(side.receive(data), failures.PROTOCOL)
            self.assertEqual(side.wire.take(), b"")
            self.assertEqual(self.requests[0].reset, (Reset.PROTOCOL_ERROR, details))
            self.assertEqual(side.stats.rx_messaging_error.value, 1)

            side = self.client(True, streamErrors=True)
            self.assertIsNone(side.receive(data))
            self.assertEqual([found.error_code for found in parse(side.wire.take())], [1])
            self.assertEqual(self.requests[0].reset, (Reset.PROTOCOL_ERROR, details))

    def test_interimOutOfPlace(self) -> None:
        """No response ends with interim headers, and none come after the final ones."""
        interim = [(b":status", b"103")]
        for data in (
            response(1, interim, ES | EH),
            response() + headers(1, interim, EH),
            response() + headers(1, interim),
        ):
            side = self.client(True)
            self.assertEqual(side.receive(data), failures.PROTOCOL)
            self.assertEqual(parse(side.wire.take())[-1].error_code, 1)

    def test_streamFailures(self) -> None:
        """What ends one stream."""
        length = response(1, [*RESPONSE, (b"content-length", b"5")])
        for data, details in (
            (length + frame(0, 0, 1, b"123456"), failures.REMOTE_RESET),
            (length + frame(0, ES, 1, b"1234"), failures.REMOTE_RESET),
            (frame(0, 0, 1, b"before the headers"), MESSAGING),
        ):
            side = self.client(True)
            self.assertIsNone(side.receive(data))
            self.assertEqual([found.error_code for found in parse(side.wire.take())], [1])
            self.assertEqual(self.requests[0].reset, (Reset.PROTOCOL_ERROR, details))
            self.assertEqual(side.owner.closed, 1)

    def test_lengthsThatMeanNothing(self) -> None:
        """Of HEAD, 304 and CONNECT."""
        fields = [*RESPONSE[1:], (b"content-length", b"5")]
        for request, status in (
            (((b":method", b"HEAD"), *REQUEST[1:]), b"200"),
            (REQUEST, b"304"),
            (((b":method", b"CONNECT"), (b":authority", b"a:1")), b"200"),
        ):
            side = self.client()
            decoder = side.request(request)
            side.receive(response(1, [(b":status", status), *fields], ES | EH))
            self.assertEqual(decoder.kinds(), ["headers"])

    def test_headersTooLarge(self) -> None:
        """They end the stream with INTERNAL_ERROR."""
        side = Side(True, limits=HeaderLimits(maxCount=3))
        side.receive(SETTINGS)
        decoder = side.request()
        side.wire.take()
        side.receive(response(1, [*RESPONSE, (b"a", b"b"), (b"c", b"d")]))
        self.assertEqual([found.error_code for found in parse(side.wire.take())], [2])
        self.assertEqual(decoder.reset, (Reset.PROTOCOL_ERROR, "http2.too_many_headers"))
        self.assertEqual(side.stats.header_overflow.value, 1)

    def test_bomb(self) -> None:
        """A block that unpacks to far more than any limit ends the connection."""
        side = self.client(True)
        bomb = b"\x40\x01a" + b"\x7f\xa1\x1e" + b"x" * 4000 + b"\xbe" * 12000
        self.assertEqual(side.receive(frame(1, EH, 1, bomb)), "http2.too_many_headers")
        self.assertEqual(parse(side.wire.take())[-1].error_code, 11)

    def test_resets(self) -> None:
        """Codes become reasons."""
        for code, expected in (
            (7, (Reset.REMOTE_REFUSED, "http2.remote_refuse")),
            (10, (Reset.CONNECT_ERROR, "http2.remote_reset")),
            (8, (Reset.REMOTE, "http2.remote_reset")),
            (99, (Reset.REMOTE, "http2.remote_reset")),
        ):
            side = self.client(True)
            side.receive(rst(1, code))
            self.assertEqual(self.requests[0].reset, expected)
            self.assertEqual(side.owner.closed, 1)
            self.assertEqual(side.wire.take(), b"")

    def test_ourResets(self) -> None:
        """Reasons become codes; what comes late is dropped."""
        for reason, code in (
            (Reset.LOCAL, 2),
            (Reset.LOCAL_REFUSED, 7),
            (Reset.CONNECT_ERROR, 10),
            (Reset.PROTOCOL_ERROR, 1),
            (Reset.OVERFLOW, 2),
        ):
            side = self.client(True)
            self.requests[0].encoder.resetStream(reason)
            self.assertEqual([found.error_code for found in parse(side.wire.take())], [code])
            late = response() + frame(0, 0, 1, b"x") + headers(1, [(b"a", b"b")])
            self.assertIsNone(side.receive(late + window(1, 1) + rst(1)))
            self.assertEqual(side.wire.take(), b"")
            self.assertEqual(self.requests[0].events, [])

    def test_resetBeforeTheHeaders(self) -> None:
        """A request that was never sent leaves no trace."""
        side = self.client()
        decoder = Recorder()
        stream = side.codec.newStream(decoder)
        stream.resetStream(Reset.LOCAL)
        stream.encodeHeaders(HeaderMap(REQUEST), True)
        self.assertEqual(side.wire.take(), b"")
        self.assertEqual(decoder.events, [])

    def test_goAway(self) -> None:
        """Streams above the last are refused, the others go on, none are begun."""
        side = self.client(True, True)
        side.receive(frame(7, 0, 0, number(1) + number(0)))
        self.assertEqual(side.owner.goAways, [0])
        self.assertEqual(self.requests[1].reset, (Reset.REMOTE_REFUSED, "http2.remote_refuse"))
        later = side.request()
        self.assertEqual(later.reset, (Reset.REMOTE_REFUSED, "http2.remote_refuse"))
        self.assertEqual(side.wire.take(), b"")

        side.receive(response(1) + frame(0, ES, 1, b"body"))
        self.assertTrue(self.requests[0].ended)

    def test_goAwayTwice(self) -> None:
        """A notice first, then the last stream: both are told."""
        side = self.client(True)
        side.receive(frame(7, 0, 0, number(2**31 - 1) + number(0)))
        self.assertIsNone(self.requests[0].reset)
        side.receive(frame(7, 0, 0, number(0) + number(11)))
        self.assertEqual(side.owner.goAways, [0, 11])
        self.assertIsNotNone(self.requests[0].reset)

    def test_maxConcurrentStreams(self) -> None:
        """The owner hears of it; a stream too many is refused without a frame."""
        side = self.client(True)
        side.receive(setting(3, 1))
        self.assertEqual(side.owner.maxConcurrent, [1])
        side.wire.take()
        second = side.request()
        self.assertEqual(second.reset, (Reset.REMOTE_REFUSED, "http2.remote_refuse"))
        self.assertEqual(side.wire.take(), b"")
        side.receive(response(1, flags=ES | EH))
        self.assertIsNone(side.request().reset)

    def test_afterTheEnd(self) -> None:
        """A connection that is gone takes no requests and no bytes."""
        side = self.client(True)
        side.codec.connectionLost(Reset.CONNECTION_TERMINATION)
        side.codec.connectionLost(Reset.CONNECTION_TERMINATION)
        self.assertEqual(
            self.requests[0].events,
            [
                ("reset", Reset.CONNECTION_TERMINATION, ""),
            ],
        )
        self.assertIsNotNone(side.request().reset)
        side.codec.readConnectionLost()
        side.codec.sendPing(bytes(8))
        side.codec.shutdownNotice()
        side.codec.goAway()
        self.assertIsNone(side.receive(PING))
        self.assertEqual(side.wire.take(), b"")

    def test_announcements(self) -> None:
        """shutdownNotice and goAway name the server's streams: there are none."""
        side = self.client(True)
        side.codec.shutdownNotice()
        side.codec.goAway()
        found = parse(side.wire.take())
        self.assertEqual([notice.last_stream_id for notice in found], [2**31 - 1, 0])
        self.assertEqual(side.stats.goaway_sent.value, 1)

    def test_smallTable(self) -> None:
        """A small HPACK table binds the server once it has said that it knows."""
        side = Side(True, HTTP2Settings(hpackTableSize=0, huffman=False))
        decoder = side.request()
        self.assertIn(b"host.example", side.wire.take())
        self.assertIsNone(side.receive(SETTINGS + response(1)))
        self.assertEqual(decoder.kinds(), ["headers"])
        self.assertIsNone(side.receive(frame(4, 1, 0)))
        self.assertEqual(names(side.wire.take()), ["Settings"])


class LibraryClientTests(OverLibrary, ClientTests):
    """The same over the reference core."""
