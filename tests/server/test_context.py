"""What factories are given."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap
from tests.extensions.support import configOf
from twisted_envoy.interfaces.extensions import IFactoryContext
from twisted_envoy.server.context import FactoryContext
from twisted_envoy.stats.scope import Store
from twisted_envoy.testing import MemoryEnvoy

ADDRESS = "envoy.config.core.v3.SocketAddress"


class FactoryContextTests(SynchronousTestCase):
    """The server's and those of its listeners and clusters."""

    def context(self):
        server = MemoryEnvoy(bootstrap([])).server
        store = Store()
        return FactoryContext(
            reactor=server.reactor,
            stats=store,
            scope=store,
            clusters=server.clusters,
            registry=None,
            sockets=server.sockets,
            extensions=self,
            accessLogs=server.accessLogs,
            drain=server.drain,
            runtime=server.runtime,
            resolver=None,
        )

    def open(self, extension, category):
        """As Extensions.open."""
        self.opened = (extension, category)
        return self, "config"

    def build(self, config, context):
        """As a factory's."""
        return config, context

    def test_within(self):
        """A listener's context differs in its scope; singletons and warnings are the server's."""
        context = self.context()
        info = object()
        inner = context.within(context.stats.scope("x."), info)
        self.assertEqual((inner.scope.prefix, inner.listener), ("x.", info))
        self.assertIsNone(context.listener)
        self.assertIs(inner.warnings, context.warnings)
        self.assertIs(inner.singleton("k", object), context.singleton("k", object))
        self.assertTrue(IFactoryContext.providedBy(inner))

    def test_build(self):
        """A nested extension is opened by its category and built with this context."""
        context = self.context()
        self.assertEqual(context.build("extension", "filters.network"), ("config", context))
        self.assertEqual(self.opened, ("extension", "filters.network"))

    def test_warn(self):
        """Warnings are kept, with their place when they have one."""
        context = self.context()
        context.warn("odd")
        context.warn("odder", configOf(ADDRESS, {"address": "x", "port_value": 1}))
        first, second = context.warnings
        self.assertEqual(str(first), "odd")
        self.assertIn("test.yaml:1:", str(second))
        self.assertIn("odder", str(second))
