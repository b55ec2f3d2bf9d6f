"""Pooled connections: what they count, when they are kept, and how they end."""

from __future__ import annotations

from twisted.internet.protocol import Factory, Protocol

from tests.upstream.http.support import CONNECT, OK, POST, H2TestCase, HTTPTestCase
from tests.upstream.support import ONE
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.codec.settings import HTTP2Settings, Keepalive

CLOSING = OK.replace(b"OK\r\n", b"OK\r\nConnection: Close\r\n")
HTTP10 = OK.replace(b"HTTP/1.1", b"HTTP/1.0")


class KeptTests(HTTPTestCase):
    """What ends an HTTP/1.1 connection, and what does not."""

    def assertClosed(self, active=0, **stats):
        """Our side has closed the connection, with nobody on it if active is 0."""
        self.assertEqual(
            self.stats("cx_active", "cx_destroy", "cx_destroy_with_active_rq"), (0, 1, active)
        )
        for name, value in stats.items():
            self.assertEqual(self.stats(name), (value,), name)
        origin = self.origin.connections[0]
        self.assertTrue(origin.ended or origin.lost)
        self.assertGone()

    def test_facts(self):
        """What a user is told of its connection."""
        user = self.ask()
        found = user.connection
        self.assertIs(found.host, self.world.cluster.hosts[0])
        self.assertEqual((found.protocol, found.connectionID), ("HTTP/1.1", 1))
        self.assertEqual(found.remoteAddress, ONE.address)
        self.assertEqual(found.localAddress.host, "127.0.0.1")
        self.assertEqual((found.startTime, found.connectedTime), (0.0, 0.0))

    def test_bytes(self):
        """Bytes are counted both ways."""
        self.ask()
        self.answer()
        sent = len(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        self.assertEqual(self.stats("cx_tx_bytes_total", "cx_rx_bytes_total"), (sent, len(OK)))

    def test_pieces(self):
        """So are those of several pieces."""
        user = self.ask(POST, False)
        user.encoder.encodeData(b"one", False)
        user.encoder.encodeData(b"two", True)
        self.world.settle()
        received = self.origin.connections[0].received
        self.assertTrue(received.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"), received)
        self.assertEqual(self.stats("cx_tx_bytes_total"), (len(received),))

    def test_connectionClose(self):
        """The server says that it closes."""
        user = self.ask()
        self.answer(CLOSING)
        self.assertTrue(user.done)
        self.assertClosed(cx_close_notify=1, cx_destroy_local=1)

    def test_http10(self):
        """HTTP/1.0 closes unless it says keep-alive."""
        self.ask()
        self.answer(HTTP10.replace(b"OK\r\n", b"OK\r\nconnection: keep-alive\r\n"))
        self.assertEqual(self.stats("cx_active"), (1,))
        self.ask()
        self.answer(HTTP10)
        self.assertClosed(cx_close_notify=1)

    def test_early(self):
        """A response before the end of its request ends the connection."""
        user = self.ask(POST, False)
        self.answer()
        self.assertEqual((user.done, user.wasReset), (True, None))
        self.assertClosed(active=1, cx_destroy_local=1, cx_close_notify=0)

    def test_earlyAndReset(self):
        """So does a user who gives up the rest of its request then."""
        user = self.ask(POST, False)
        done = user.decodeData
        user.decodeData = lambda data, end: (
            done(data, end),
            end and user.encoder.resetStream(Reset.LOCAL),
        )
        self.answer()
        self.assertIsNone(user.wasReset)
        self.assertClosed(active=1)

    def test_reset(self):
        """A user that resets a stream ends the connection, once."""
        user = self.ask()
        user.encoder.resetStream(Reset.LOCAL)
        user.encoder.resetStream(Reset.LOCAL)
        self.world.settle()
        self.assertIsNone(user.wasReset)
        self.assertClosed(active=1, cx_destroy_local_with_active_rq=1, rq_tx_reset=0)

    def test_resetWithBytesWaiting(self):
        """What the origin did not take is dropped."""
        self.use(bufferLimit=100)
        user = self.ask(POST, False)
        self.origin.connections[0].transport.pauseProducing()
        user.encoder.encodeData(b"x" * 1000, False)
        self.world.settle()
        user.encoder.resetStream(Reset.LOCAL)
        self.world.settle()
        self.assertEqual(self.stats("cx_active", "cx_destroy_local"), (0, 1))

    def test_idleBytes(self):
        """Bytes that nobody asked for."""
        for data, errors in ((b"x", 1), (b"HTTP/1.1 408 X\r\n\r\n", 0)):
            self.use()
            self.ask()
            self.answer()
            self.answer(data)
            self.assertClosed(cx_protocol_error=errors, cx_destroy_local=1)

    def test_moreThanAsked(self):
        """Bytes behind a whole response, in the same piece."""
        user = self.ask()
        self.answer(OK + b"junk")
        self.assertTrue(user.done)
        self.assertClosed(cx_protocol_error=1)

    def test_garbage(self):
        """What is no response resets the stream."""
        user = self.ask()
        self.answer(b"garbage\r\n\r\n")
        self.assertIs(user.wasReset, Reset.PROTOCOL_ERROR)
        self.assertClosed(active=1, cx_protocol_error=1, cx_destroy_local_with_active_rq=1)

    def test_lostBeforeHeaders(self):
        """The server closes instead of answering."""
        user = self.ask()
        self.origin.connections[0].loseConnection()
        self.world.settle()
        self.assertIs(user.wasReset, Reset.CONNECTION_TERMINATION)
        self.assertClosed(active=1, cx_destroy_remote_with_active_rq=1, cx_protocol_error=0)

    def test_aborted(self):
        """Or resets the connection."""
        user = self.ask()
        self.origin.connections[0].abortConnection()
        self.world.settle()
        self.assertIs(user.wasReset, Reset.CONNECTION_TERMINATION)
        self.assertClosed(active=1, cx_destroy_remote=1)

    def test_lostInTheBody(self):
        """A body that is cut off is a protocol error."""
        user = self.ask()
        self.answer(OK[:-1])
        self.origin.connections[0].loseConnection()
        self.world.settle()
        self.assertEqual((user.body, user.wasReset, user.done), (b"o", Reset.PROTOCOL_ERROR, False))
        self.assertClosed(active=1, cx_destroy_remote_with_active_rq=1, cx_protocol_error=1)

    def test_resetInTheBody(self):
        """By a reset, too."""
        user = self.ask()
        self.answer(OK[:-1])
        self.origin.connections[0].abortConnection()
        self.world.settle()
        self.assertEqual((user.body, user.wasReset, user.done), (b"o", Reset.PROTOCOL_ERROR, False))
        self.assertClosed(active=1, cx_destroy_remote_with_active_rq=1, cx_protocol_error=1)

    def test_bodyThatEndsWithTheConnection(self):
        """A body without a length ends with the connection, and is whole."""
        user = self.ask()
        self.answer(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        self.assertFalse(user.done)
        self.origin.connections[0].loseConnection()
        self.world.settle()
        self.assertEqual((user.body, user.done, user.wasReset), (b"all of it", True, None))
        self.assertClosed(cx_destroy_remote=1)

    def test_idleClose(self):
        """A server may close what nobody uses."""
        self.ask()
        self.answer()
        self.origin.connections[0].loseConnection()
        self.world.settle()
        self.assertClosed(cx_destroy_remote=1)

    def test_maxRequests(self):
        """max_requests_per_connection."""
        self.use(maxRequestsPerConnection=2)
        for _ in range(3):
            self.ask()
            self.answer()
        self.assertEqual(
            self.stats("cx_total", "cx_max_requests", "cx_destroy_local", "cx_active"),
            (2, 1, 1, 1),
        )

    def test_closeAfterStream(self):
        """A user may ask for that."""
        user = self.ask()
        user.connection.closeAfterStream()
        self.assertEqual(self.stats("cx_active"), (1,))
        self.answer()
        user.connection.closeAfterStream()
        self.assertClosed(cx_destroy_local=1)

    def test_lostWhileItsUserRaises(self):
        """A user that raises when it is told is logged; the connection ends as ever."""
        user = self.ask()

        def raising(reason, details):
            raise RuntimeError("broken")

        user.streamReset = raising
        self.origin.connections[0].abortConnection()
        self.world.settle()
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertClosed(active=1, cx_destroy_remote=1)

    def test_lostWithAProducer(self):
        """A user hears of the reset, not of stopProducing; later calls do nothing."""
        user = self.ask(POST, False)
        self.origin.connections[0].abortConnection()
        self.world.settle()
        user.encoder.encodeData(b"late", True)
        user.encoder.resetStream(Reset.LOCAL)
        self.world.settle()
        self.assertGone()


class TimeTests(HTTPTestCase):
    """What time does to a connection."""

    def test_idle(self):
        """idle_timeout counts from the end of the last request."""
        self.use(idleTimeout=10.0)
        self.ask()
        self.world.clock.advance(30)
        self.answer()
        self.world.clock.advance(9)
        self.assertEqual(self.stats("cx_active"), (1,))
        self.world.clock.advance(1)
        self.world.settle()
        self.assertEqual(self.stats("cx_idle_timeout", "cx_destroy_local"), (1, 1))
        self.assertGone()

    def test_noIdle(self):
        """0 is never."""
        self.use(idleTimeout=0.0)
        self.ask()
        self.answer()
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_duration(self):
        """max_connection_duration closes what is unused, and drains what is used."""
        self.use(maxConnectionDuration=10.0)
        self.ask()
        self.answer()
        self.world.clock.advance(5)
        second = self.world.ask(), self.world.ask()
        self.world.settle()
        self.answer(which=1)
        self.world.clock.advance(5)
        self.assertEqual(self.stats("cx_max_duration_reached", "cx_active"), (1, 2))
        self.answer(which=0)
        self.assertTrue(all(user.done for user in second))
        self.assertEqual(self.stats("cx_active"), (1,))
        self.world.clock.advance(5)
        self.world.settle()
        self.assertEqual(self.stats("cx_max_duration_reached", "cx_active"), (2, 0))
        self.assertGone()

    def test_length(self):
        """How long connects and connections took."""
        self.ask()
        self.world.clock.advance(3)
        self.answer(CLOSING)
        stats = self.world.cluster.stats
        for histogram, value in (
            (stats.upstream_cx_length_ms, 3000),
            (stats.upstream_cx_connect_ms, 0),
            (stats.upstream_rq_per_cx, 1),
        ):
            histogram.merge()
            self.assertEqual(histogram.total.count, 1)
            self.assertLess(abs(histogram.total.sum - value), 100)


class Gate:
    """Who produces a request's body."""

    paused = 0

    def pauseProducing(self):
        self.paused += 1

    def resumeProducing(self):
        self.paused -= 1

    def stopProducing(self):
        raise AssertionError("the stream is reset instead")


class PressureTests(HTTPTestCase):
    """Slow ends."""

    def test_slowOrigin(self):
        """The request's producer pauses over per_connection_buffer_limit_bytes."""
        self.use(bufferLimit=100)
        user = self.ask(POST, False)
        gate = Gate()
        user.encoder.registerProducer(gate)
        user.encoder.setBufferLimit(100)
        origin = self.origin.connections[0]
        origin.transport.pauseProducing()
        user.encoder.encodeData(b"x" * 300, False)
        self.world.settle()
        self.assertEqual(gate.paused, 1)
        origin.transport.resumeProducing()
        self.world.settle()
        self.assertEqual(gate.paused, 0)

    def test_slowUser(self):
        """A paused stream pauses its connection; the next one starts unpaused."""
        user = self.ask()
        user.encoder.pauseReading()
        self.answer()
        self.assertFalse(user.done)
        user.encoder.resumeReading()
        self.world.settle()
        self.assertTrue(user.done)


class TunnelTests(HTTPTestCase):
    """CONNECT and upgrades take the whole connection."""

    def open(self):
        user = self.ask(CONNECT, False)
        self.answer(b"HTTP/1.1 200 OK\r\n\r\n")
        user.encoder.encodeData(b"up", False)
        self.answer(b"down")
        self.assertEqual(user.body, b"down")
        self.assertTrue(self.origin.connections[0].received.endswith(b"\r\n\r\nup"))
        return user

    def test_originEnds(self):
        """The origin's end is the response's end, and the connection's."""
        user = self.open()
        self.origin.connections[0].loseWriteConnection()
        self.world.settle()
        self.assertTrue(user.done)
        self.assertGone()

    def test_userEnds(self):
        """The user's end closes the connection behind what was sent, as in Envoy."""
        user = self.open()
        user.encoder.encodeData(b"last", True)
        self.world.settle()
        self.assertTrue(self.origin.connections[0].received.endswith(b"uplast"))
        self.assertTrue(self.origin.connections[0].ended)
        self.assertIs(user.wasReset, Reset.CONNECTION_TERMINATION)
        self.assertGone()

    def test_userEndsWithTrailers(self):
        """Trailers end it too."""
        user = self.open()
        user.encoder.encodeTrailers(HeaderMap())
        self.world.settle()
        self.assertGone()

    def test_halfClose(self):
        """With the switch the origin's late answer arrives."""
        self.use(half=True)
        user = self.open()
        user.encoder.encodeData(b"", True)
        self.world.settle()
        self.assertTrue(self.origin.connections[0].ended)
        self.answer(b" late")
        self.assertEqual(user.body, b"down late")
        self.origin.connections[0].loseConnection()
        self.world.settle()
        self.assertTrue(user.done)
        self.assertGone()

    def test_refused(self):
        """A CONNECT that was refused leaves nothing to reuse."""
        user = self.ask(CONNECT, False)
        self.answer(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
        self.assertTrue(user.done)
        self.assertGone()

    def test_upgrade(self):
        """101 is a tunnel."""
        headers = HeaderMap(
            [*POST.pairs(), (b"connection", b"upgrade"), (b"upgrade", b"websocket")]
        )
        user = self.ask(headers, False)
        self.answer(
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
        )
        user.encoder.encodeData(b"frames", False)
        self.answer(b"more")
        self.assertEqual(user.body, b"more")
        self.assertEqual(self.stats("cx_close_notify"), (0,))
        user.encoder.encodeData(b"", True)
        self.world.settle()
        self.assertTrue(self.origin.connections[0].ended)
        self.answer(b" late")
        self.origin.connections[0].loseConnection()
        self.world.settle()
        self.assertEqual(user.body, b"more late")
        self.assertTrue(user.done)
        self.assertGone()


class MultiplexTests(H2TestCase):
    """HTTP/2."""

    def test_exchange(self):
        """Requests are answered in any order; the connection stays."""
        users = [self.world.ask() for _ in range(3)]
        self.world.settle()
        for which in (2, 0, 1):
            self.reply(which)
            self.assertEqual(users[which].body, b"ok")
        self.assertIdle()
        self.assertEqual(self.stats("cx_total", "rq_total", "cx_http2_total"), (1, 3, 1))
        self.assertEqual(users[0].connection.protocol, "HTTP/2")

    def test_ownLimit(self):
        """At max_concurrent_streams another connection is made."""
        self.use(http2=HTTP2Settings(maxConcurrentStreams=2))
        users = [self.ask() for _ in range(3)]
        self.assertEqual(self.stats("cx_total"), (2,))
        self.assertIsNot(users[0].connection, users[2].connection)

    def test_peersLimit(self):
        """So it is at the peer's, once that is known; one that is free again is used again."""
        self.use(settings=HTTP2Settings(maxConcurrentStreams=1))
        first = self.ask()
        second = self.ask()
        self.assertEqual(self.stats("cx_total"), (2,))
        self.reply(0)
        self.reply(1)
        self.assertTrue(first.done and second.done)
        third = self.ask()
        self.assertIs(third.connection, second.connection)
        self.assertEqual(self.stats("cx_total"), (2,))

    def test_peerAllowsMore(self):
        """SETTINGS that allow more serve who waits."""
        self.use(settings=HTTP2Settings(maxConcurrentStreams=1), limits={"maxConnections": 1})
        self.ask()
        second = self.ask()
        self.assertIsNone(second.encoder)
        second_connection = next(iter(self.world.pool().connections))
        second_connection.settingsReceived(5)
        self.world.settle()
        self.assertIsNotNone(second.encoder)

    def test_waitingForAStream(self):
        """At max_connections who waits gets the next stream that is free."""
        self.use(settings=HTTP2Settings(maxConcurrentStreams=1), limits={"maxConnections": 1})
        first = self.ask()
        second = self.ask()
        self.reply(0)
        self.reply(1)
        self.assertTrue(first.done and second.done)
        self.assertEqual(self.stats("cx_total", "rq_pending_total"), (1, 2))

    def test_goAway(self):
        """GOAWAY: the connection ends with its last stream, new requests go elsewhere."""
        first = self.ask()
        self.origin.connections[0].codec.goAway()
        self.world.settle()
        self.assertEqual(self.stats("cx_close_notify", "cx_active"), (1, 1))
        second = self.ask()
        self.assertIsNot(first.connection, second.connection)
        self.reply(0)
        self.assertTrue(first.done)
        self.assertEqual(self.stats("cx_active", "cx_destroy_local"), (1, 1))

    def test_goAwayUnused(self):
        """Without streams it ends at once."""
        self.ask()
        self.reply()
        self.origin.connections[0].codec.goAway()
        self.world.settle()
        self.assertGone()

    def test_ourReset(self):
        """A reset stream is counted, and its connection stays."""
        user = self.ask()
        user.encoder.resetStream(Reset.LOCAL)
        self.world.settle()
        self.assertIs(self.requests[0].wasReset, Reset.REMOTE)
        self.assertEqual(self.stats("rq_tx_reset", "cx_active", "rq_active"), (1, 1, 0))
        self.assertIdle()

    def test_theirReset(self):
        """So is the peer's."""
        user = self.ask()
        self.requests[0].encoder.resetStream(Reset.LOCAL)
        self.world.settle()
        self.assertIs(user.wasReset, Reset.REMOTE)
        self.assertEqual(self.stats("rq_rx_reset", "cx_active", "rq_active"), (1, 1, 0))

    def test_lost(self):
        """All streams of a lost connection are reset."""
        users = [self.world.ask() for _ in range(2)]
        self.world.settle()
        self.origin.connections[0].transport.abortConnection()
        self.world.settle()
        self.assertEqual({user.wasReset for user in users}, {Reset.CONNECTION_TERMINATION})
        self.assertEqual(
            self.stats("cx_destroy_remote_with_active_rq", "rq_pending_failure_eject"), (1, 2)
        )
        self.assertGone()

    def test_early(self):
        """A response before the end of its request is no reason to end the connection."""
        user = self.ask(POST, False)
        self.reply()
        self.assertEqual(self.stats("rq_active"), (1,))
        user.encoder.encodeData(b"rest", True)
        self.world.settle()
        self.assertEqual(self.stats("rq_active", "cx_active"), (0, 1))

    def test_requestTrailers(self):
        """Trailers end a request."""
        user = self.ask(POST, False)
        user.encoder.encodeTrailers(HeaderMap([(b"t", b"1")]))
        self.world.settle()
        self.assertTrue(self.requests[0].done)
        self.reply()
        self.assertIdle()

    def test_responseTrailers(self):
        """They end a response, too; interim headers do not."""
        user = self.ask()
        encoder = self.requests[0].encoder
        encoder.encode1xx(HeaderMap([(b":status", b"103")]))
        encoder.encodeHeaders(HeaderMap([(b":status", b"200")]), False)
        encoder.encodeTrailers(HeaderMap([(b"t", b"1")]))
        self.world.settle()
        self.assertEqual((len(user.interim), user.done), (1, True))
        self.assertEqual(user.trailers[b"t"], b"1")
        self.assertIdle()

    def test_headersOnly(self):
        """A response may be nothing but headers."""
        user = self.ask()
        self.requests[0].encoder.encodeHeaders(HeaderMap([(b":status", b"204")]), True)
        self.world.settle()
        self.assertTrue(user.done)
        self.assertIdle()

    def test_maxRequests(self):
        """max_requests_per_connection holds for streams."""
        self.use(maxRequestsPerConnection=2)
        users = [self.world.ask() for _ in range(3)]
        self.world.settle()
        self.assertEqual(self.stats("cx_total", "cx_max_requests"), (2, 1))
        for which in range(3):
            self.reply(which)
        self.assertTrue(all(user.done for user in users))
        self.assertEqual(self.stats("cx_active"), (1,))

    def test_requestsOverflow(self):
        """max_requests may end the serving of those who wait."""
        self.use(limits={"maxRequests": 1})
        users = [self.world.ask() for _ in range(2)]
        self.world.settle()
        self.assertEqual(users[1].failed, (Reset.OVERFLOW, ""))
        self.assertEqual(self.stats("rq_active_overflow", "rq_total"), (1, 1))

    def test_keepalive(self):
        """A peer that answers no PING is dead."""
        self.use(http2=HTTP2Settings(keepalive=Keepalive(1.0, 10.0, 0.0)))
        user = self.ask()
        self.world.clock.advance(10)
        self.world.settle()
        self.world.clock.advance(5)
        self.world.settle()
        self.assertEqual(self.stats("cx_active"), (1,))
        self.origin.deaf = True
        self.world.clock.advance(10)
        self.world.settle()
        self.world.clock.advance(1)
        self.world.settle()
        self.assertIs(user.wasReset, Reset.CONNECTION_TERMINATION)
        self.assertEqual(self.world.stat("http2.keepalive_timeout"), 1)
        self.assertEqual(self.stats("cx_destroy_local"), (1,))
        self.assertGone()

    def test_manyRequests(self):
        """Thousands leave nothing."""
        for _ in range(1_000):
            self.ask()
            self.reply()
        self.assertEqual(self.stats("cx_total", "rq_total"), (1, 1_000))
        self.assertIdle()
        self.assertEqual(len(self.world.clock.getDelayedCalls()), 1)


class GarbageTests(HTTPTestCase):
    """A server that speaks something else."""

    protocol = "HTTP/2"

    def test_garbage(self):
        """It gets GOAWAY, and the stream is reset."""
        user = self.ask()
        self.answer(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.assertIs(user.wasReset, Reset.PROTOCOL_ERROR)
        self.assertEqual(self.stats("cx_protocol_error", "cx_destroy_local"), (1, 1))
        self.assertGone()


class RaisingTests(HTTPTestCase):
    """Our own faults."""

    def test_codecRaises(self):
        """A connection that cannot be set up fails those who wait."""

        def broken(*given):
            raise RuntimeError("no codec")

        self.world.http.codecs = {"HTTP/1.1": broken}
        user = self.ask()
        self.assertIs(user.failed[0], Reset.REMOTE_CONNECTION_FAILURE)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertGone()

    def test_plainOrigin(self):
        """An origin may be any Twisted protocol."""

        class Server(Protocol):
            def dataReceived(self, data):
                self.transport.write(OK)

        self.use(origin=Factory.forProtocol(Server))
        user = self.ask()
        self.assertEqual(user.body, b"ok")
