"""Two codecs joined: whole exchanges."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.support import REQUEST, RESPONSE, OverLibrary, Pair, Recorder
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.codec.settings import HTTP2Settings

CONNECT = ((b":method", b"CONNECT"), (b":authority", b"host.example:443"))


class ExchangeTests(SynchronousTestCase):
    """What goes in on one side comes out on the other."""

    def exchange(self, pair: Pair, *request: object) -> tuple[Recorder, Recorder]:
        decoder = pair.client.request(*request)  # type: ignore[arg-type]
        pair.settle()
        return decoder, pair.server.owner.requests[-1]

    def test_getAndItsAnswer(self) -> None:
        """A request without body and a response with one, trailers and an interim one before."""
        pair = Pair()

        response, request = self.exchange(pair)
        request.encoder.encode1xx(HeaderMap([(b":status", b"103"), (b"link", b"a")]))
        request.encoder.encodeHeaders(HeaderMap(RESPONSE), False)
        request.encoder.encodeData(b"hello", False)
        request.encoder.encodeTrailers(HeaderMap([(b"grpc-status", b"0")]))
        pair.settle()

        self.assertEqual(request.events, [("headers", list(REQUEST), True)])
        self.assertEqual(response.kinds(), ["1xx", "headers", "data", "trailers"])
        self.assertEqual(bytes(response.body), b"hello")
        self.assertEqual(pair.client.owner.closed, 1)
        self.assertEqual(pair.client.stats.streams_active.value, 0)
        self.assertEqual(pair.server.stats.streams_active.value, 0)

    def test_connectBothWays(self) -> None:
        """A plain CONNECT carries bytes both ways and ends one direction at a time."""
        pair = Pair()

        response, request = self.exchange(pair, CONNECT, False)
        request.encoder.encodeHeaders(HeaderMap(RESPONSE), False)
        response.encoder.encodeData(b"up", True)
        pair.settle()
        request.encoder.encodeData(b"down", True)
        pair.settle()

        self.assertEqual(request.headers, dict(CONNECT))
        self.assertTrue(request.ended and response.ended)
        self.assertEqual((bytes(request.body), bytes(response.body)), (b"up", b"down"))

    def test_extendedConnect(self) -> None:
        """`:protocol` passes when the server allows it, and the client knows that it does."""
        pair = Pair(serverSettings=HTTP2Settings(allowConnect=True))
        fields = ((b":method", b"CONNECT"), (b":protocol", b"websocket"), *REQUEST[1:])

        pair.settle()
        _, request = self.exchange(pair, fields, False)

        self.assertTrue(pair.client.codec.peerAllowsConnect)
        self.assertEqual(request.headers, dict(fields))

    def test_resets(self) -> None:
        """Each reason becomes a code and the code a reason."""
        for reason, reached in (
            (Reset.LOCAL, Reset.REMOTE),
            (Reset.LOCAL_REFUSED, Reset.REMOTE_REFUSED),
            (Reset.CONNECT_ERROR, Reset.CONNECT_ERROR),
            (Reset.PROTOCOL_ERROR, Reset.PROTOCOL_ERROR),
        ):
            pair = Pair()
            response, request = self.exchange(pair)
            request.encoder.resetStream(reason)
            pair.settle()
            self.assertEqual(response.reset and response.reset[0], reached)
            self.assertIsNone(request.reset)
            self.assertEqual(pair.server.stats.tx_reset.value, 1)
            self.assertEqual(pair.client.stats.rx_reset.value, 1)

    def test_eightMebibytesThroughGates(self) -> None:
        """8 MiB each way, with the gates shut and opened on the way, arrive whole."""
        pair = Pair()
        response, request = self.exchange(pair, REQUEST, False)
        request.encoder.encodeHeaders(HeaderMap(RESPONSE), False)
        block = bytes(range(256)) * 256
        for number in range(128):
            if number % 16 == 3:
                request.encoder.pauseReading()
                response.encoder.pauseReading()
            response.encoder.encodeData(block, number == 127)
            request.encoder.encodeData(block, number == 127)
            pair.settle()
            if number % 16 == 12:
                request.encoder.resumeReading()
                response.encoder.resumeReading()
        pair.settle()

        self.assertEqual(bytes(request.body), block * 128)
        self.assertEqual(bytes(response.body), block * 128)
        self.assertTrue(request.ended and response.ended)


class LibraryExchangeTests(OverLibrary, ExchangeTests):
    """The same over the reference core."""
