"""One connect: what it counts, however it ends."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectBindError
from twisted.internet.interfaces import IProtocolFactory

from tests.upstream.http.support import HTTPTestCase
from twisted_envoy.codec.http import Reset
from twisted_envoy.codec.settings import HTTP2Settings
from twisted_envoy.upstream.http.attempt import Attempt


class Endpoint:
    """Answers when the test wants, if it does not raise."""

    def __init__(self, raises=None):
        self.raises = raises
        self.done = []

    def connect(self, factory):
        if self.raises is not None:
            raise self.raises
        factory.doStart()
        self.done.append(Deferred())
        return self.done[-1]


class AttemptTests(HTTPTestCase):
    """Attempts of a pool whose endpoint is in the test's hand."""

    def setUp(self):
        super().setUp()
        self.pool = self.world.pool()

    def test_capacity(self):
        """One stream, or as many as both limits allow."""
        self.assertEqual(Attempt(self.pool).capacity, 1)
        for given, capacity in (({}, 1024), ({"maxRequestsPerConnection": 3}, 3)):
            self.use(protocol="HTTP/2", http2=HTTP2Settings(), **given)
            self.assertEqual(Attempt(self.world.pool()).capacity, capacity)

    def test_factory(self):
        """It is its own factory."""
        attempt = Attempt(self.pool)
        self.assertTrue(IProtocolFactory.providedBy(attempt))
        attempt.doStop()

    def test_raises(self):
        """A transport socket that raises is a failed connect."""
        self.pool.endpoint = Endpoint(ValueError("a fault"))
        user = self.ask()
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        reason, details = user.failed
        self.assertIs(reason, Reset.REMOTE_CONNECTION_FAILURE)
        self.assertEqual(details, "immediate_connect_error:_a_fault|remote_address:127.0.0.1:1")
        self.assertGone()

    def test_unboundSource(self):
        """A source address that is not ours: the failure is on our side, and counted."""
        self.pool.endpoint = Endpoint(ConnectBindError(99, "no"))
        user = self.ask()
        self.flushLoggedErrors(ConnectBindError)
        reason, details = user.failed
        self.assertIs(reason, Reset.LOCAL_CONNECTION_FAILURE)
        self.assertEqual(details, "failed_to_bind_to_:0:_Cannot_assign_requested_address")
        self.assertEqual(self.stats("cx_destroy_local", "cx_destroy_remote"), (1, 0))
        self.assertEqual(self.world.cluster.stats.bind_errors.value, 1)
        self.assertGone()

    def test_failsLater(self):
        """It hears of one end only."""
        self.pool.endpoint = endpoint = Endpoint()
        user = self.world.ask()
        endpoint.done[0].errback(ValueError("late"))
        self.assertEqual(user.failed[1], "delayed_connect_error:_late")
        self.assertGone()

    def test_givenUpTwice(self):
        """Giving up what is over does nothing."""
        self.silence()
        user = self.world.ask()
        (attempt,) = self.pool.attempts
        attempt.giveUp()
        attempt.giveUp()
        self.assertEqual(user.failed, (Reset.LOCAL_CONNECTION_FAILURE, ""))
        self.assertEqual(self.stats("cx_destroy_local", "cx_connect_fail"), (1, 1))
        self.assertGone()
