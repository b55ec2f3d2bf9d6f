"""What the filter needs."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, listener, typed
from tests.extensions.clusters.dynamic_forward_proxy.support import manager, proxyCluster
from twisted_envoy.testing import MemoryEnvoy


class DynamicForwardProxyFactoryTests(SynchronousTestCase):
    """In a bootstrap."""

    def test_withoutCache(self) -> None:
        """It has the cache without a name, as every other one that says nothing."""
        bare = typed("x", "filters.http.dynamic_forward_proxy.v3.FilterConfig")
        listeners = [
            listener(name, f"127.0.0.1:{port}", manager(bare, name=name))
            for name, port in (("a", 9000), ("b", 9001))
        ]
        envoy = MemoryEnvoy(bootstrap(listeners, [proxyCluster()]))
        self.assertEqual(envoy.stat("dns_cache.num_hosts"), 0)
        self.assertEqual(envoy.stat("dns_cache.c.num_hosts"), 0)
