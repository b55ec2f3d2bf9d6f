"""check_drain_close, and what is logged of connections that end early."""

from __future__ import annotations

from tests.bootstraps import logTo, proxied
from tests.extensions.filters.network.tcp_proxy.support import ProxyTestCase
from twisted_envoy.errors import ConfigError
from twisted_envoy.testing import MemoryEnvoy

CLOSES = "%DOWNSTREAM_LOCAL_CLOSE_REASON% %UPSTREAM_LOCAL_CLOSE_REASON%"


class DrainTests(ProxyTestCase):
    """A connection that is asked to end after a chunk."""

    def _start(self, **fields):
        self.start(proxied(access_log=logTo("log", CLOSES), **fields))

    def test_off(self):
        """Without the field an unhealthy server's connections go on."""
        self._start()
        client, server = self.pair()
        self.envoy.server.healthCheckFail()
        client.write(b"more")
        self.envoy.settle()
        self.assertEqual((server.received, client.lost), (b"more", None))

    def test_afterTheClientsChunk(self):
        """The chunk still goes up; the client is closed, and so is the upstream connection."""
        self._start(check_drain_close=True)
        client, server = self.pair()
        self.envoy.server.healthCheckFail()
        client.write(b"more")
        self.envoy.settle()
        self.assertEqual((server.received, server.ended, client.ended), (b"more", True, True))
        server.loseConnection()
        self.envoy.settle()
        self.assertEqual(self.envoy.stat("tcp.tcp.downstream_cx_drain_close"), 1)
        reason = "tcp_proxy_drain_close"
        self.assertEqual(self.envoy.lines("log"), [f"{reason} {reason}"])

    def test_afterTheOriginsChunk(self):
        """So does a chunk that comes down."""
        self._start(check_drain_close=True)
        client, server = self.pair()
        self.envoy.server.healthCheckFail()
        server.write(b"answer")
        self.envoy.settle()
        self.assertEqual((client.received, client.ended), (b"answer", True))


class RefusedTests(ProxyTestCase):
    """Fields that are not implemented: Envoy's words for a mistake in them, or ours."""

    def _problem(self, **fields):
        return self.assertRaises(ConfigError, MemoryEnvoy, proxied(**fields)).problem

    def test_accessLogOptions(self):
        """The old fields and access_log_options exclude each other."""
        self.assertEqual(
            self._problem(access_log_options={}, flush_access_log_on_connected=True),
            "Only one of flush_access_log_on_connected or access_log_options can be specified.",
        )
        self.assertEqual(
            self._problem(access_log_options={}, access_log_flush_interval="1s"),
            "Only one of access_log_flush_interval or access_log_options can be specified.",
        )
