"""Tests of twisted_envoy.codec.h1.codec: what both sides have in common."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import ClientOwner, ServerOwner, requestOf
from twisted_envoy.codec.http import Reset

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class CodecTests(SynchronousTestCase):
    def owners(self) -> tuple[ServerOwner, ClientOwner]:
        server, client = ServerOwner(), ClientOwner()
        server.feed(GET)
        client.request(requestOf())
        return server, client

    def test_reading(self) -> None:
        """Reading is paused while anybody wants it paused."""
        for owner in self.owners():
            codec = owner.codec
            for paused in (True, True, False, False):
                codec.pauseReading(paused)
            self.assertEqual(owner.reading.calls, ["pause", "resume"])

    def test_nothingToSay(self) -> None:
        """A close is announced by headers alone."""
        for owner in self.owners():
            sent = owner.sent
            owner.codec.shutdownNotice()
            owner.codec.goAway()
            owner.codec.stopProducing()
            owner.output.flush()
            self.assertEqual(owner.sent, sent)

    def test_dead(self) -> None:
        """After a reset by the owner nothing that comes is for anybody."""
        server, client = self.owners()
        server.encoders[0].resetStream(Reset.LOCAL)
        client.encoder.resetStream(Reset.LOCAL)
        server.feed(GET)
        client.feed(b"HTTP/1.1 200 OK\r\n\r\n")
        self.assertEqual(len(server.requests), 1)
        self.assertIsNone(client.response.headers)
        self.assertFalse(client.codec.reusable)
        self.assertEqual(client.closedStreams, 1)


class ClosingTests(SynchronousTestCase):
    """What an owner hears of a connection that will not be used again."""

    def test_noticed(self) -> None:
        """Headers and versions that say so are told once; a body until the close does not."""
        for head, most in (
            (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n", 1),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", 0),
            (b"HTTP/1.1 200 OK\r\n\r\n", 0),
            (b"HTTP/1.0 200 OK\r\n\r\n", 1),
        ):
            client = ClientOwner()
            client.request()
            client.feed(head, b"ok")
            self.assertEqual(client.closesNoticed, most, head)

    def test_tunnel(self) -> None:
        """The end of what goes through a tunnel is told, its close is no news."""
        client = ClientOwner()
        headers = requestOf(b"CONNECT")
        client.request(headers, b"")
        client.feed(b"HTTP/1.1 200 OK\r\n\r\n")
        self.assertEqual((client.closesNoticed, client.endedTunnels), (0, 0))
        client.encoder.encodeData(b"bye", True)
        self.assertEqual((client.closesNoticed, client.endedTunnels), (0, 1))
