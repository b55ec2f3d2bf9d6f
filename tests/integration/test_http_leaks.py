"""Requests that are over, and connections dropped in every phase, leave no object behind."""

from __future__ import annotations

import gc
from collections import Counter
from itertools import product

from hpack import Encoder
from twisted.trial.unittest import SynchronousTestCase

from tests.http.manager import ORIGIN, PROXIED, run
from tests.integration.http_bootstraps import HTTP2
from twisted_envoy.testing import MemoryEnvoy, Peer

GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc"
CHUNKED = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab"
UPGRADE = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nxyz"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
MANAGER = {"upgrade_configs": [{"upgrade_type": "websocket"}]}


def frame(kind: int, flags: int, payload: bytes, stream: int) -> bytes:
    """A frame of HTTP/2."""
    head = len(payload).to_bytes(3, "big") + bytes((kind, flags))
    return head + stream.to_bytes(4, "big") + payload


def headers(method: bytes, flags: int, stream: int = 1) -> bytes:
    """A request's HEADERS."""
    pairs = [(b":method", method), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a")]
    return frame(1, 4 | flags, Encoder().encode(pairs), stream)


def response(data: bytes, flags: int, stream: int = 1) -> bytes:
    """A response of HTTP/2, and the DATA behind it."""
    return frame(1, 4, Encoder().encode([(b":status", b"200")]), stream) + frame(
        0, flags, data, stream
    )


SETTINGS = frame(4, 0, b"", 0)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS

CLIENTS = (
    *(b"", b"G", GET[:20], GET[:-1], GET, GET * 3, POST, CHUNKED, UPGRADE, b"\0garbage\r\n\r\n"),
    *(PREFACE[:10], PREFACE, PREFACE + b"\0\0", PREFACE + headers(b"GET", 1)),
    PREFACE + headers(b"POST", 0) + frame(0, 0, b"abc", 1),
    PREFACE + headers(b"POST", 0) + frame(0, 1, b"abc", 1) + headers(b"GET", 1, 3),
    PREFACE + headers(b"GET", 1) + frame(3, 0, b"\0\0\0\x08", 1),
    PREFACE + headers(b"GET", 1)[:-3],
    PREFACE + frame(9, 0, b"", 1),
)
"""What clients say before one of the two sides drops the connection."""

ANSWERS = (
    *(b"", b"HTTP/1.1 2", OK[:-3], OK, OK.replace(b": 5", b": x"), SWITCHING + b"xyz"),
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab",
    b"HTTP/1.1 100 Continue\r\n\r\n",
)
"""What the upstream says to each of them."""

ANSWERS2 = (
    *(b"", SETTINGS, SETTINGS + response(b"hel", 0), SETTINGS + response(b"hello", 1)),
    *(SETTINGS + frame(3, 0, b"\0\0\0\x02", 1), frame(7, 0, bytes(8), 0), OK),
)

WAYS = ("loseConnection", "abortConnection", "loseWriteConnection")


def alive() -> Counter[str]:
    """How many objects of each kind of ours there are, and timers."""
    found: Counter[str] = Counter()
    for one in gc.get_objects():
        kind = type(one)
        module = str(kind.__module__)
        ours = module.startswith("twisted_envoy.") and ".testing." not in module
        if ours or kind.__name__ == "DelayedCall":
            found[f"{module}.{kind.__qualname__}"] += 1
    return found


def library() -> int:
    """How many connections the HTTP/2 library keeps, once the collector has found its cycles."""
    gc.collect()
    return sum(type(one).__name__ == "H2Connection" for one in gc.get_objects())


class LeakTests(SynchronousTestCase):
    """Counts, with the collector off: nothing of ours may need it."""

    def setUp(self) -> None:
        self.kept = library()  # by other tests

    def settled(self, envoy: MemoryEnvoy) -> Counter[str]:
        """Let every time pass, and count."""
        envoy.advance(4000)
        return alive()

    def uncollected(self) -> None:
        """From now on only what is not in a cycle goes away."""
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)

    def same(self, envoy: MemoryEnvoy, before: Counter[str]) -> None:
        """There is nothing that was not there before; no timer, nothing active."""
        self.assertEqual(self.settled(envoy) - before, Counter())
        active = envoy.stats(r"(cx|rq|streams|pre_cx|upgrades|flush|pending)_active$")
        self.assertEqual(active, {})
        self.assertLessEqual(library(), self.kept)
        envoy.stop()

    def dropped(self, answers: tuple[bytes, ...], **cluster: object) -> int:
        """
        Every client with every answer and every way to end.

        Returns:
            How many connections those were.
        """
        envoy = run([PROXIED], None, dict(cluster), **MANAGER)
        origin = envoy.listen(ORIGIN)
        self.uncollected()
        everything = list(product(CLIENTS, answers, WAYS, (True, False)))
        for case in everything:  # fills what is kept of heads that come again
            self.drop(envoy, origin, *case)
        before = self.settled(envoy)
        for case in everything:
            self.drop(envoy, origin, *case)
        self.same(envoy, before)
        return len(everything)

    def drop(
        self, envoy: MemoryEnvoy, origin: object, said: bytes, answer: bytes, way: str, first: bool
    ) -> None:
        """One connection; first: the client is the one that ends it, else the upstream."""
        connections: list[Peer] = origin.connections  # type: ignore[attr-defined]
        client = envoy.connect("web")
        client.write(said)
        envoy.settle()
        for upstream in connections:
            upstream.write(answer)
        envoy.settle()
        for peer in [client] if first else connections:
            getattr(peer, way)()
        envoy.settle()
        for peer in (client, *connections):
            peer.loseConnection()
        envoy.settle()
        connections.clear()

    def test_droppedHTTP1(self) -> None:
        """Connections of both versions before an upstream of HTTP/1.1."""
        self.assertGreaterEqual(self.dropped(ANSWERS), 900)

    def test_droppedHTTP2(self) -> None:
        """The same before an upstream of HTTP/2."""
        self.assertGreaterEqual(self.dropped(ANSWERS2, **HTTP2), 700)

    def test_droppedLocal(self) -> None:
        """The same without an upstream: refused, and answered at once."""
        total = 0
        for routes in ([PROXIED], None):
            envoy = run(routes, **MANAGER)
            self.uncollected()
            before: Counter[str] | None = None
            for number, (said, way) in enumerate(list(product(CLIENTS, WAYS)) * 5):
                if number == len(CLIENTS) * len(WAYS):
                    before = self.settled(envoy)
                client = envoy.connect("web")
                client.write(said)
                envoy.settle()
                getattr(client, way)()
                envoy.settle()
                client.loseConnection()
                envoy.settle()
                total += 1
            assert before is not None
            self.same(envoy, before)
        self.assertGreaterEqual(total, 400)

    def test_requestsHTTP1(self) -> None:
        """5,000 requests on one connection each way."""
        envoy = run([PROXIED])
        origin = envoy.listen(ORIGIN)
        client = envoy.connect("web")
        self.uncollected()
        before: Counter[str] = Counter()
        for number in range(5000):
            if number == 100:
                before = alive()
            client.write(GET if number % 2 else POST + b"defghij")
            envoy.settle()
            (upstream,) = origin.connections
            upstream.write(OK)
            envoy.settle()
            self.assertEqual(client.received[-5:], b"hello")
            client._data.clear()
            upstream._data.clear()
        self.assertEqual(alive() - before, Counter())
        self.assertEqual(envoy.stat("cluster.origin.upstream_rq_total"), 5000)
        envoy.stop()

    def test_requestsHTTP2(self) -> None:
        """5,000 requests on one connection each way, of HTTP/2."""
        envoy = run([PROXIED], None, HTTP2)
        origin = envoy.listen(ORIGIN)
        client = envoy.connect("web")
        client.write(PREFACE)
        self.uncollected()
        before: Counter[str] = Counter()
        for number in range(5000):
            if number == 100:
                before = alive()
            stream = 2 * number + 1
            client.write(headers(b"GET", 1, stream))
            envoy.settle()
            (upstream,) = origin.connections
            if not number:
                upstream.write(SETTINGS)
            upstream.write(response(b"hello", 1, stream))
            envoy.settle()
            self.assertIn(b"hello", client.received)
            client._data.clear()
            upstream._data.clear()
        self.assertEqual(alive() - before, Counter())
        self.assertEqual(envoy.stat("cluster.origin.upstream_rq_total"), 5000)
        envoy.stop()
