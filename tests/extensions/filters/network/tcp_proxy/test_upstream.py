"""How the two connections of a TCP proxy end, and who waits for whom."""

from __future__ import annotations

from twisted.internet.error import ConnectionAborted, ConnectionDone

from tests.bootstraps import bootstrap, cluster, listener, logTo, tcpProxy
from tests.extensions.filters.network.tcp_proxy.support import LOG, ProxyTestCase

FLUSH = "tcp.tcp.upstream_flush_"
KIB = 1024


class EndTests(ProxyTestCase):
    """Each order of ends."""

    def test_clientEndsFirst(self):
        """The client's end goes up; the late answer and the upstream's end come down."""
        self.start()
        client, server = self.pair()
        client.write(b"question")
        client.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual((server.received, server.ended), (b"question", True))
        server.write(b"answer")
        self.envoy.settle()
        self.assertEqual((client.received, client.ended), (b"answer", False))
        server.write(b"!")
        server.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual((client.received, client.ended), (b"answer!", True))
        self.assertQuiet()
        self.assertIn("flags=- rx=8 tx=7", self.envoy.lines("log")[0])

    def test_upstreamEndsFirst(self):
        """The other way round."""
        self.start()
        client, server = self.pair()
        server.write(b"greeting")
        server.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual((client.received, client.ended), (b"greeting", True))
        client.write(b"late")
        self.envoy.settle()
        self.assertEqual((server.received, server.ended), (b"late", False))
        client.loseWriteConnection()
        self.envoy.settle()
        self.assertTrue(server.ended)
        self.assertQuiet()

    def test_bothAtOnce(self):
        """Both end in the same turn."""
        self.start()
        client, server = self.pair()
        for one, data in ((client, b"up"), (server, b"down")):
            one.write(data)
            one.loseWriteConnection()
        self.envoy.settle()
        self.assertEqual((client.received, server.received), (b"down", b"up"))
        self.assertTrue(client.ended and server.ended)
        self.assertQuiet()

    def test_close(self):
        """A full close of one side is an end of stream to the other; who made it is counted."""
        for closing in (0, 1):
            self.start()
            ends = self.pair()
            ends[closing].write(b"last words")
            ends[closing].loseConnection()
            self.envoy.settle()
            other = ends[1 - closing]
            self.assertEqual((other.received, other.ended), (b"last words", True))
            self.assertIsNone(other.lost)
            other.loseConnection()
            self.envoy.settle()
            self.assertIsInstance(other.lost.value, ConnectionDone)
            self.assertQuiet()
            who = ("remote", "local")[closing]  # who ends last is who closes
            self.assertEqual(
                self.stat(f"cluster.origin.upstream_cx_destroy_{who}_with_active_rq"), 1
            )

    def test_flushAtTheEnd(self):
        """What comes with the client's end, the origin's being there, counts as flushed."""
        for data, pause, flushes in ((b"", 0, 0), (b"x", 0, 1), (b"x", 1, 0)):
            self.start()
            client, server = self.pair()
            server.loseWriteConnection()
            client.write(data)
            self.envoy.settle()
            self.envoy.advance(pause)
            client.loseWriteConnection()
            self.envoy.settle()
            self.assertEqual(self.stat("tcp.tcp.upstream_flush_total"), flushes)

    def test_upstreamReset(self):
        """The upstream's reset: flag UR, and the client is reset after every byte."""
        self.start()
        client, server = self.pair()
        server.write(b"before")
        self.envoy.settle()
        server.abortConnection()
        self.envoy.settle()
        self.assertEqual(client.received, b"before")
        self.assertTrue(client.wasReset)
        self.assertIn("flags=UR", self.envoy.lines("log")[0])
        self.assertEqual(self.stat("cluster.origin.upstream_cx_destroy_remote"), 1)
        self.assertQuiet()

    def test_upstreamResetWithSlowClient(self):
        """The reset waits for a client that has not taken everything yet."""
        self.start()
        client, server = self.pair()
        client.pauseProducing()
        server.write(b"x" * 5000)
        self.envoy.settle()
        server.abortConnection()
        self.envoy.advance(1)
        self.assertIsNone(client.lost)
        client.resumeProducing()
        self.envoy.settle()
        self.assertEqual(len(client.received), 5000)
        self.assertTrue(client.wasReset)
        self.assertQuiet()

    def test_clientReset(self):
        """The client's reset resets the upstream connection."""
        self.start()
        client, server = self.pair()
        client.abortConnection()
        self.envoy.settle()
        self.assertIsInstance(client.lost.value, ConnectionAborted)
        self.assertTrue(server.wasReset)
        self.assertEqual(self.stat("cluster.origin.upstream_cx_destroy_local_with_active_rq"), 1)
        self.assertEqual(self.stat(FLUSH + "total"), 0)
        self.assertQuiet()

    def test_resetAfterHalfClose(self):
        """A reset after one side's end is still a reset."""
        for resetting in (0, 1):
            self.start()
            ends = self.pair()
            ends[1 - resetting].loseWriteConnection()
            self.envoy.settle()
            ends[resetting].abortConnection()
            self.envoy.settle()
            self.assertTrue(ends[1 - resetting].wasReset, resetting)
            self.assertQuiet()

    def test_resetsCrossHops(self):
        """Across an internal hop resets stay resets, both ways, and bytes come before them."""
        for resetting in (0, 1):
            self.start(
                bootstrap(
                    [
                        listener("ingress", "127.0.0.1:9000", tcpProxy("hop", "in")),
                        listener(
                            "hop", "internal:", tcpProxy("origin", access_log=logTo("log", LOG))
                        ),
                    ],
                    [cluster("hop", "internal:hop"), cluster("origin", "127.0.0.1:10000")],
                )
            )
            ends = self.pair()
            ends[resetting].write(b"words")
            self.envoy.settle()
            ends[resetting].abortConnection()
            self.envoy.settle()
            self.assertEqual(ends[1 - resetting].received, b"words")
            self.assertTrue(ends[1 - resetting].wasReset)
            self.assertQuiet()


class FlushTests(ProxyTestCase):
    """The client has gone and the upstream has not taken everything."""

    def gone(self, **fields):
        """Both have ended, and the upstream does not take the client's 9000 bytes."""
        self.start(**fields)
        client, server = self.pair()
        server.pauseProducing()
        server.loseWriteConnection()
        client.write(b"x" * 9000)
        client.loseWriteConnection()
        self.envoy.settle()
        client.loseConnection()
        self.envoy.settle()
        return server

    def test_whole(self):
        """All of it arrives whenever the upstream reads it, and the flush is counted."""
        server = self.gone()
        self.assertEqual(self.stat(FLUSH + "total"), 1)
        self.assertEqual(self.stat(FLUSH + "active"), 1)
        self.assertEqual(self.stat("listener.127.0.0.1_9000.downstream_cx_active"), 0)
        self.envoy.advance(3000)
        server.resumeProducing()
        self.envoy.settle()
        self.assertEqual(len(server.received), 9000)
        self.assertTrue(server.ended)
        self.assertQuiet()
        self.envoy.advance(7200)
        self.assertEqual(self.stat("tcp.tcp.idle_timeout"), 0)

    def test_forNobody(self):
        """An upstream that takes nothing for the idle timeout is reset."""
        server = self.gone(idle_timeout="10s")
        self.envoy.advance(11)
        self.assertTrue(server.wasReset)
        self.assertEqual(server.received, b"")
        self.assertQuiet()

    def test_slowly(self):
        """One that takes some now and then is waited for."""
        self.start(
            bootstrap(
                [listener("ingress", "127.0.0.1:9000", tcpProxy(idle_timeout="10s"))],
                [cluster("origin", "127.0.0.1:10000")],
            )
        )
        client, server = self.pair()
        server.pauseProducing()
        server.loseWriteConnection()
        for _ in range(6):
            client.write(b"x" * 5000)
            self.envoy.settle()
        client.loseWriteConnection()
        self.envoy.settle()
        client.loseConnection()
        self.envoy.settle()
        for _ in range(3):
            self.envoy.advance(8)
            self.takeOne(server)
            self.assertEqual(self.stat(FLUSH + "active"), 1)
        server.resumeProducing()
        self.envoy.settle()
        self.assertEqual(len(server.received), 30000)
        self.assertTrue(server.ended)
        self.assertQuiet()

    def takeOne(self, peer):
        """Let a peer that does not read get one chunk."""
        plain = peer.dataReceived

        def once(data):
            plain(data)
            peer.pauseProducing()
            del peer.dataReceived

        peer.dataReceived = once
        peer.resumeProducing()
        self.envoy.settle()


class BackpressureTests(ProxyTestCase):
    """A reader that is slow stops its writer, and nothing else."""

    def slow(self, reader):
        self.start(
            bootstrap(
                [
                    listener(
                        "ingress",
                        "127.0.0.1:9000",
                        tcpProxy(),
                        per_connection_buffer_limit_bytes=64 * KIB,
                    )
                ],
                [cluster("origin", "127.0.0.1:10000", per_connection_buffer_limit_bytes=64 * KIB)],
            )
        )
        ends = self.pair()
        slow, fast = ends[reader], ends[1 - reader]
        slow.pauseProducing()
        sent = 0
        while fast.transport.bufferedBytes < 256 * KIB:
            fast.write(b"x" * 16 * KIB)
            sent += 16 * KIB
            self.envoy.settle()
        return slow, fast, sent

    def test_slowClient(self):
        """The upstream is paused at the listener's limit and goes on at half of it."""
        client, server, sent = self.slow(0)
        buffered = self.stat("tcp.tcp.downstream_cx_tx_bytes_buffered")
        self.assertTrue(64 * KIB < buffered <= 80 * KIB, buffered)
        paused = "cluster.origin.upstream_flow_control_paused_reading_total"
        resumed = "cluster.origin.upstream_flow_control_resumed_reading_total"
        self.assertEqual((self.stat(paused), self.stat(resumed)), (1, 0))
        client.write(b"the other way")
        self.envoy.settle()
        self.assertEqual(server.received, b"the other way")

        client.resumeProducing()
        self.envoy.settle()
        self.assertEqual(len(client.received), sent)
        self.assertEqual(self.stat(paused), self.stat(resumed))

    def test_slowUpstream(self):
        """The client is paused at the cluster's limit."""
        server, client, sent = self.slow(1)
        buffered = self.stat("cluster.origin.upstream_cx_tx_bytes_buffered")
        self.assertTrue(64 * KIB < buffered <= 80 * KIB, buffered)
        paused = "tcp.tcp.downstream_flow_control_paused_reading_total"
        resumed = "tcp.tcp.downstream_flow_control_resumed_reading_total"
        self.assertEqual((self.stat(paused), self.stat(resumed)), (1, 0))
        server.resumeProducing()
        self.envoy.settle()
        self.assertEqual(len(server.received), sent)
        self.assertEqual(self.stat(paused), self.stat(resumed))

    def test_endsWhilePaused(self):
        """A writer that ends while it is paused loses nothing."""
        for reader in (0, 1):
            slow, fast, sent = self.slow(reader)
            fast.loseConnection()
            self.envoy.settle()
            self.assertFalse(slow.ended)
            slow.resumeProducing()
            self.envoy.settle()
            self.assertEqual(len(slow.received), sent)
            self.assertTrue(slow.ended)
            slow.loseConnection()
            self.envoy.settle()
            self.assertQuiet()

    def test_resetWhilePaused(self):
        """A reader that resets while its writer is paused leaves nothing."""
        for reader in (0, 1):
            slow, fast, _ = self.slow(reader)
            slow.abortConnection()
            self.envoy.settle()
            self.assertTrue(fast.wasReset)
            self.assertQuiet()
