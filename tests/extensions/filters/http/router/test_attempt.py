"""Tests for router.attempt: order, back-pressure, records, ends."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.extensions.filters.http.router.support import Routing
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import CodecError, IStreamDecoder, Reset
from twisted_envoy.interfaces.http import IPoolUser


class Log:
    """An access log that keeps what was written."""

    def __init__(self):
        self.kinds = []

    def log(self, context):
        self.kinds.append(context.accessLogType)


class AttemptTests(SynchronousTestCase):
    """One attempt."""

    def test_interfaces(self):
        routing = Routing()
        routing.request()

        verifyObject(IStreamDecoder, routing.asked[0].decoder)
        verifyObject(IPoolUser, routing.asked[0].user)

    def test_whatIsKnown(self):
        """The upstream's side of the request's info."""
        routing = Routing()
        routing.reactor.advance(5)
        stream = routing.request(method=b"POST", body=b"12345")
        routing.reactor.advance(1)
        routing.asked[0].answer(200, b"abc")

        info = stream.streamInfo
        upstream = info.upstream
        self.assertEqual(info.upstreamProtocol, "HTTP/1.1")
        self.assertEqual(upstream.clusterName, "origin")
        self.assertEqual(upstream.hostsAttempted, ["127.0.0.1:9000"])
        self.assertEqual(upstream.hostNamesAttempted, ["host0.test"])
        self.assertEqual(upstream.connectionIDsAttempted, [1])
        self.assertEqual((upstream.bytesSent, upstream.bytesReceived), (5, 3))
        self.assertEqual((info.upstreamHeaderBytesSent, info.upstreamWireBytesSent), (50, 80))
        self.assertEqual(
            (info.upstreamHeaderBytesReceived, info.upstreamWireBytesReceived), (20, 60)
        )
        self.assertEqual((info.firstUpstreamByteSentTime, info.lastUpstreamByteSentTime), (5, 5))
        self.assertEqual(
            (info.firstUpstreamByteReceivedTime, info.lastUpstreamByteReceivedTime), (6, 6)
        )
        self.assertEqual(info.firstUpstreamBodyByteReceivedTime, 6)

    def test_reasonsOfResets(self):
        """Only a lost connection has a transport's reason; a codec's words are its own."""
        for reason, expected in (
            (Reset.REMOTE, "{remote_reset}"),
            (Reset.CONNECTION_TERMINATION, "{connection_termination|the_reason}"),
        ):
            routing = Routing()
            stream = routing.request()
            routing.asked[0].reset(reason, "the reason")

            self.assertTrue(stream.details.endswith(expected), stream.details)

    def test_earlyAnswer(self):
        """An answer that ends before the request does ends both."""
        routing = Routing()
        stream = routing.request(endStream=False)
        routing.asked[0].answer(200, b"early")
        stream.router.decodeData(b"late", True)

        self.assertEqual((stream.body, stream.ended), (b"early", True))
        self.assertIs(routing.asked[0].encoder.reset, Reset.LOCAL)
        self.assertEqual(routing.asked[0].encoder.body, b"")
        self.assertNotIn(b"x-envoy-upstream-service-time", stream.headers)
        self.assertEqual(routing.reactor.getDelayedCalls(), [])

    def test_clientGone(self):
        """The upstream's stream is reset; what it still says is not heard."""
        routing = Routing()
        stream = routing.request()
        stream.router.streamEnded()
        stream.router.streamEnded()
        [asked] = routing.asked
        asked.answer(200, b"x")
        asked.decoder.decodeTrailers(HeaderMap())
        asked.decoder.decode1xx(HeaderMap(((b":status", b"100"),)))
        asked.decoder.streamFailed(CodecError("x"))
        asked.reset()
        asked.user.poolFailed(Reset.OVERFLOW, "")

        self.assertIs(asked.encoder.reset, Reset.LOCAL)
        self.assertIsNone(stream.headers)
        self.assertEqual(routing.reactor.getDelayedCalls(), [])

    def test_clientGoneWhileConnecting(self):
        routing = Routing()
        routing.cluster.waits = True
        stream = routing.request(method=b"POST", endStream=False)
        stream.router.decodeData(b"x" * 2000, False)
        stream.router.streamEnded()
        [asked] = routing.asked
        asked.ready()

        self.assertTrue(asked.cancelled)
        self.assertIs(asked.encoder.reset, Reset.LOCAL)
        self.assertIsNone(asked.encoder.headers)
        self.assertEqual(stream.reading.paused, 0)

    def test_trailersWhileConnecting(self):
        routing = Routing()
        routing.cluster.waits = True
        stream = routing.request(method=b"POST", endStream=False)
        stream.requestTrailers = HeaderMap(((b"t", b"1"),))
        stream.router.decodeTrailers(stream.requestTrailers)
        [asked] = routing.asked
        asked.ready()

        self.assertEqual(asked.encoder.trailers[b"t"], b"1")

    def test_emptyEndWhileConnecting(self):
        """An end without bytes makes the headers the end."""
        routing = Routing()
        routing.cluster.waits = True
        stream = routing.request(method=b"POST", endStream=False)
        stream.router.decodeData(b"", True)
        [asked] = routing.asked
        asked.ready()

        self.assertTrue(asked.encoder.ended)

    def test_answerDuringThePendingBody(self):
        """An upstream that refuses while the kept body is sent gets no more of it."""
        routing = Routing()
        routing.cluster.waits = True
        stream = routing.request(method=b"POST", endStream=False)
        for _ in range(3):
            stream.router.decodeData(b"x", False)
        [asked] = routing.asked
        encode = asked.encoder.encodeData

        def refusing(data, endStream):
            encode(data, endStream)
            asked.answer(413)

        asked.encoder.encodeData = refusing
        asked.ready()

        self.assertEqual((asked.encoder.body, stream.status), (b"x", 413))

    def test_slowUpstream(self):
        """The request's gate is the encoder's producer, and is opened when the attempt ends."""
        routing = Routing()
        stream = routing.request(method=b"POST", endStream=False)
        producer = routing.asked[0].encoder.producer
        producer.pauseProducing()
        paused = stream.reading.paused
        routing.asked[0].reset()

        self.assertIs(producer, stream.gate)
        self.assertEqual((paused, stream.reading.paused), (1, 0))

    def test_slowClient(self):
        """The answer's producer pauses the upstream's stream."""
        routing = Routing()
        stream = routing.request()
        routing.asked[0].answer(200, b"a", endStream=False)
        encoder = routing.asked[0].encoder
        stream.producer.pauseProducing()
        paused = encoder.paused
        stream.producer.resumeProducing()
        resumed = encoder.paused
        routing.asked[0].decoder.decodeData(b"b", True)
        stream.producer.pauseProducing()
        stream.producer.resumeProducing()
        stream.producer.stopProducing()

        self.assertEqual((paused, resumed, encoder.paused), (1, 0, 0))
        stats = routing.cluster.stats
        self.assertEqual(stats.upstream_flow_control_paused_reading_total.value, 1)
        self.assertEqual(stats.upstream_flow_control_resumed_reading_total.value, 1)

    def test_records(self):
        """upstream_log: when a stream begins, now and then, and at its end."""
        routing = Routing(
            {
                "upstream_log_options": {
                    "flush_upstream_log_on_upstream_stream": True,
                    "upstream_log_flush_interval": "1s",
                }
            }
        )
        log = Log()
        object.__setattr__(routing.make().settings, "logs", (log,))
        routing.request()
        routing.reactor.advance(1)
        routing.reactor.advance(1)
        routing.asked[0].answer(200)

        self.assertEqual(
            log.kinds,
            ["UpstreamPoolReady", "UpstreamPeriodic", "UpstreamPeriodic", "UpstreamEnd"],
        )
        self.assertEqual(routing.reactor.getDelayedCalls(), [])

    def test_earlyDataOfConnect(self):
        """Bytes before the answer to CONNECT are refused where the config says so."""
        routing = Routing({"reject_connect_request_early_data": True})
        routing.cluster.waits = True
        stream = routing.request(method=b"CONNECT", endStream=False)
        stream.router.decodeData(b"early", False)

        self.assertEqual(stream.reply, (400, b""))
        self.assertEqual(stream.details, "early_connect_data")
        self.assertTrue(routing.asked[0].cancelled)

    def test_dataAfterTheAnswerToConnect(self):
        routing = Routing({"reject_connect_request_early_data": True})
        stream = routing.request(method=b"CONNECT", endStream=False)
        routing.asked[0].answer(200, endStream=False)
        stream.router.decodeData(b"x", False)

        self.assertEqual(routing.asked[0].encoder.body, b"x")
