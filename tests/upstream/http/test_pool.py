"""Requests that wait, share, queue and fail."""

from __future__ import annotations

from tests.upstream.http.support import OK, POST, HTTPTestCase, User
from tests.upstream.support import ONE, TWO
from twisted_envoy.codec.http import Reset
from twisted_envoy.interfaces.http import IHTTPPool
from twisted_envoy.internal import InternalAddress
from twisted_envoy.upstream.host import HostSettings


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

    def test_interface(self):
        """It is an IHTTPPool."""
        self.assertTrue(IHTTPPool.providedBy(self.world.pool()))

    def test_reuse(self):
        """The next request takes the same connection, and knows that it is not new."""
        first = self.ask()
        self.answer()
        second = self.ask()
        self.answer()
        self.assertEqual((first.isNew, second.isNew, second.body), (True, False, b"ok"))
        self.assertIs(first.connection, second.connection)
        self.assertEqual(self.stats("cx_total", "rq_total", "rq_pending_total"), (1, 2, 1))

    def test_newestFirst(self):
        """The connection that became free last is taken first."""
        first, second = self.world.ask(), self.world.ask()
        self.world.settle()
        self.assertEqual(len(self.origin.connections), 2)
        for connection in self.origin.connections:
            connection.write(OK)
            self.world.settle()
        self.assertIs(self.ask().connection, second.connection)
        self.assertIs(self.ask().connection, first.connection)

    def test_waitsForAFreeOne(self):
        """At max_connections a request waits until a connection is free, in order."""
        self.use(limits={"maxConnections": 1})
        users = [self.ask() for _ in range(3)]
        self.assertEqual(self.stats("cx_total", "rq_pending_active", "cx_overflow"), (1, 2, 2))
        for number, user in enumerate(users):
            self.answer()
            self.assertEqual(
                [one.done for one in users].index(False) if number < 2 else 3, number + 1
            )
            self.assertEqual(user.body, b"ok")
        self.assertEqual(self.stats("cx_total", "rq_total", "rq_pending_total"), (1, 3, 3))
        self.assertIdle()

    def test_oneConnectionAtLeast(self):
        """A pool without any connection gets one, whatever max_connections says."""
        self.use(ONE, limits={"maxConnections": 0})
        user = self.ask()
        self.answer()
        self.assertTrue(user.done)
        self.assertEqual(self.stats("cx_overflow", "cx_total"), (1, 1))

    def test_pendingOverflow(self):
        """Who may not even wait is refused at once."""
        self.use(limits={"maxConnections": 1, "maxPendingRequests": 1})
        self.ask()
        self.ask()
        third = self.ask()
        self.assertEqual(third.failed, (Reset.OVERFLOW, ""))
        self.assertIsNone(third.cancel)
        self.assertEqual(self.stats("rq_pending_overflow", "rq_active", "rq_total"), (1, 1, 1))

    def test_requestsOverflow(self):
        """max_requests holds for requests, on whichever connections."""
        self.use(limits={"maxRequests": 1})
        self.ask()
        second = self.ask()
        self.assertEqual(second.failed, (Reset.OVERFLOW, ""))
        self.assertEqual(self.stats("rq_active_overflow", "rq_active", "rq_total"), (1, 1, 1))

    def test_priorities(self):
        """Each priority has its breakers and its pools."""
        self.use(limits={"maxRequests": 0}, high={"maxRequests": 5})
        self.assertEqual(self.ask().failed, (Reset.OVERFLOW, ""))
        high = self.ask(priority="high")
        self.assertIsNone(high.failed)
        self.assertEqual(self.world.stat("circuit_breakers.high.rq_open"), 0)
        self.assertEqual(self.world.cluster.priorities["high"].requests.inUse, 1)
        self.assertEqual(self.world.cluster.priorities["high"].connections.inUse, 1)
        self.assertIsNot(self.world.pool(), self.world.pool(priority="high"))

    def test_cancel(self):
        """Who does not want to wait any longer leaves; the connect goes on and is kept."""
        user = self.world.ask()
        user.cancel()
        user.cancel()
        self.world.settle()
        self.assertIsNone(user.connection)
        self.assertEqual(self.stats("rq_cancelled", "cx_active", "rq_total"), (1, 1, 0))
        self.assertIdle()
        self.assertTrue(self.ask().isNew)
        self.assertEqual(self.stats("cx_total"), (1,))

    def test_cancelTooLate(self):
        """Once served there is nothing to cancel."""
        user = self.ask()
        user.cancel()
        self.assertEqual(self.stats("rq_cancelled", "rq_active"), (0, 1))

    def test_refusedWhileAUserRaises(self):
        """A user that raises when it is told is reset instead; who else waits is told, too."""
        self.port.stopListening()
        users = [self.world.ask() for _ in range(3)]

        def raising(reason, details, learned=None):
            raise RuntimeError("broken")

        users[1].poolFailed = raising
        users[2].poolFailed = users[2].streamReset = raising
        fourth = self.world.ask()
        self.world.settle()
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 3)
        self.assertIs(users[1].wasReset, Reset.LOCAL)
        for user in (users[0], fourth):
            self.assertIs(user.failed[0], Reset.REMOTE_CONNECTION_FAILURE)
            self.assertIsNone(user.wasReset)
        self.assertGone()

    def test_refused(self):
        """Nobody listens: all who wait hear Envoy's text, and nothing stays."""
        self.port.stopListening()
        users = [self.world.ask() for _ in range(2)]
        self.world.settle()
        for user in users:
            self.assertEqual(
                user.failed,
                (
                    Reset.REMOTE_CONNECTION_FAILURE,
                    "delayed_connect_error:_Connection_refused",
                ),
            )
        self.assertEqual(
            self.stats("cx_connect_fail", "cx_destroy", "cx_destroy_remote", "cx_destroy_local"),
            (2, 2, 2, 0),
        )
        self.assertEqual(self.stats("rq_pending_failure_eject", "rq_total"), (2, 0))
        self.assertGone()

    def test_timedOut(self):
        """connect_timeout ends everybody who waits, also those who came later."""
        self.use(connectTimeout=1.0)
        self.silence()
        first = self.world.ask()
        self.world.clock.advance(0.5)
        second = self.world.ask()
        self.world.clock.advance(0.5)
        for user in (first, second):
            self.assertEqual(user.failed, (Reset.CONNECTION_TIMEOUT, ""))
        self.assertEqual(
            self.stats("cx_connect_timeout", "cx_connect_fail", "cx_active"), (1, 1, 1)
        )
        self.world.clock.advance(0.5)
        self.assertEqual(self.stats("cx_destroy_local", "rq_pending_failure_eject"), (2, 2))
        self.assertGone()

    def test_retryWhileFailing(self):
        """Who asks again when told of the failure waits for a new connect."""
        self.port.stopListening()
        test = self

        class Again(User):
            count = 0

            def poolFailed(self, reason, details, learned=None):
                super().poolFailed(reason, details)
                self.count += 1
                if self.count < 3:
                    test.world.pool().newStream(self, self)

        user = Again()
        self.world.pool().newStream(user, user)
        self.world.settle()
        self.assertEqual(user.count, 3)
        self.assertEqual(self.stats("cx_total", "cx_connect_fail"), (3, 3))
        self.assertGone()

    def test_lostWhileOthersWait(self):
        """A lost connection is replaced when somebody waits."""
        self.use(limits={"maxConnections": 1})
        first = self.ask()
        second = self.ask()
        self.origin.connections[0].loseConnection()
        self.world.settle()
        self.assertIs(first.wasReset, Reset.CONNECTION_TERMINATION)
        self.answer()
        self.assertTrue(second.done)
        self.assertEqual(self.stats("cx_total"), (2,))

    def test_internal(self):
        """An internal listener is a host like any other; none is an immediate failure."""
        host = HostSettings(InternalAddress("app"))
        self.use(host)
        user = self.ask()
        self.answer()
        self.assertTrue(user.done)
        self.use(HostSettings(InternalAddress("app")))
        self.world.cluster.replaceHosts([HostSettings(InternalAddress("nobody"))])
        user = self.ask()
        self.world.settle()
        reason, details = user.failed
        self.assertIs(reason, Reset.REMOTE_CONNECTION_FAILURE)
        self.assertEqual(
            details, "immediate_connect_error:_Invalid_argument|remote_address:envoy://nobody/"
        )
        self.assertGone()

    def test_forgotten(self):
        """The host forgets a pool when its last connection is gone; the next is a new one."""
        self.ask()
        pool = self.world.pool()
        self.answer(OK.replace(b"OK\r\n", b"OK\r\nconnection: close\r\n"))
        self.assertGone()
        self.assertIsNot(self.world.pool(), pool)

    def test_hostRemoved(self):
        """A host that is gone keeps no idle connection, and others until they are free."""
        self.ask()
        self.answer()
        self.ask()
        self.ask()
        self.answer(which=0)
        self.assertEqual(len(self.origin.connections), 2)
        host = self.world.cluster.hosts[0]
        self.world.cluster.replaceHosts([TWO])
        self.world.settle()
        self.assertEqual(self.stats("cx_active", "cx_destroy_local"), (1, 1))
        self.answer(which=1)
        self.assertEqual(self.stats("cx_active", "cx_destroy_local_with_active_rq"), (0, 0))
        self.assertEqual(host.httpPools, {})

    def test_hostRemovedWhileConnecting(self):
        """Who waits is served still."""
        user = self.world.ask()
        self.world.cluster.replaceHosts([TWO])
        self.world.settle()
        self.answer()
        self.assertTrue(user.done)
        self.assertEqual(self.stats("cx_active"), (0,))

    def test_hostRemovedBeforeAnybodyIsServed(self):
        """A connection that nobody wants any more is not kept."""
        self.world.ask().cancel()
        self.world.cluster.replaceHosts([TWO])
        self.world.settle()
        self.assertEqual(self.stats("cx_active"), (0,))

    def test_manyRequests(self):
        """Thousands of requests leave one connection, and nothing else."""
        for _ in range(2_000):
            user = self.world.ask(POST, True)
            self.world.settle()
            self.answer()
            self.assertTrue(user.done)
        self.assertEqual(self.stats("cx_total", "rq_total"), (1, 2_000))
        self.assertIdle()
        self.assertEqual(len(self.world.clock.getDelayedCalls()), 1)
        self.world.pool().close()
        self.world.settle()
        self.assertGone()

    def test_closeGivesUpConnects(self):
        """A pool that is closed gives up what is under way."""
        self.silence()
        user = self.ask()
        self.world.pool().close()
        self.assertEqual(user.failed, (Reset.LOCAL_CONNECTION_FAILURE, ""))
        self.assertGone()


class HTTP2Tests(HTTPTestCase):
    """Many requests on one connection."""

    protocol = "HTTP/2"

    def test_shared(self):
        """Those who wait while it connects share the connection."""
        users = [self.world.ask() for _ in range(3)]
        self.world.settle()
        self.assertEqual(len(self.origin.connections), 1)
        self.assertEqual([user.encoder.streamID for user in users], [1, 3, 5])
        self.assertEqual([user.isNew for user in users], [True, False, False])
        self.assertEqual(self.stats("cx_total", "cx_http2_total", "rq_active"), (1, 1, 3))

    def test_failure(self):
        """They fail together, too."""
        self.port.stopListening()
        users = [self.world.ask() for _ in range(3)]
        self.world.settle()
        self.assertEqual({user.failed[0] for user in users}, {Reset.REMOTE_CONNECTION_FAILURE})
        self.assertEqual(self.stats("cx_total", "rq_pending_failure_eject"), (1, 3))
        self.assertGone()
