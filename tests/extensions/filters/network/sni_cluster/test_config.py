"""The filter's config, which says nothing."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf
from twisted_envoy.extensions.filters.network.sni_cluster import factories
from twisted_envoy.extensions.filters.network.sni_cluster.filter import SNICluster


class SNIClusterFactoryTests(SynchronousTestCase):
    """The maker."""

    def test_built(self) -> None:
        """A link for each connection."""
        (factory,) = factories
        make = factory.build(configOf(factory.typeURL), Context())
        self.assertIsInstance(make(), SNICluster)
        self.assertFalse(factory.terminal)
