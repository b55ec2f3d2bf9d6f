"""Echo's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf
from twisted_envoy.extensions.filters.network.echo import factories
from twisted_envoy.extensions.filters.network.echo.filter import Echo
from twisted_envoy.interfaces.network import INetworkFilterFactory


class FactoryTests(SynchronousTestCase):
    def test_build(self):
        """Each connection gets its own link."""
        (factory,) = factories

        make = factory.build(configOf(factory.typeURL), Context())

        self.assertIsInstance(make(), Echo)
        self.assertIsNot(make(), make())
        self.assertTrue(factory.terminal)
        self.assertEqual(factory.category, "filters.network")
        self.assertTrue(INetworkFilterFactory.providedBy(factory))
