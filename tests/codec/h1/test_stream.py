"""Tests of twisted_envoy.codec.h1.stream: what requests and responses have in common."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import ClientOwner, Producer, ServerOwner, requestOf, responseOf
from twisted_envoy.codec.h1.stream import H1Stream
from twisted_envoy.codec.http import Reset

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"


def streams() -> tuple[H1Stream, H1Stream]:
    """One of a server, one of a client; neither has sent anything to its end."""
    server, client = ServerOwner(), ClientOwner()
    server.feed(GET)
    client.request(requestOf(b"POST"), b"")
    return server.encoders[0], client.encoder


class StreamTests(SynchronousTestCase):
    def test_reset(self) -> None:
        """After a reset nothing is sent, nobody is paused, and reading goes on."""
        for stream in streams():
            output = stream.codec.output
            output.flush()
            stream.pauseReading()
            producer = Producer()
            stream.registerProducer(producer)

            stream.resetStream(Reset.LOCAL)
            stream.encodeData(b"x", True)
            stream.encodeTrailers(requestOf())
            stream.pauseReading()
            stream.codec.pauseProducing()

            self.assertEqual(stream.pauses, 0)
            self.assertFalse(output.pending)
            self.assertEqual(producer.calls, [])

    def test_producer(self) -> None:
        """A producer is paused while the transport is full, one that comes then at once."""
        for stream in streams():
            early, late = Producer(), Producer()
            stream.registerProducer(early)
            stream.codec.pauseProducing()
            stream.registerProducer(late)
            stream.codec.resumeProducing()
            self.assertEqual((early.calls, late.calls), (["pause"], ["pause", "resume"]))


class FixedLengthTests(SynchronousTestCase):
    """Bodies of a known length, either way."""

    def test_everySplit(self) -> None:
        """A body takes what is its own and no more, however it comes."""
        for split in range(1, 5):
            owner = ServerOwner()
            owner.feed(POST)
            owner.feed(b"hello"[:split])
            self.assertEqual(owner.requests[0].body, b"hello"[:split])
            self.assertFalse(owner.requests[0].ended)
            owner.feed(b"hello"[split:] + GET)
            self.assertEqual(owner.requests[0].body, b"hello")
            self.assertTrue(owner.requests[0].ended)
            owner.respond(responseOf(), b"")
            owner.feed(b"")
            self.assertEqual(len(owner.requests), 2)

    def test_notCopied(self) -> None:
        """Data that is all the body's is handed on as it is."""
        data = bytes(1000)
        for size in (1000, 2000):
            owner = ClientOwner()
            owner.request()
            owner.feed(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size, data)
            self.assertIs(owner.response.pieces[0], data)
