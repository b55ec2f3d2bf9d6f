"""Attempts one after the other, with tunnels and without."""

from __future__ import annotations

from tests.extensions.filters.network.tcp_proxy.support import ProxyTestCase
from tests.extensions.filters.network.tcp_proxy.test_tunnel import TUNNEL
from twisted_envoy.extensions.filters.network.tcp_proxy.filter import TCPProxy

REFUSAL = b"HTTP/1.1 503 No\r\n\r\n"


class AttemptsTests(ProxyTestCase):
    """Until one succeeds, or none is left."""

    def refuse(self):
        """The upstream refuses the tunnel that it was asked for last."""
        self.origin.connections[-1].write(REFUSAL)
        self.envoy.settle()

    def test_backoff(self):
        """The next attempt waits, and is not made when the client has gone."""
        backoff = {"base_interval": "1s", "max_interval": "1s"}
        for leaves, made in ((False, 2), (True, 1)):
            self.start(tunneling_config=TUNNEL, max_connect_attempts=3, backoff_options=backoff)
            client = self.envoy.connect("ingress")
            self.refuse()
            self.assertEqual(len(self.origin.connections), 1)
            if leaves:
                client.abortConnection()
            self.envoy.advance(1.5)
            self.assertEqual(len(self.origin.connections), made)

    def test_exceeded(self):
        """The last failure is the one that is logged."""
        self.start(tunneling_config=TUNNEL, max_connect_attempts=2)
        client = self.envoy.connect("ingress")
        self.refuse()
        self.assertFalse(client.ended)
        self.refuse()
        self.assertTrue(client.ended)
        self.assertEqual(self.stat("cluster.origin.upstream_cx_connect_attempts_exceeded"), 1)

    def test_refusedAtOnce(self):
        """Failures without a wait are no recursion."""
        self.start(listen=False, max_connect_attempts=2000)
        client = self.envoy.connect("ingress")
        self.assertTrue(client.ended)
        self.assertEqual(self.stat("cluster.origin.upstream_cx_connect_fail"), 2000)

    def test_raises(self):
        """A bug of ours ends this connection only."""
        self.start()
        cluster = self.envoy.server.clusters.get("origin")
        self.patch(type(cluster), "onlyHost", None)
        cluster.chooseHost = self.explode
        client = self.envoy.connect("ingress")
        self.assertIsNotNone(client.lost)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_failingRaises(self):
        """So does one in what is done when there is no upstream, a filter's close for one."""
        self.patch(TCPProxy, "close", self.explode)
        self.start(listen=False)
        client = self.envoy.connect("ingress")
        self.assertIsNotNone(client.lost)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def explode(self, *ignored):
        raise ZeroDivisionError
