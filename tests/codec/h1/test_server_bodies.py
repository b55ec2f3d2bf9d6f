"""Bodies of requests; every split of every kind is in test_server."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h1.doubles import ServerOwner

LONG = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class BodyTests(SynchronousTestCase):
    """What the owner is given."""

    def test_length(self) -> None:
        """A body ends when all of it is there; what follows is the next request."""
        owner = ServerOwner()
        owner.feed(LONG + b"he")
        [request] = owner.requests
        self.assertFalse(request.ended)
        owner.feed(b"llo" + LONG)
        self.assertTrue(request.ended)
        self.assertEqual(request.body, b"hello")

    def test_chunks(self) -> None:
        """A chunked one ends with its last chunk."""
        owner = ServerOwner()
        owner.feed(CHUNKED + b"2\r\nhe\r\n3\r\nl")
        [request] = owner.requests
        self.assertFalse(request.ended)
        owner.feed(b"lo\r\n0\r\n\r\n")
        self.assertTrue(request.ended)
        self.assertEqual(request.body, b"hello")
