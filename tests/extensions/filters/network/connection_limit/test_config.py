"""The connection limit's factory."""

from __future__ import annotations

from twisted.internet.error import ConnectionRefusedError
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Connections, Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.filters.network.connection_limit import factories
from twisted_envoy.extensions.filters.network.connection_limit.filter import (
    ConnectionLimit,
    Unlimited,
)
from twisted_envoy.extensions.filters.network.echo.filter import Echo
from twisted_envoy.interfaces.network import INetworkFilterFactory


class FactoryTests(SynchronousTestCase):
    def build(self, **fields):
        (factory,) = factories
        self.context = Context()
        self.config = configOf(factory.typeURL, fields)
        return factory.build(self.config, self.context)

    def test_isNotTerminal(self):
        """Something must come after it."""
        self.assertFalse(factories[0].terminal)
        self.assertTrue(INetworkFilterFactory.providedBy(factories[0]))

    def test_obeysEveryField(self):
        """Stats by prefix, so many connections, after so long."""
        make = self.build(
            stat_prefix="p",
            max_connections=1,
            delay="0.5s",
            runtime_enabled={"default_value": True, "runtime_key": "k"},
        )
        connections = Connections([make, Echo], self.context.reactor)

        connections.connect()
        late = connections.connect()
        self.context.reactor.advance(0.4)
        connections.settle()
        self.assertFalse(late.ended or late.lost)
        self.context.reactor.advance(0.1)
        connections.settle()

        self.assertTrue(late.ended or late.lost)
        self.assertEqual(unreadFields(self.config), [])
        stats = self.context.stats
        self.assertEqual(stats.counter("connection_limit.p.limited_connections").value, 1)
        self.assertIn("connection_limit.p.active_connections", stats.gauges)

    def test_withoutADelay(self):
        """At once."""
        connections = Connections([self.build(stat_prefix="p", max_connections=1), Echo])
        connections.connect()
        self.failureResultOf(connections.begin(), ConnectionRefusedError)

    def test_switchedOff(self):
        """The stats are there and stay at 0."""
        make = self.build(
            stat_prefix="p", max_connections=1, runtime_enabled={"default_value": False}
        )
        self.assertIsInstance(make(), Unlimited)
        self.assertIn("connection_limit.p.active_connections", self.context.stats.gauges)

    def test_switchedByTheRuntime(self):
        """Asked for each connection."""
        flag = {"default_value": True, "runtime_key": "limit.on"}
        make = self.build(stat_prefix="p", max_connections=1, runtime_enabled=flag)
        self.assertIsInstance(make(), ConnectionLimit)

        self.context.runtime.values["limit.on"] = False

        self.assertIsInstance(make(), Unlimited)

    def test_eachConfigCountsForItself(self):
        """Also when two share their stats' names."""
        (factory,) = factories
        context = Context()
        fields = {"stat_prefix": "p", "max_connections": 1}
        for _ in range(2):
            make = factory.build(configOf(factory.typeURL, fields), context)
            Connections([make, Echo], context.reactor).connect()
        self.assertEqual(context.stats.gauge("connection_limit.p.active_connections").value, 2)
        self.assertEqual(context.stats.counter("connection_limit.p.limited_connections").value, 0)

    def test_maxConnectionsIsNeeded(self):
        """Envoy's words."""
        with self.assertRaises(ConfigError) as caught:
            self.build(stat_prefix="a")
        self.assertEqual(
            caught.exception.problem, "Field 'max_connections' is missing in: stat_prefix: \"a\""
        )
