"""The filter's config."""

from __future__ import annotations

from tests.bootstraps import bootstrap, listener, tcpProxy
from tests.extensions.clusters.dynamic_forward_proxy.support import CACHE, proxyCluster
from tests.extensions.filters.network.sni_dynamic_forward_proxy.test_filter import forward
from tests.server.refusing import RefusalTestCase


class SNIDynamicForwardProxyFactoryTests(RefusalTestCase):
    """In a bootstrap."""

    def test_otherCache(self) -> None:
        """The cluster's cache has other settings."""
        filters = (forward({**CACHE, "max_hosts": 3}), tcpProxy("dfp"))
        self.assertRefused(
            bootstrap([listener("in", "127.0.0.1:9000", *filters)], [proxyCluster()]),
            "config specified DNS cache 'c' with different settings",
        )
