"""The server's side: requests, answers, and how they end."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import EH, ES, HELLO, PING, frame, headers, names, number, parse, rst
from tests.codec.h2.support import REQUEST, RESPONSE, OverLibrary, Owner, Recorder, Side
from twisted_envoy.codec.h2 import failures
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.codec.settings import HeaderLimits, HTTP2Settings


class ServerTests(SynchronousTestCase):
    """One server, and a client made of bytes."""

    def server(self, settings: HTTP2Settings | None = None, **more: Any) -> Side:
        side = Side(False, settings, **more)
        side.receive(HELLO)
        side.wire.take()
        return side

    def test_greeting(self) -> None:
        """The SETTINGS that Envoy's server sends, before it has heard anything."""
        first, second = parse(Side(False).wire.take())
        self.assertEqual(
            list(first.settings.items()), [(1, 4096), (8, 0), (3, 1024), (4, 16777216)]
        )
        self.assertEqual((second.stream_id, second.window_increment), (0, 25100289))

    def test_greetingWithSettings(self) -> None:
        """What is configured is said; a connection window that is not raised is not."""
        settings = HTTP2Settings(
            allowConnect=True, initialConnectionWindow=65535, customSettings=((0x1234, 5),)
        )
        (found,) = parse(Side(False, settings).wire.take())
        self.assertEqual((found.settings[8], found.settings[0x1234]), (1, 5))

    def test_messagingViolation(self) -> None:
        """The stream is told why, and the connection closes without GOAWAY as Envoy's does."""
        side = self.server()
        details = side.receive(headers(1, [*REQUEST, (b"connection", b"close")]))
        self.assertEqual(details, failures.PROTOCOL)
        reset = ("reset", Reset.PROTOCOL_ERROR, "http2.invalid.header.field")
        self.assertEqual(side.owner.requests[0].events, [reset])
        self.assertEqual(side.wire.take(), b"")

    def test_headersTooLarge(self) -> None:
        """RST_STREAM with INTERNAL_ERROR, and the connection goes on."""
        side = self.server(limits=HeaderLimits(maxBytes=200))
        self.assertIsNone(side.receive(headers(1, [*REQUEST, (b"a", b"b" * 300)])))
        self.assertEqual([found.error_code for found in parse(side.wire.take())], [2])
        self.assertEqual(side.owner.requests[0].reset, (Reset.REMOTE, "http2.too_many_headers"))
        self.assertEqual(side.stats.header_overflow.value, 1)
        self.assertIsNone(side.receive(headers(3)))
        self.assertEqual(side.owner.requests[1].kinds(), ["headers"])

    def test_underscore(self) -> None:
        """A request that is refused for one is reset."""
        side = self.server(limits=HeaderLimits(underscores="REJECT_REQUEST"))
        self.assertIsNone(side.receive(headers(1, [*REQUEST, (b"a_b", b"c")])))
        self.assertEqual([found.error_code for found in parse(side.wire.take())], [2])
        self.assertEqual(
            side.owner.requests[0].reset, (Reset.REMOTE, "http2.unexpected_underscore")
        )
        self.assertEqual(side.stats.header_overflow.value, 0)

    def test_earlyAnswer(self) -> None:
        """Answered before the request has ended: NO_ERROR, and its late bytes are dropped."""
        side = self.server()
        side.receive(headers(1, flags=EH))
        request = side.owner.requests[0]
        request.encoder.encodeHeaders(HeaderMap(RESPONSE), True)
        request.encoder.resetStream(Reset.LOCAL)
        self.assertEqual(parse(side.wire.take())[-1].error_code, 0)
        self.assertIsNone(side.receive(frame(0, ES, 1, b"late") + headers(1)))
        self.assertEqual(side.wire.take(), b"")
        self.assertEqual(request.kinds(), ["headers"])

    def test_ownerThatResetsAtOnce(self) -> None:
        """A stream that is reset as it is made gets no headers."""

        class Refusing(Owner):
            def newStream(self, encoder: Any) -> Recorder:
                encoder.resetStream(Reset.LOCAL_REFUSED)
                return super().newStream(encoder)

        side = self.server(owner=Refusing())
        side.receive(headers(1))
        self.assertEqual([found.error_code for found in parse(side.wire.take())], [7])
        self.assertEqual(side.owner.requests[0].events, [])
        side = self.server(HTTP2Settings(streamErrors=True), owner=Refusing())
        self.assertIsNone(side.receive(headers(1, [*REQUEST, (b"connection", b"close")])))
        self.assertEqual([found.error_code for found in parse(side.wire.take())], [7])

    def test_goAway(self) -> None:
        """A notice with the highest ID, then the last stream; later requests are refused."""
        side = self.server()
        side.receive(headers(1))
        side.codec.shutdownNotice()
        side.receive(headers(3))
        side.codec.goAway()
        side.receive(headers(5))

        found = parse(side.wire.take())
        self.assertEqual([notice.last_stream_id for notice in found[:2]], [2**31 - 1, 3])
        self.assertEqual(found[2].error_code, 7)
        self.assertEqual(len(side.owner.requests), 2)
        for request in side.owner.requests:
            request.encoder.encodeHeaders(HeaderMap(RESPONSE), True)
        self.assertEqual(names(side.wire.take()), ["Headers"] * 2)

    def test_goAwayOfTheClient(self) -> None:
        """The owner hears of it and the requests go on."""
        side = self.server()
        side.receive(headers(1) + frame(7, 0, 0, number(0) + number(2)))
        self.assertEqual(side.owner.goAways, [2])
        side.owner.requests[0].encoder.encodeHeaders(HeaderMap(RESPONSE), True)
        self.assertEqual(names(side.wire.take()), ["Headers"])

    def test_clientResets(self) -> None:
        """The decoder hears of it and the encoder falls silent."""
        side = self.server()
        side.receive(headers(1, flags=EH) + rst(1))
        request = side.owner.requests[0]
        self.assertEqual(request.reset, (Reset.REMOTE, "http2.remote_reset"))
        request.encoder.encode1xx(HeaderMap([(b":status", b"100")]))
        request.encoder.encodeHeaders(HeaderMap(RESPONSE), False)
        request.encoder.encodeData(b"x", True)
        request.encoder.encodeTrailers(HeaderMap())
        request.encoder.resetStream(Reset.LOCAL)
        self.assertEqual(side.wire.take(), b"")

    def test_failureTellsAllStreams(self) -> None:
        """Each open stream hears before CodecError is raised, and GOAWAY names the last."""
        side = self.server()
        details = side.receive(headers(1) + headers(3, flags=EH) + frame(6, 0, 1, bytes(8)))
        self.assertEqual(details, failures.PROTOCOL)
        for request in side.owner.requests:
            self.assertEqual(request.reset, (Reset.PROTOCOL_ERROR, details))
        self.assertEqual(parse(side.wire.take())[-1].last_stream_id, 3)
        self.assertEqual(side.stats.streams_active.value, 0)
        self.assertIsNone(side.receive(PING))

    def test_ping(self) -> None:
        """Theirs are answered with their bytes, ours are told when answered."""
        side = self.server()
        side.receive(PING)
        (found,) = parse(side.wire.take())
        self.assertEqual((found.opaque_data, set(found.flags)), (b"12345678", {"ACK"}))
        acked: list[bytes] = []
        side.codec.pingAcked = acked.append
        side.codec.sendPing(b"abcdefgh")
        side.receive(frame(6, 1, 0, b"abcdefgh"))
        self.assertEqual(acked, [b"abcdefgh"])
        self.assertEqual(names(side.wire.take()), ["Ping"])

    def test_longHeaders(self) -> None:
        """A block of more than a frame goes out in CONTINUATIONs."""
        side = self.server()
        side.receive(headers(1))
        value = bytes(range(33, 127)) * 400
        side.owner.requests[0].encoder.encodeHeaders(HeaderMap([*RESPONSE, (b"a", value)]), True)
        self.assertEqual(names(side.wire.take()), ["Headers", "Continuation", "Continuation"])

    def test_attributes(self) -> None:
        """What everybody may know."""
        side = self.server()
        self.assertEqual(side.codec.protocol, "HTTP/2")
        before = side.codec.activity
        side.receive(PING)
        self.assertEqual(side.codec.activity, before + 17)


class LibraryServerTests(OverLibrary, ServerTests):
    """The same over the reference core."""
