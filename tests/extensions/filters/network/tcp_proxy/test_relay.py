"""The hot functions."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.filters.network.tcp_proxy.relay import Relay, counting
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.metrics import Counter


class RelayTests(SynchronousTestCase):
    """Each chunk is counted on both sides, timed and written, and nothing else."""

    def test_directions(self):
        """Bytes of the client are received, bytes of the upstream are sent."""
        for direction, expected in (("up", (5, 0)), ("down", (0, 5))):
            written = []
            received, sent = Counter("received"), Counter("sent")
            info = StreamInfo(0.0)
            idle = SimpleNamespace(lastActivity=0.0)
            times = iter((1.0, 2.0))
            both = Relay(written.append, received, sent, info, idle, times.__next__)
            relay = getattr(both, direction)
            relay(b"ab")
            self.assertEqual(idle.lastActivity, 1.0)
            relay(b"cde")
            self.assertEqual(written, [b"ab", b"cde"])
            self.assertEqual((received.value, sent.value), (5, 5))
            self.assertEqual((info.bytesReceived, info.bytesSent), expected)
            self.assertEqual(idle.lastActivity, 2.0)

    def test_unseen(self):
        """Bytes that pass without being seen here are counted as those that are."""
        for up, expected in ((True, (7, 0)), (False, (0, 7))):
            received, sent = Counter("received"), Counter("sent")
            info = StreamInfo(0.0)
            idle = SimpleNamespace(lastActivity=0.0)
            count = counting((received, sent), info, idle, lambda: 3.0, up)
            count(3)
            count(4)
            self.assertEqual((received.value, sent.value), (7, 7))
            self.assertEqual((info.bytesReceived, info.bytesSent), expected)
            self.assertEqual(idle.lastActivity, 3.0)
