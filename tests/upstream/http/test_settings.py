"""What the config says of a cluster's HTTP, and what its pools share."""

from __future__ import annotations

from random import Random

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.settings import HTTP1Settings, HTTP2Settings
from twisted_envoy.http.protocol_options import CommonHTTPOptions
from twisted_envoy.upstream.http.settings import UpstreamHTTP, UpstreamHTTPSettings


def settingsOf(protocol="HTTP/1.1", **common):
    return UpstreamHTTPSettings.of(
        protocol, HTTP1Settings(), HTTP2Settings(), CommonHTTPOptions(**common)
    )


class SettingsTests(SynchronousTestCase):
    """UpstreamHTTPSettings.of."""

    def test_defaults(self):
        """Those of no options at all are the class's own."""
        self.assertEqual(settingsOf(), UpstreamHTTPSettings())

    def test_given(self):
        """Limits of responses, and an idle_timeout of 0."""
        made = settingsOf(idleTimeout=0.0, maxResponseHeadersKB=1, maxHeadersCount=5)
        self.assertEqual(made.common.idleTimeout, 0.0)
        self.assertEqual((made.limits.maxBytes, made.limits.maxCount), (1024, 5))


class SharedTests(SynchronousTestCase):
    """UpstreamHTTP."""

    def shared(self, protocol="HTTP/1.1", **common):
        self.clock = Clock()
        self.called = []
        return UpstreamHTTP(
            settingsOf(protocol, **common), {}, self.clock, self.fail, self.fail, Random(0)
        )

    def test_protocol(self):
        """The configured one, or the downstream's, of which HTTP/1.0 becomes HTTP/1.1."""
        for configured, downstream, expected in (
            ("HTTP/1.1", "HTTP/2", "HTTP/1.1"),
            ("HTTP/2", "HTTP/1.1", "HTTP/2"),
            ("", "HTTP/2", "HTTP/2"),
            ("", "HTTP/1.1", "HTTP/1.1"),
            ("", "HTTP/1.0", "HTTP/1.1"),
        ):
            self.assertEqual(self.shared(configured).protocolFor(downstream), expected)

    def test_never(self):
        """Without limits of time nothing waits."""
        http = self.shared(idleTimeout=0.0)
        self.assertIsNone(http.idleTimeouts)
        self.assertIsNone(http.startDuration(self.fail))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_duration(self):
        """max_connection_duration, the same for all."""
        http = self.shared(maxConnectionDuration=5.0)
        http.startDuration(lambda: self.called.append(1))
        http.startDuration(lambda: self.called.append(2)).cancel()
        self.clock.advance(5)
        self.assertEqual(self.called, [1])

    def test_jitter(self):
        """Or longer by a random share."""
        http = self.shared(maxConnectionDuration=10.0, maxConnectionDurationJitter=0.5)
        waits = set()
        for _ in range(20):
            call = http.startDuration(self.fail)
            waits.add(call.getTime())
        self.assertGreater(len(waits), 10)
        self.assertTrue(all(10 <= wait < 15 for wait in waits))
