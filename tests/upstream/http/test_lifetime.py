"""The timers of one connection."""

from __future__ import annotations

from random import Random

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.settings import HTTP2Settings, Keepalive
from twisted_envoy.http.h2_stats import HTTP2Stats
from twisted_envoy.http.protocol_options import CommonHTTPOptions
from twisted_envoy.stats.scope import Store
from twisted_envoy.upstream.http.lifetime import Lifetime
from twisted_envoy.upstream.http.settings import HTTP1, HTTP2, UpstreamHTTP, UpstreamHTTPSettings


class Codec:
    """Counts PINGs."""

    pingAcked = None
    activity = 0

    def __init__(self):
        self.pings = []
        self.stats = HTTP2Stats(Store().scope("http2."))

    def sendPing(self, opaque):
        self.pings.append(opaque)


class LifetimeTests(SynchronousTestCase):
    """Lifetime."""

    def begin(self, protocol=HTTP1, keepalive=None, **common):
        self.clock = Clock()
        self.codec = Codec()
        self.called = []
        settings = UpstreamHTTPSettings(
            http2=HTTP2Settings(keepalive=keepalive),
            common=CommonHTTPOptions(**{"idleTimeout": 0.0, **common}),
        )
        http = UpstreamHTTP(settings, {}, self.clock, self.fail, self.fail, Random(0))
        calls = [lambda what=what: self.called.append(what) for what in ("idle", "old", "silent")]
        return Lifetime(http, protocol, self.codec, *calls)

    def test_nothing(self):
        """Nothing is limited."""
        made = self.begin(keepalive=Keepalive(1.0, 1.0))
        made.becameIdle()
        made.streamBegins()
        made.received()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        made.stop()

    def test_idle(self):
        """Counts from when it was last used."""
        made = self.begin(idleTimeout=10.0)
        self.clock.advance(6)
        made.becameIdle()
        self.clock.advance(6)
        self.assertEqual(self.called, [])
        self.clock.advance(4)
        self.assertEqual(self.called, ["idle"])
        made.becameIdle()
        self.clock.advance(10)
        self.assertEqual(self.called, ["idle", "idle"])

    def test_stop(self):
        """Stops everything."""
        made = self.begin(HTTP2, Keepalive(1.0, 1.0), idleTimeout=10.0, maxConnectionDuration=5.0)
        self.assertEqual(len(self.clock.getDelayedCalls()), 3)
        made.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_old(self):
        """Told once."""
        made = self.begin(maxConnectionDuration=5.0)
        self.clock.advance(5)
        self.assertEqual(self.called, ["old"])
        made.stop()

    def test_silent(self):
        """PINGs that nobody answers."""
        self.begin(HTTP2, Keepalive(1.0, 10.0, 0.0))
        self.clock.advance(10)
        self.assertEqual(len(self.codec.pings), 1)
        self.clock.advance(1)
        self.assertEqual(self.called, ["silent"])

    def test_idleInterval(self):
        """A PING before a stream that follows silence."""
        made = self.begin(HTTP2, Keepalive(1.0, None, 0.0, 5.0))
        self.clock.advance(4)
        made.streamBegins()
        made.received()
        self.clock.advance(4)
        made.streamBegins()
        self.assertEqual(self.codec.pings, [])
        self.clock.advance(1)
        made.streamBegins()
        self.assertEqual(len(self.codec.pings), 1)
        made.stop()
