"""The built-in demo."""

from __future__ import annotations

import io
import sys

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.demo import DEMO, builtinDemo, tellOfDemo
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.testing import MemoryEnvoy


class DemoTests(SynchronousTestCase):
    """What runs when no configuration is given."""

    def setUp(self) -> None:
        self.patch(sys, "stdout", io.StringIO())

    def test_saysWhatItDoes(self) -> None:
        """It names where it listens and what to try."""
        tellOfDemo()

        self.assertIn("curl 127.0.0.1:10000", sys.stdout.getvalue())

    def test_options(self) -> None:
        """It is a file like any other; nothing is said before it is bound."""
        options = builtinDemo(ServerOptions(logLevel="error"))

        self.assertEqual(options, ServerOptions(logLevel="error", configPath=str(DEMO)))
        self.assertEqual(sys.stdout.getvalue(), "")

    def test_answers(self) -> None:
        """A GET goes through an HTTP/2 CONNECT and both internal listeners, and is answered."""
        envoy = MemoryEnvoy(str(DEMO))
        self.addCleanup(envoy.stop)
        client = envoy.connect("http")

        client.write(b"GET / HTTP/1.1\r\nhost: 127.0.0.1:10000\r\n\r\n")
        envoy.settle()

        self.assertTrue(client.received.startswith(b"HTTP/1.1 200 OK\r\n"), client.received)
        self.assertTrue(client.received.endswith(b"\r\n\r\nHello, world!\n"))
        for name in (
            "http.tunnel_end.downstream_cx_upgrades_total",
            "cluster.tunnel_end.upstream_cx_http2_total",
            "listener.envoy_internal_encap.downstream_cx_total",
            "listener.envoy_internal_decap.downstream_cx_total",
        ):
            self.assertEqual(envoy.stat(name), 1, name)
