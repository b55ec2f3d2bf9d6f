"""What the filter needs."""

from __future__ import annotations

from tests.bootstraps import bootstrap, listener, typed
from tests.extensions.clusters.dynamic_forward_proxy.support import manager, proxyCluster
from tests.server.refusing import RefusalTestCase


class DynamicForwardProxyFactoryTests(RefusalTestCase):
    """In a bootstrap."""

    def test_withoutCache(self) -> None:
        """There is nothing that it could do."""
        bare = typed("x", "filters.http.dynamic_forward_proxy.v3.FilterConfig")
        text = bootstrap([listener("in", "127.0.0.1:9000", manager(bare))], [proxyCluster()])
        self.refused(text)
