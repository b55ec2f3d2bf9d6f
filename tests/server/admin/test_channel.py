"""Tests for `twisted_envoy.server.admin.channel`."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from tests.server.admin.support import PageTestCase
from twisted_envoy.server.admin import actions
from twisted_envoy.server.admin.admin_stats import AdminStats
from twisted_envoy.server.admin.channel import AdminFactory
from twisted_envoy.server.admin.router import AdminRouter
from twisted_envoy.state.stream_info import FormatContext

PAGE = (
    b"content-type: text/plain; charset=UTF-8\r\ncache-control: no-cache, max-age=0\r\n"
    b"x-content-type-options: nosniff\r\ndate: DATE\r\nserver: envoy\r\n"
)
LIVE = b"HTTP/1.1 200 OK\r\n" + PAGE + b"transfer-encoding: chunked\r\n\r\n5\r\nLIVE\n\r\n0\r\n\r\n"
HOST = b"host: a\r\n\r\n"


class Log:
    """Keeps what was logged."""

    def __init__(self) -> None:
        self.contexts: list[FormatContext] = []

    def log(self, context: FormatContext) -> None:
        self.contexts.append(context)


class ChannelTests(PageTestCase):
    """HTTP/1.1 as real Envoy's admin interface speaks it."""

    def setUp(self) -> None:
        """One open connection."""
        super().setUp()
        self.log = Log()
        self.stats = AdminStats(self.server.store)
        router = AdminRouter(self.server, self.kit)
        self.factory = AdminFactory(router, self.stats, self.clock, (self.log,))
        self.connect()

    def connect(self) -> None:
        """A new connection."""
        self.transport: Any = StringTransport()
        self.transport.abortConnection = lambda: self.lose()
        self.channel: Any = self.factory.buildProtocol(None)
        self.channel.makeConnection(self.transport)

    def lose(self) -> None:
        """The connection is gone."""
        self.channel.connectionLost(Failure(ConnectionDone()))

    def tearDown(self) -> None:
        """No timer stays behind."""
        if self.channel in self.factory._channels:
            self.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def send(self, data: bytes) -> bytes:
        """Send bytes; the answer with its date blanked out."""
        self.channel.dataReceived(data)
        answer: bytes = self.transport.value()
        self.transport.clear()
        return re.sub(rb"date: [^\r]*", b"date: DATE", answer)

    def test_page(self) -> None:
        """Names, order and chunking are Envoy's; the connection stays."""
        self.assertEqual(self.send(b"GET /ready HTTP/1.1\r\n" + HOST), LIVE)
        self.assertFalse(self.transport.disconnecting)

    def test_everySplitPoint(self) -> None:
        """How the bytes arrive does not matter."""
        request = b"POST /logging HTTP/1.1\r\ncontent-length: 3\r\n" + HOST + b"abc"
        request += b"GET /ready HTTP/1.1\r\n" + HOST
        whole = self.send(request)
        self.assertTrue(whole.endswith(LIVE))
        for split in range(len(request)):
            self.assertEqual(self.send(request[:split]) + self.send(request[split:]), whole)

    def test_head(self) -> None:
        """The same head, no body, and the next answer is in its place."""
        answer = self.send(b"HEAD /ready HTTP/1.1\r\n" + HOST + b"GET /ready HTTP/1.1\r\n" + HOST)
        head = LIVE.partition(b"5\r\nLIVE")[0]
        self.assertEqual(answer, head + LIVE)

    def test_close(self) -> None:
        """`connection: close` is answered and obeyed."""
        answer = self.send(b"GET /ready HTTP/1.1\r\nconnection: close\r\n" + HOST)
        self.assertIn(b"server: envoy\r\nconnection: close\r\ntransfer-encoding", answer)
        self.assertTrue(self.transport.disconnecting)

    def test_refusals(self) -> None:
        """What Envoy's codec refuses."""
        text = b"content-length: %d\r\ncontent-type: text/plain\r\n"
        end = b"date: DATE\r\nserver: envoy\r\nconnection: close\r\n"
        bad = b"HTTP/1.1 400 Bad Request\r\n" + text % 11 + end + b"\r\nBad Request"
        empty = b"HTTP/1.1 400 Bad Request\r\n" + end + b"content-length: 0\r\n\r\n"
        old = b"HTTP/1.1 426 Upgrade Required\r\n" + text % 16 + end + b"\r\nUpgrade Required"
        for request, answer in (
            (b"GET /ready HTTP/1.0\r\n\r\n", old),
            (b"GET /ready HTTP/1.1\r\n\r\n", empty),
            (b"GET /ready#x HTTP/1.1\r\n" + HOST, empty),
            (b"FROB /ready HTTP/1.1\r\n" + HOST, bad),
            (b"GET ready HTTP/1.1\r\n" + HOST, bad),
        ):
            self.assertEqual(self.send(request), answer)
            self.assertTrue(self.transport.disconnecting)
            self.lose()
            self.connect()

    def test_notAPath(self) -> None:
        """A whole URL and `*` are not found; the connection stays."""
        for target in (b"http://foo/ready", b"*", b"a:1"):
            self.assertEqual(
                self.send(b"OPTIONS " + target + b" HTTP/1.1\r\n" + HOST),
                b"HTTP/1.1 404 Not Found\r\ndate: DATE\r\nserver: envoy\r\n"
                b"content-length: 0\r\n\r\n",
            )
        self.assertFalse(self.transport.disconnecting)
        self.assertEqual(self.stats.manager.downstream_rq_non_relative_path.value, 3)

    def test_longHeader(self) -> None:
        """60 KiB are enough for everybody."""
        answer = self.send(b"GET /ready HTTP/1.1\r\nx: " + b"a" * 62_000)
        self.assertTrue(answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n"))
        self.assertTrue(self.transport.disconnecting)

    def test_form(self) -> None:
        """A form's parameters reach the page; other bodies do not."""
        for kind, status in ((b"application/x-www-form-urlencoded", b"400"), (b"text/x", b"200")):
            answer = self.send(
                b"POST /logging HTTP/1.1\r\ncontent-type: %b\r\ncontent-length: 10\r\n" % kind
                + HOST
                + b"level=nope"
            )
            self.assertEqual(answer[9:12], status)

    def test_pageThatFails(self) -> None:
        """Our fault is a 500, and the connection goes on."""
        self.patch(self.server, "clusters", None)
        answer = self.send(b"GET /clusters HTTP/1.1\r\n" + HOST)
        self.assertTrue(answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n"))
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
        self.assertEqual(self.send(b"GET /ready HTTP/1.1\r\n" + HOST), LIVE)

    def test_counts(self) -> None:
        """Bytes both ways, requests, and their classes; a page shows its own request."""
        request = b"GET /stats?filter=downstream_rq_2xx HTTP/1.1\r\n" + HOST
        answer = self.send(request)
        self.assertIn(b"http.admin.downstream_rq_2xx: 1\n", answer)
        manager = self.stats.manager
        self.assertEqual(manager.downstream_cx_rx_bytes_total.value, len(request))
        self.assertGreater(manager.downstream_cx_tx_bytes_total.value, 150)
        self.assertEqual(manager.downstream_rq_active.value, 0)

    def test_accessLog(self) -> None:
        """One record for each request."""
        self.send(b"GET /ready HTTP/1.1\r\n" + HOST)
        (context,) = self.log.contexts
        self.assertEqual(context.streamInfo.bytesSent, 5)
        self.assertEqual(context.streamInfo.startTime, self.clock.seconds())
        self.assertEqual(context.streamInfo.remoteAddress, self.transport.getPeer())

    def test_idle(self) -> None:
        """An idle connection ends after an hour."""
        self.clock.advance(3600)
        self.assertTrue(self.transport.disconnecting)
        self.assertEqual(self.stats.manager.downstream_cx_idle_timeout.value, 1)
        self.lose()
        self.assertEqual(self.stats.manager.downstream_cx_destroy_local.value, 1)

    def test_closeConnections(self) -> None:
        """All are asked to close; when the last has closed, it is done."""
        done = self.factory.closeConnections()
        self.assertNoResult(done)
        self.assertTrue(self.transport.disconnecting)
        self.lose()
        self.successResultOf(done)
        self.successResultOf(self.factory.closeConnections())

    def test_closeConnectionsThatStay(self) -> None:
        """After a second they are cut."""
        done = self.factory.closeConnections()
        self.clock.advance(1)
        self.successResultOf(done)

    def test_quit(self) -> None:
        """The answer goes out before the server ends."""
        answer = self.send(b"POST /quitquitquit HTTP/1.1\r\n" + HOST)
        self.assertIn(b"OK\n", answer)
        self.assertEqual(self.server.said, [])
        self.clock.advance(0)
        self.assertEqual(self.server.said, ["shutdown"])

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.binary(max_size=40), max_size=5))
    def test_anyBytes(self, chunks: list[bytes]) -> None:
        """Nonsense is refused; nothing escapes."""
        if self.channel in self.factory._channels:
            self.lose()
        self.connect()
        for chunk in chunks:
            self.channel.dataReceived(chunk)
        self.lose()

    def test_handlersAreTheTable(self) -> None:
        """The router asks the page's own handler."""
        self.assertEqual(self.ask(actions.ready).text(), "LIVE\n")
