"""Connections of phones."""

from __future__ import annotations

from tests.http.manager import ORIGIN, PROXIED
from tests.http.test_server_connection import ConnectionCase

_PREFIX = "http.web.user_agent."


def get(agent: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nhost: a\r\nuser-agent: " + agent + b"\r\n\r\n"


class UserAgentTests(ConnectionCase):
    """What they count beside others."""

    def test_kinds(self) -> None:
        """The first request of a connection tells what it is."""
        self.start()
        self.client(get(b"x iOS y"), get(b"android"))
        self.client(get(b"an android"))
        self.client(get(b"curl"), get(b"iOS"))

        for kind, connections, requests in (("ios", 1, 2), ("android", 1, 1)):
            self.assertEqual(self.envoy.stat(f"{_PREFIX}{kind}.downstream_cx_total"), connections)
            self.assertEqual(self.envoy.stat(f"{_PREFIX}{kind}.downstream_rq_total"), requests)

    def test_gone(self) -> None:
        """One that leaves with a request open."""
        self.start([PROXIED])
        self.envoy.listen(ORIGIN)
        self.client(get(b"iOS")).loseConnection()
        self.envoy.settle()
        name = f"{_PREFIX}ios.downstream_cx_destroy_remote_active_rq"
        self.assertEqual(self.envoy.stat(name), 1)
