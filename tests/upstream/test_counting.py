"""What connections count, and Envoy's texts of those that could not be had."""

from __future__ import annotations

import errno

from twisted.internet.error import ConnectError, ConnectionRefusedError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.upstream.support import ONE, World
from twisted_envoy.upstream.counting import (
    connectFailure,
    countConnectFailed,
    countDestroyed,
    countDestroyedWithActive,
    countLength,
    countStarted,
)


class CountTests(SynchronousTestCase):
    """Each event counts once, in the cluster and in the host."""

    def setUp(self):
        self.world = World(ONE)
        (self.host,) = self.world.cluster.hosts
        self.limit = self.world.cluster.connections

    def test_life(self):
        """A connection that begins and ends leaves only totals."""
        countStarted(self.host, self.limit)
        self.assertEqual(self.limit.inUse, 1)
        self.assertEqual(self.world.used(), {"upstream_cx_total": 1, "upstream_cx_active": 1})
        countConnectFailed(self.host)
        countDestroyed(self.host, True, self.limit)
        countDestroyedWithActive(self.host, True)
        self.assertEqual(self.limit.inUse, 0)
        self.assertEqual(
            self.world.used(),
            {
                "upstream_cx_total": 1,
                "upstream_cx_connect_fail": 1,
                "upstream_cx_destroy": 1,
                "upstream_cx_destroy_remote": 1,
                "upstream_cx_destroy_with_active_rq": 1,
                "upstream_cx_destroy_remote_with_active_rq": 1,
            },
        )
        self.assertEqual(self.host.stats.cx_connect_fail.value, 1)
        self.assertEqual((self.host.stats.cx_total.value, self.host.stats.cx_active.value), (1, 0))

    def test_length(self):
        """Seconds are counted as milliseconds."""
        self.world.clock.advance(5)
        countLength(self.host, 2.0)
        length = self.world.cluster.stats.upstream_cx_length_ms
        length.merge()
        self.assertLess(abs(length.total.sum - 3000), 100)

    def test_local(self):
        """What we ended counts as ours."""
        countStarted(self.host, self.limit)
        countDestroyed(self.host, False, self.limit, True)
        used = self.world.used()
        self.assertEqual(used["upstream_cx_destroy_local"], 1)
        self.assertEqual(used["upstream_cx_destroy_local_with_active_rq"], 1)

    def test_texts(self):
        """By the error's number, or in its own words."""
        host = self.host
        refused = Failure(ConnectionRefusedError(errno.ECONNREFUSED, "x"))
        refused.value.osError = errno.ECONNREFUSED
        loop = Failure(ConnectError(errno.ELOOP, "too many hops"))
        atOnce = Failure(ConnectionRefusedError(errno.ENETUNREACH, "x"))
        atOnce.value.osError = errno.ENETUNREACH
        atOnce.value.atOnce = True
        for failure, immediate, text in (
            (refused, False, "delayed_connect_error:_Connection_refused"),
            (
                refused,
                True,
                "immediate_connect_error:_Connection_refused|remote_address:127.0.0.1:1",
            ),
            (
                atOnce,
                False,
                "immediate_connect_error:_Network_is_unreachable|remote_address:127.0.0.1:1",
            ),
            (loop, False, "delayed_connect_error:_too_many_hops"),
            (Failure(ValueError("a b")), False, "delayed_connect_error:_a_b"),
        ):
            self.assertEqual(connectFailure(host, failure, immediate), text)
