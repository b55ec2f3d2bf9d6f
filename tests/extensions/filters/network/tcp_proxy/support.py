"""A TCP proxy in memory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import logTo, proxied
from twisted_envoy.testing import MemoryEnvoy

LOG = (
    "%ACCESS_LOG_TYPE% flags=%RESPONSE_FLAGS% rx=%BYTES_RECEIVED% tx=%BYTES_SENT% "
    "up=%UPSTREAM_HOST% fail=%UPSTREAM_TRANSPORT_FAILURE_REASON%"
)
ORIGIN = "127.0.0.1:10000"


class ProxyTestCase(SynchronousTestCase):
    """Listener `ingress` -> TCP proxy -> cluster `origin`, with an access log `log`."""

    def start(self, text=None, listen=True, clusterFields=None, **fields):
        """
        Run a bootstrap: the one of `proxied`, with these fields of the proxy, or a text.

        Sets `envoy` and, when it listens, `origin`.
        """
        if text is None:
            text = proxied(clusterFields, access_log=logTo("log", LOG), **fields)
        self.envoy = MemoryEnvoy(text)
        if listen:
            self.origin = self.envoy.listen(ORIGIN)

    def pair(self):
        """A client, and the connection that the proxy made for it."""
        client = self.envoy.connect("ingress")
        return client, self.origin.connections[-1]

    def assertQuiet(self):
        """Nothing is open and no gauge is up."""
        busy = self.envoy.stats(r"(active|buffered|_open)$")
        busy = {name: value for name, value in busy.items() if "listeners" not in name}
        busy.pop("cluster_manager.active_clusters", None)
        self.assertEqual(busy, {})

    def stat(self, name):
        return self.envoy.stat(name)
