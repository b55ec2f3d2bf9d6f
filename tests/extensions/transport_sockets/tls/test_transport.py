"""A connection inside TLS: bytes, ends, closes, pauses."""

from __future__ import annotations

import gc
import weakref

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from tests.extensions.transport_sockets.tls.support import (
    Context,
    End,
    Pair,
    PlainEnd,
    client,
    server,
)

AUTHORITY = Authority()
SERVER = AUTHORITY.issue("server.test", "*.wild.test", "127.0.0.1")


class TransportTests(SynchronousTestCase):
    """Both ends are ours, over an internal connection."""

    newest = "TLSv1_2"

    def pair(self, down=None, up=None, pump=True):
        context = Context()
        tlsServer = server(context, {"common_tls_context": {"tls_certificates": [SERVER.config]}})
        parameters = {"tls_maximum_protocol_version": self.newest}
        tlsClient = client(context, {"common_tls_context": {"tls_params": parameters}})
        pair = Pair(context, tlsServer, tlsClient, down, up)
        return pair.pump() if pump else pair

    def test_bytesPassBothWays(self):
        """What one end writes the other gets, in order and whole."""
        pair = self.pair()
        pair.up.transport.write(b"hello ")
        pair.up.transport.write(b"down" * 50000)
        pair.down.transport.writeSequence([b"hello ", b"up"])
        pair.pump()

        self.assertEqual(pair.down.received, b"hello " + b"down" * 50000)
        self.assertEqual(pair.up.received, b"hello up")

    def test_wireIsNotReadable(self):
        """No plaintext is on the wire."""
        pair = self.pair()
        seen = []
        inner = pair.wires[0].protocol.dataReceived

        def spy(data):
            seen.append(data)
            inner(data)

        pair.wires[0].protocol.dataReceived = spy
        pair.up.transport.write(b"secret")
        pair.pump()

        self.assertNotIn(b"secret", b"".join(seen))
        self.assertEqual(pair.down.received, b"secret")

    def test_writtenBeforeTheHandshake(self):
        """A server that speaks first is heard."""
        pair = self.pair(End(lambda end: end.transport.write(b"welcome")))

        self.assertEqual(pair.up.received, b"welcome")

    def test_writtenAndClosedBeforeTheHandshake(self):
        """The same when it closes at once."""

        def greet(end):
            end.transport.write(b"welcome")
            end.transport.loseConnection()

        pair = self.pair(End(greet))

        self.assertEqual(pair.up.received, b"welcome")
        self.assertEqual(pair.up.events[:1], ["end"])
        pair.up.transport.loseConnection()
        pair.pump()
        self.assertIsInstance(pair.down.lost.value, ConnectionDone)

    def test_closedBeforeTheHandshakeWithNothingWritten(self):
        """Nobody waits for a handshake that nobody needs."""
        pair = self.pair(End(lambda end: end.transport.loseConnection()))

        self.assertIsNone(pair.up)
        self.assertIsNotNone(pair.problem)
        self.assertIsInstance(pair.down.lost.value, ConnectionDone)

    def test_halfClose(self):
        """One direction ends, the other goes on."""
        pair = self.pair()
        pair.up.transport.write(b"question")
        pair.up.transport.loseWriteConnection()
        pair.pump()
        self.assertEqual(pair.down.received, b"question")
        self.assertEqual(pair.down.events, ["end"])
        self.assertEqual(pair.up.events, ["ended"])

        pair.down.transport.write(b"answer")
        pair.down.transport.loseWriteConnection()
        pair.pump()

        self.assertEqual(pair.up.received, b"answer")
        self.assertEqual(pair.up.events, ["ended", "end"])
        self.assertIsNone(pair.up.lost)
        self.assertIsNone(pair.down.lost)

    def test_writeAfterEndIsNothing(self):
        """What is written after the end of stream is dropped."""
        pair = self.pair()
        write = pair.up.transport.write
        pair.up.transport.loseWriteConnection()
        write(b"late")
        pair.pump()

        self.assertEqual(pair.down.received, b"")
        self.assertIsNone(pair.up.lost)

    def test_close(self):
        """A close ends both; the peer hears of the end first."""
        pair = self.pair()
        pair.down.transport.write(b"last words")
        pair.down.transport.loseConnection()
        pair.pump()

        self.assertEqual(pair.up.received, b"last words")
        self.assertEqual(pair.up.events, ["end"])
        pair.up.transport.loseConnection()
        pair.pump()
        self.assertIsInstance(pair.up.lost.value, ConnectionDone)
        self.assertIsInstance(pair.down.lost.value, ConnectionDone)

    def test_plainProtocolIsClosed(self):
        """A protocol that knows no half-close is closed when the peer ends."""
        pair = self.pair(PlainEnd())
        pair.up.transport.loseWriteConnection()
        pair.pump()
        pair.up.transport.loseConnection()
        pair.pump()

        self.assertIsInstance(pair.down.lost.value, ConnectionDone)

    def test_abort(self):
        """An abort is a reset at the other end."""
        pair = self.pair()
        pair.up.transport.abortConnection()
        pair.pump()

        self.assertIsInstance(pair.up.lost.value, ConnectionAborted)
        self.assertIsInstance(pair.down.lost.value, ConnectionLost)

    def test_reset(self):
        """A reset comes after what was written before it."""
        pair = self.pair()
        pair.up.transport.write(b"first")
        pair.up.transport.resetConnection()
        pair.pump()

        self.assertEqual(pair.down.received, b"first")
        self.assertIsInstance(pair.up.lost.value, ConnectionAborted)
        self.assertIsInstance(pair.down.lost.value, ConnectionLost)
        self.assertEqual(pair.down.events, ["lost"])
        self.assertIn("reset_by_peer", pair.streamInfo.downstreamTransportFailureReason)

    def test_wireEndsWithoutCloseNotify(self):
        """As in Envoy that is an end of stream."""
        pair = self.pair()
        pair.wires[0].protocol.readConnectionLost()

        self.assertEqual(pair.down.events, ["end"])

    def test_garbageAfterTheHandshake(self):
        """A record that was changed on its way ends the connection; the peer gets an alert."""
        pair = self.pair()
        pair.wires[0].protocol.dataReceived(b"\x17\x03\x03\x00\x20" + b"x" * 32)
        pair.pump()

        self.assertIsInstance(pair.down.lost.value, ConnectionLost)
        self.assertIn("TLS_error:|", pair.streamInfo.downstreamTransportFailureReason)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_pausedKeepsWhatComes(self):
        """Nothing is handed on while reading is paused, the end included."""
        pair = self.pair()
        pair.down.transport.pauseProducing()
        pair.up.transport.write(b"patience")
        pair.up.transport.loseWriteConnection()
        pair.pump()
        self.assertEqual((pair.down.received, pair.down.events), (b"", []))

        pair.down.transport.resumeProducing()
        pair.pump()

        self.assertEqual((pair.down.received, pair.down.events), (b"patience", ["end"]))

    def test_handshakeWhilePaused(self):
        """Who is paused from the beginning shakes hands all the same."""
        pair = self.pair(End(lambda end: end.transport.pauseProducing()))
        self.assertIsNotNone(pair.up)
        pair.up.transport.write(b"early")
        pair.up.transport.loseWriteConnection()
        pair.pump()
        self.assertEqual((pair.down.received, pair.down.events), (b"", []))

        pair.down.transport.resumeProducing()
        pair.pump()

        self.assertEqual((pair.down.received, pair.down.events), (b"early", ["end"]))

    def test_producerIsPausedByTheWire(self):
        """A producer is paused while the peer does not read, and resumed."""
        pair = self.pair()
        producer = _Producer()
        pair.up.transport.registerProducer(producer, True)
        pair.down.transport.pauseProducing()
        for _ in range(40):
            pair.up.transport.write(b"x" * 65536)
        pair.pump()
        self.assertEqual(producer.said, ["pause"])
        self.assertGreater(pair.up.transport.bufferedBytes, 65536)

        pair.down.transport.resumeProducing()
        pair.pump()

        self.assertEqual(producer.said, ["pause", "resume"])
        self.assertEqual(len(pair.down.received), 40 * 65536)

    def test_producerDuringTheHandshake(self):
        """What is written before the handshake is done is bounded by pausing the producer."""
        producer = _Producer()

        def produce(end):
            end.transport.setWriteBufferLimit(1000)
            end.transport.registerProducer(producer, True)
            end.transport.write(b"y" * 2000)

        pair = self.pair(End(produce), pump=False)
        while not pair.wires:
            pair.context.reactor.advance(0)
        self.assertEqual(producer.said, ["pause"])

        pair.pump()

        self.assertEqual(producer.said[-1], "resume")
        self.assertEqual(producer.said.count("resume"), 1)
        self.assertEqual(pair.up.received, b"y" * 2000)

    def test_producerFromTheBeginning(self):
        """A client's protocol may register a producer as soon as it is connected."""
        producer = _Producer()
        up = End(lambda end: end.transport.registerProducer(producer, True))
        pair = self.pair(up=up)
        pair.up.transport.write(b"fine")
        pair.pump()

        self.assertEqual(pair.down.received, b"fine")

    def test_endWaitsForTheProducer(self):
        """A registered producer has its say before the end of stream."""
        pair = self.pair()
        producer = _Producer()
        pair.up.transport.registerProducer(producer, True)
        pair.up.transport.loseWriteConnection()
        pair.up.transport.write(b"more")
        pair.pump()
        self.assertEqual(pair.down.events, [])

        pair.up.transport.unregisterProducer()
        pair.pump()

        self.assertEqual((pair.down.received, pair.down.events), (b"more", ["end"]))

    def test_raisingProtocolEndsItsConnection(self):
        """Also when it raises because reading was resumed."""

        class Raising(End):
            def dataReceived(self, data):
                raise ValueError("no")

        pair = self.pair(Raising(lambda end: end.transport.pauseProducing()), pump=False)
        pair.pump()
        pair.down.transport._incoming.deliver(b"held")
        pair.down.transport.resumeProducing()
        pair.pump()

        self.assertIsNotNone(pair.down.lost)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_nothingIsLeft(self):
        """What is closed is gone at once, without the garbage collector."""
        pair = self.pair()
        transports = [pair.up.transport, pair.down.transport]
        left = [weakref.ref(each) for each in transports]
        left += [weakref.ref(each.connection) for each in transports]
        gc.disable()
        self.addCleanup(gc.enable)
        pair.up.transport.abortConnection()
        pair.pump()
        pair.up.transport = pair.down.transport = None
        pair.connecting = pair.wires = pair.streamInfo = None
        del transports

        self.assertEqual([each() for each in left], [None] * 4)

    def test_silentAfterTheEnd(self):
        """Nothing happens any more once it is gone."""
        pair = self.pair()
        transport = pair.up.transport
        transport.abortConnection()
        pair.pump()

        transport.write(b"x")
        transport.loseWriteConnection()
        transport.loseConnection()
        transport.resetConnection()
        transport.abortConnection()
        transport.pauseProducing()
        transport.resumeProducing()
        producer = _Producer()
        transport.registerProducer(producer, True)
        transport.unregisterProducer()
        pair.pump()

        self.assertEqual(producer.said, ["stop"])
        self.assertEqual(pair.up.events, ["lost"])


class Transport13Tests(TransportTests):
    """The same with TLS 1.3, whose tickets come after the handshake."""

    newest = "TLSv1_3"

    def test_ticketsGoAlong(self):
        """They are sent with the server's first bytes, as Envoy's are, and not by themselves."""
        pair = self.pair()
        seen = []
        inner = pair.up.transport.dataReceived

        def spy(data):
            seen.append(len(data))
            inner(data)

        pair.up.transport.dataReceived = spy
        for data in (b"x", b"y"):
            pair.down.transport.write(data)
            pair.pump()

        self.assertEqual(pair.up.received, b"xy")
        self.assertEqual([size > 300 for size in seen], [True, False])


class _Producer:
    def __init__(self):
        self.said = []

    def pauseProducing(self):
        self.said.append("pause")

    def resumeProducing(self):
        self.said.append("resume")

    def stopProducing(self):
        self.said.append("stop")
