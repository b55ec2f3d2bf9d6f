"""What a protocol sees of an HTTP stream, and what the stream gets of the protocol."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import IStreamDecoder, IStreamEncoder, Reset
from twisted_envoy.http.stream_transport import StreamLost, StreamTransport
from twisted_envoy.internal.interfaces import IHalfCloseTransport

HOST = IPv4Address("TCP", "127.0.0.1", 1)
PEER = IPv4Address("TCP", "127.0.0.1", 2)


@implementer(IStreamEncoder)
class Encoder:
    """Keeps what it is told; full while `full`."""

    streamID = 1
    headerBytes = wireBytes = 0

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.producer: Any = None
        self.full = False

    def encode1xx(self, headers):
        raise AssertionError

    def encodeHeaders(self, headers, endStream):
        raise AssertionError

    def encodeTrailers(self, trailers):
        raise AssertionError

    def encodeData(self, data, endStream):
        self.said.append((data, endStream))

    def resetStream(self, reason):
        self.said.append(reason)

    def registerProducer(self, producer):
        self.producer = producer
        if producer is not None and self.full:
            producer.pauseProducing()

    def pauseReading(self):
        self.said.append("pause")

    def resumeReading(self):
        self.said.append("resume")

    def setBufferLimit(self, limit):
        self.limit = limit


class Whole(Protocol):
    """Keeps its events."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def connectionMade(self):
        self.events.append("made")

    def dataReceived(self, data):
        self.events.append(data)

    def connectionLost(self, reason):
        self.events.append(type(reason.value))


@implementer(IHalfCloseableProtocol)
class Half(Whole):
    """The same, with both ends of stream."""

    def readConnectionLost(self):
        self.events.append("read end")

    def writeConnectionLost(self):
        self.events.append("write end")


class Producer:
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def pauseProducing(self):
        self.asked.append("pause")

    def resumeProducing(self):
        self.asked.append("resume")

    def stopProducing(self):
        self.asked.append("stop")


class TransportTestCase(SynchronousTestCase):
    """A stream and what was posted."""

    def start(self, kind=Half):
        self.posted: list[Any] = []
        self.encoder = Encoder()
        self.gone: list[str] = []
        self.transport = StreamTransport(self.encoder, self.posted.append, HOST, PEER)
        self.transport.gone = lambda: self.gone.append("gone")
        self.transport.lost = lambda: self.gone.append("lost")
        self.protocol = kind()
        self.transport.start(self.protocol)
        self.assertEqual(self.protocol.events.pop(), "made")

    def settle(self):
        for _ in range(20):
            posted, self.posted[:] = self.posted[:], []
            for call in posted:
                call()

    def events(self):
        """What the protocol was told since the last time."""
        self.settle()
        events, self.protocol.events = self.protocol.events, []
        return events

    def said(self):
        """What the encoder was told since the last time."""
        self.settle()
        said, self.encoder.said = self.encoder.said, []
        return said


class DataTests(TransportTestCase):
    """Bytes both ways."""

    def test_interfaces(self):
        self.start()
        verifyObject(IHalfCloseTransport, self.transport)
        verifyObject(IStreamDecoder, self.transport)
        self.assertEqual((self.transport.getHost(), self.transport.getPeer()), (HOST, PEER))

    def test_bytes(self):
        """They pass at once; what only carries an end is no data."""
        self.start()
        self.transport.decodeHeaders(HeaderMap(), False)
        self.transport.decode1xx(HeaderMap())
        self.transport.decodeData(b"one", False)
        self.transport.decodeData(b"", False)
        self.assertEqual(self.events(), [b"one"])
        self.transport.write(b"two")
        self.transport.writeSequence([b"a", b"b"])
        self.assertEqual(self.said(), [(b"two", False), (b"ab", False)])

    def test_reading(self):
        """Pausing twice is pausing once; resuming waits for the event's end."""
        self.start()
        for _ in range(2):
            self.transport.pauseProducing()
        self.assertEqual(self.said(), ["pause"])
        for _ in range(2):
            self.transport.resumeProducing()
        self.assertEqual(self.encoder.said, [])
        self.assertEqual(self.said(), ["resume"])

    def test_raises(self):
        """A protocol that raises loses its stream, and nobody else anything."""

        class Bad(Half):
            def dataReceived(self, data):
                raise ValueError("bad")

        self.start(Bad)
        self.transport.decodeData(b"x", False)
        self.assertEqual(self.said(), [Reset.LOCAL])
        self.assertEqual(self.events(), [ValueError])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(self.gone, ["lost", "gone"])

    def test_raisesAtOnce(self):
        """So does one that raises when it is connected, which the caller hears of."""

        class Bad(Whole):
            def makeConnection(self, transport):
                raise ValueError("bad")

        with self.assertRaises(ValueError):
            self.start(Bad)
        self.assertEqual(self.said(), [Reset.LOCAL])


class EndTests(TransportTestCase):
    """Ends of stream, and closes."""

    def test_weFirst(self):
        """Our end goes out once, the peer's ends the stream."""
        self.start()
        self.transport.loseWriteConnection()
        self.transport.loseWriteConnection()
        self.transport.write(b"late")
        self.assertEqual(self.said(), [(b"", True)])
        self.assertEqual(self.events(), ["write end"])
        self.transport.decodeData(b"answer", True)
        self.assertEqual(self.events(), [b"answer", "read end", ConnectionDone])
        self.assertEqual(self.gone, ["lost", "gone"])
        self.assertEqual(self.said(), [])

    def test_peerFirst(self):
        """Its trailers are its end."""
        self.start()
        ended = []
        self.transport.ended = ended.append
        trailers = HeaderMap([(b"a", b"b")])
        self.transport.decodeTrailers(trailers)
        self.assertEqual(self.events(), ["read end"])
        self.assertEqual(ended, [trailers])
        self.transport.write(b"more")
        self.transport.loseWriteConnection()
        self.assertEqual(self.said(), [(b"more", False), (b"", True)])
        self.assertEqual(self.events(), ["write end", ConnectionDone])

    def test_whole(self):
        """A protocol that does not half-close is lost with the peer's end; ours goes out."""
        self.start(Whole)
        self.transport.decodeData(b"x", True)
        self.assertEqual(self.said(), [(b"", True)])
        self.assertEqual(self.events(), [b"x", ConnectionDone])
        self.assertEqual(self.gone, ["lost", "gone"])

    def test_sentEnd(self):
        """Who wants to know is told of our end."""
        self.start()
        told = []
        self.transport.sentEnd = lambda: told.append(list(self.encoder.said))
        self.transport.loseWriteConnection()
        self.assertEqual(told, [[(b"", True)]])

    def test_close(self):
        """It ends our side, tells the protocol, and drops what comes until the peer ends."""
        self.start()
        self.transport.pauseProducing()
        self.transport.write(b"last")
        self.transport.loseConnection()
        self.transport.loseConnection()
        self.transport.write(b"late")
        self.transport.pauseProducing()
        self.assertEqual(self.said(), ["pause", (b"last", False), (b"", True), "resume"])
        self.assertEqual(self.events(), [ConnectionDone])
        self.assertEqual(self.gone, ["lost"])
        self.transport.decodeData(b"dropped", False)
        self.transport.decodeData(b"", True)
        self.assertEqual((self.events(), self.said()), ([], []))
        self.assertEqual(self.gone, ["lost", "gone"])

    def test_closeWaits(self):
        """The protocol is told when everything is out."""
        self.start()
        self.encoder.full = True
        self.transport.loseConnection()
        self.assertEqual(self.events(), [])
        self.encoder.producer.resumeProducing()
        self.assertEqual(self.events(), [ConnectionDone])

    def test_closeMeetsEnd(self):
        """The peer ends before everything is out."""
        self.start()
        self.encoder.full = True
        self.transport.loseConnection()
        self.transport.decodeData(b"x", True)
        self.assertEqual(self.events(), [ConnectionDone])
        self.assertEqual(self.gone, ["lost", "gone"])

    def test_tooMuch(self):
        """A peer that goes on sending is reset."""
        for full, events in ((False, []), (True, [ConnectionAborted])):
            self.start()
            self.encoder.full = full
            self.transport.loseConnection()
            if not full:
                self.assertEqual(self.events(), [ConnectionDone])
            for _ in range(3):
                self.transport.decodeData(b"x" * 40_000, False)
            self.assertEqual(self.said(), [(b"", True), Reset.LOCAL])
            self.assertEqual(self.events(), events)
            self.assertEqual(self.gone, ["lost", "gone"])

    def test_abort(self):
        """The stream is reset at once, the protocol told later, once."""
        self.start()
        self.transport.abortConnection()
        self.assertEqual(self.protocol.events, [])
        self.assertEqual(self.events(), [ConnectionAborted])
        self.transport.abortConnection()
        self.transport.loseConnection()
        self.transport.resetConnection()
        self.assertEqual(self.said(), [Reset.LOCAL])
        self.assertEqual(self.events(), [])

    def test_reset(self):
        """It waits until everything is out."""
        self.start()
        self.encoder.full = True
        self.transport.write(b"last")
        self.transport.resetConnection()
        self.assertEqual(self.said(), [(b"last", False)])
        self.encoder.producer.resumeProducing()
        self.assertEqual(self.said(), [Reset.LOCAL])
        self.assertEqual(self.events(), [ConnectionAborted])

    def test_peerResets(self):
        """At any time."""
        self.start()
        self.transport.streamReset(Reset.REMOTE, "")
        self.assertEqual(self.events(), [StreamLost])
        self.assertEqual(self.gone, ["lost", "gone"])
        self.start()
        self.transport.loseConnection()
        self.assertEqual(self.events(), [ConnectionDone])
        self.transport.streamReset(Reset.REMOTE, "")
        self.assertEqual((self.events(), self.gone), ([], ["lost", "gone"]))
        self.assertEqual(self.said(), [(b"", True)])

    def test_peerWantsNoMore(self):
        """NO_ERROR behind the peer's end of stream is the end, not a loss."""
        self.start()
        self.transport.streamReset(Reset.REMOTE_NO_ERROR, "")
        self.assertEqual(self.events(), [ConnectionDone])

    def test_whoResets(self):
        """A peer's reset is told from a lost connection; both are lost connections to Twisted."""
        self.assertTrue(StreamLost(Reset.REMOTE, "").isReset)
        lost = StreamLost(Reset.CONNECTION_TERMINATION, "gone")
        self.assertFalse(lost.isReset)
        self.assertIsInstance(lost, ConnectionLost)
        self.assertIn("gone", str(lost))

    def test_stopProducing(self):
        """As a producer it closes."""
        self.start()
        self.transport.stopProducing()
        self.assertEqual(self.events(), [ConnectionDone])

    def test_raisesAtTheEnd(self):
        """A protocol that raises at an end is lost with that."""

        class Bad(Half):
            def readConnectionLost(self):
                raise ValueError("bad")

            def writeConnectionLost(self):
                raise ValueError("bad")

        for method in ("decodeTrailers", "loseWriteConnection"):
            self.start(Bad)
            arguments = (HeaderMap(),) if method == "decodeTrailers" else ()
            getattr(self.transport, method)(*arguments)
            self.assertEqual(self.events(), [ValueError])
            self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)


class ProducerTests(TransportTestCase):
    """Who writes through it."""

    def test_push(self):
        """It is the encoder's; ends wait for it."""
        for verb, said in (
            ("loseWriteConnection", [(b"x", False), (b"", True)]),
            ("loseConnection", [(b"", True)]),
        ):
            self.start()
            producer = Producer()
            self.transport.registerProducer(producer, True)
            self.assertIs(self.encoder.producer, producer)
            with self.assertRaises(RuntimeError):
                self.transport.registerProducer(Producer(), True)
            if verb == "loseWriteConnection":
                self.transport.write(b"x")
            getattr(self.transport, verb)()
            self.assertNotIn((b"", True), self.encoder.said)
            self.transport.unregisterProducer()
            self.transport.unregisterProducer()
            self.assertEqual(self.said(), said)

    def test_pull(self):
        """One that must be asked is asked while there is room."""
        self.start()
        producer = Producer()
        self.transport.registerProducer(producer, False)
        self.settle()
        asked = len(producer.asked)
        self.assertGreater(asked, 3)
        self.encoder.producer.pauseProducing()
        self.settle()
        self.assertEqual(len(producer.asked), asked)
        self.encoder.producer.resumeProducing()
        self.encoder.producer.resumeProducing()
        self.settle()
        self.assertGreater(len(producer.asked), asked)
        self.transport.unregisterProducer()
        asked = len(producer.asked)
        self.settle()
        self.assertEqual(producer.asked, ["resume"] * asked)

    def test_stopped(self):
        """A loss stops it, and one that comes later at once."""
        for streaming in (True, False):
            self.start()
            producer = Producer()
            self.transport.registerProducer(producer, streaming)
            self.transport.streamReset(Reset.REMOTE, "why")
            self.settle()
            self.assertEqual(producer.asked[-1], "stop")
        late = Producer()
        self.transport.registerProducer(late, True)
        self.assertEqual(late.asked, ["stop"])

    def test_limit(self):
        """The encoder knows how much may wait."""
        self.start()
        self.transport.setWriteBufferLimit(77)
        self.assertEqual(self.encoder.limit, 77)
