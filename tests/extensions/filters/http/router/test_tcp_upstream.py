"""Tests for router.tcp_upstream: CONNECT termination over real pools and memory sockets."""

from __future__ import annotations

from itertools import count

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.extensions.support import Client
from tests.upstream.support import World
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import IStreamEncoder, Reset
from twisted_envoy.extensions.filters.http.router.tcp_upstream import TCPUpstreamPool
from twisted_envoy.interfaces.http import IHTTPPool
from twisted_envoy.interfaces.sockets import ListenOptions
from twisted_envoy.internal import InternalAddress, getRegistry
from twisted_envoy.upstream.host import NO_OPTIONS, HostSettings

HEADERS = HeaderMap(((b":method", b"CONNECT"), (b":authority", b"a:1")))


class User:
    """Asks for a stream, and keeps the answer."""

    def __init__(self):
        self.encoder = self.connection = self.failed = self.headers = self.reset = None
        self.body = b""
        self.ended = False

    def poolReady(self, encoder, connection):
        self.encoder = encoder
        self.connection = connection

    def poolFailed(self, reason, details, learned=None):
        self.failed = (reason, details)

    def decodeHeaders(self, headers, endStream):
        self.headers = dict(headers)

    def decodeData(self, data, endStream):
        assert not self.ended
        self.body += data
        self.ended = endStream

    def streamReset(self, reason, details):
        self.reset = reason


class Producer:
    """Counts."""

    paused = 0

    def pauseProducing(self):
        self.paused += 1

    def resumeProducing(self):
        self.paused -= 1


class Origin(Factory):
    """Keeps its connections."""

    noisy = False
    protocol = Client

    def __init__(self):
        self.made = []

    def buildProtocol(self, address):
        protocol = super().buildProtocol(address)
        self.made.append(protocol)
        return protocol


class TerminationTests(SynchronousTestCase):
    """One tunnel to one host."""

    def begin(self, address=None, preface=b"", listens=True, **settings):
        address = address or IPv4Address("TCP", "127.0.0.1", 1)
        self.world = World(HostSettings(address), **settings)
        self.origin = Origin()
        if listens and isinstance(address, InternalAddress):
            getRegistry(self.world.clock).listen(address.name, self.origin)
        elif listens:
            self.world.sockets.serverEndpoint(address, ListenOptions()).listen(self.origin)
        self.user = User()
        host = self.world.cluster.hosts[0]
        self.pool = TCPUpstreamPool(host, NO_OPTIONS, preface, count(1).__next__)
        return self.pool.newStream(self.user, self.user)

    def tunnel(self, **more):
        self.begin(**more)
        self.world.settle()
        self.encoder = self.user.encoder
        self.encoder.encodeHeaders(HEADERS, False)
        self.world.settle()
        [peer] = self.origin.made
        return self.user, self.encoder, peer

    def test_interfaces(self):
        _, encoder, _ = self.tunnel()

        verifyObject(IHTTPPool, self.pool)
        verifyObject(IStreamEncoder, encoder)

    def test_answeredAtOnce(self):
        """200 comes as soon as the connection is there."""
        user, _, _ = self.tunnel()

        self.assertEqual(user.headers, {b":status": b"200"})
        self.assertEqual(user.connection.connectionID, 1)
        self.assertFalse(user.ended)

    def test_bytesBothWays(self):
        user, encoder, peer = self.tunnel(preface=b"PROXY!")

        encoder.encodeData(b"up", False)
        peer.transport.write(b"down")
        self.world.settle()

        self.assertEqual((peer.received, user.body), (b"PROXY!up", b"down"))
        self.assertEqual((encoder.headerBytes, encoder.wireBytes), (6, 8))
        self.assertEqual(encoder.receivedWireBytes, 4)
        used = self.world.used()
        self.assertEqual(used["upstream_cx_tx_bytes_total"], 8)
        self.assertEqual(used["upstream_cx_rx_bytes_total"], 4)

    def test_clientEndsFirst(self):
        """Our end goes out; the rest of the answer still comes."""
        user, encoder, peer = self.tunnel()

        encoder.encodeData(b"bye", True)
        self.world.settle()
        ended = peer.ended
        peer.transport.write(b"late")
        peer.transport.loseConnection()
        self.world.settle()

        self.assertTrue(ended)
        self.assertEqual((user.body, user.ended, user.reset), (b"late", True, None))

    def test_bothEndOverAHop(self):
        """A hop that has ended both ways is closed, and its request was over before."""
        user, encoder, peer = self.tunnel(address=InternalAddress("hop", ""))
        encoder.encodeData(b"bye", True)
        self.world.settle()
        peer.transport.loseWriteConnection()
        self.world.settle()
        self.assertTrue(user.ended)
        used = self.world.used()
        self.assertEqual(used.get("upstream_cx_active", 0), 0)
        self.assertEqual(used["upstream_cx_destroy_remote"], 1)
        self.assertNotIn("upstream_cx_destroy_with_active_rq", used)

    def test_endsWithHeadersOrTrailers(self):
        self.begin()
        self.world.settle()
        self.user.encoder.encodeHeaders(HEADERS, True)
        self.world.settle()
        self.assertTrue(self.origin.made[0].ended)

        _, encoder, peer = self.tunnel()
        encoder.encodeTrailers(HeaderMap())
        self.world.settle()
        self.assertTrue(peer.ended)

    def test_upstreamEndsFirst(self):
        """The answer ends; our own end closes the connection."""
        user, encoder, peer = self.tunnel()

        peer.transport.loseWriteConnection()
        self.world.settle()
        ended = user.ended
        encoder.encodeData(b"", True)
        self.world.settle()

        self.assertEqual((ended, peer.ended, user.reset), (True, True, None))

    def test_upstreamLost(self):
        user, encoder, peer = self.tunnel()

        peer.transport.abortConnection()
        self.world.settle()
        encoder.encodeData(b"x", False)
        encoder.resetStream(Reset.LOCAL)

        self.assertIs(user.reset, Reset.CONNECTION_TERMINATION)

    def test_reset(self):
        """What was written still arrives; nobody is told."""
        user, encoder, peer = self.tunnel()

        encoder.encodeData(b"last", False)
        encoder.resetStream(Reset.LOCAL)
        encoder.resetStream(Reset.LOCAL)
        self.world.settle()

        self.assertEqual((peer.received, peer.ended), (b"last", True))
        self.assertIsNone(user.reset)

    def test_resetOfAHop(self):
        """An internal connection that is cut off looks cut off."""
        user, encoder, peer = self.tunnel(address=InternalAddress("hop"))

        encoder.resetStream(Reset.LOCAL)
        self.world.settle()

        self.assertFalse(peer.ended)
        self.assertIsNotNone(peer.lost)

    def test_bytesAfterTheReset(self):
        user, encoder, peer = self.tunnel()

        peer.transport.write(b"late")
        encoder.resetStream(Reset.LOCAL)
        encoder.dataReceived(b"later")
        encoder.readConnectionLost()
        self.world.settle()

        self.assertEqual((user.body, user.ended), (b"", False))

    def test_refused(self):
        self.begin(listens=False)
        self.world.settle()

        reason, details = self.user.failed
        self.assertIs(reason, Reset.REMOTE_CONNECTION_FAILURE)
        self.assertIn("Connection_refused", details)

    def test_overflow(self):
        self.begin(maxConnections=0)

        self.assertEqual(self.user.failed, (Reset.OVERFLOW, ""))

    def test_connectTimeout(self):
        self.begin(address=InternalAddress("nobody"), listens=False)
        self.world.settle()
        self.assertIs(self.user.failed[0], Reset.REMOTE_CONNECTION_FAILURE)

    def test_cancel(self):
        cancel = self.begin()

        cancel()
        self.world.settle()

        self.assertIsNone(self.user.encoder)
        self.assertIsNone(self.user.failed)

    def test_slowClient(self):
        """Twice paused needs two resumes."""
        user, encoder, peer = self.tunnel()

        encoder.pauseReading()
        encoder.pauseReading()
        peer.transport.write(b"x")
        self.world.settle()
        encoder.resumeReading()
        self.world.settle()
        before = user.body
        encoder.resumeReading()
        self.world.settle()

        self.assertEqual((before, user.body), (b"", b"x"))
        used = self.world.used()
        self.assertEqual(used["upstream_flow_control_paused_reading_total"], 1)
        self.assertEqual(used["upstream_flow_control_resumed_reading_total"], 1)

    def test_slowUpstream(self):
        """The client's side is paused while too much waits, and resumed later."""
        user, encoder, peer = self.tunnel(bufferLimit=1024)
        producer = Producer()
        encoder.registerProducer(producer)
        encoder.setBufferLimit(1)

        peer.transport.pauseProducing()
        encoder.encodeData(b"x" * 4 * 1024 * 1024, False)
        self.world.settle()
        paused = producer.paused
        peer.transport.resumeProducing()
        self.world.settle()
        encoder.registerProducer(None)

        self.assertEqual((paused, producer.paused), (1, 0))
        used = self.world.used()
        self.assertEqual(used["upstream_flow_control_backed_up_total"], 1)
        self.assertEqual(used["upstream_flow_control_drained_total"], 1)
