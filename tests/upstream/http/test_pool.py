"""Requests that wait, share, queue and fail."""

from __future__ import annotations

from tests.upstream.http.support import GET, OK, POST, HTTPTestCase, User
from twisted_envoy.codec.http import Reset


class HTTP1Tests(HTTPTestCase):
    """One request at a time, and connections that are kept."""

    def test_exchange(self):
        """A request goes out, its response comes back, the connection stays."""
        user = self.ask()
        self.assertEqual(self.origin.connections[0].received, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        self.answer()
        self.assertEqual((user.body, user.done, user.response[b":status"]), (b"ok", True, b"200"))
        self.assertIdle()
        self.assertEqual(
            self.stats("cx_total", "cx_active", "cx_http1_total", "rq_total", "rq_pending_total"),
            (1, 1, 1, 1, 1),
        )

    def test_reuse(self):
        """The next request takes the same connection, and knows that it is not new."""
        first = self.ask()
        self.answer()
        second = self.ask()
        self.answer()
        self.assertEqual((first.isNew, second.isNew, second.body), (True, False, b"ok"))
        self.assertIs(first.connection, second.connection)
        self.assertEqual(self.stats("cx_total", "rq_total", "rq_pending_total"), (1, 2, 1))
