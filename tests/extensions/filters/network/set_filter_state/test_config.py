"""The set_filter_state filter's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Connections, Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.filters.network.echo.filter import Echo
from twisted_envoy.extensions.filters.network.set_filter_state import factories
from twisted_envoy.extensions.filters.network.set_filter_state.filter import SetFilterState
from twisted_envoy.interfaces.network import INetworkFilterFactory


def value(text, key="k"):
    return {
        "object_key": key,
        "factory_key": "envoy.string",
        "format_string": {"text_format_source": {"inline_string": text}},
    }


class FactoryTests(SynchronousTestCase):
    def build(self, **fields):
        (factory,) = factories
        self.config = configOf(factory.typeURL, fields)
        return factory.build(self.config, Context())

    def stateAfter(self, make, data=b""):
        connections = Connections([make, Echo])
        client = connections.connect()
        if data:
            client.transport.write(data)
            connections.settle()
        found = connections.chains[0].streamInfo.filterState.get("k")
        return None if found is None else found.value

    def test_isNotTerminal(self):
        """Something must come after it."""
        self.assertFalse(factories[0].terminal)
        self.assertTrue(INetworkFilterFactory.providedBy(factories[0]))

    def test_onNewConnection(self):
        """Without a data trigger there is no reader."""
        make = self.build(on_new_connection=[value("new")])
        self.assertIsInstance(make(), SetFilterState)
        self.assertEqual(self.stateAfter(make), "new")
        self.assertEqual(unreadFields(self.config), [])

    def test_onDownstreamData(self):
        """Both triggers are obeyed."""
        make = self.build(
            on_new_connection=[value("new")], on_downstream_data=[value("%BYTES_RECEIVED%")]
        )
        self.assertEqual(self.stateAfter(make), "new")
        self.assertEqual(self.stateAfter(make, b"abc"), "3")
        self.assertEqual(unreadFields(self.config), [])

    def test_nothingToSet(self):
        """Accepted."""
        self.assertIsNone(self.stateAfter(self.build()))

    def test_onDownstreamTLSHandshake(self):
        """Without TLS it comes behind the first."""
        triggers = {"on_new_connection": [value("new")], "on_downstream_data": [value("data")]}
        make = self.build(on_downstream_tls_handshake=[value("open")], **triggers)
        self.assertEqual(self.stateAfter(make), "open")
        self.assertEqual(self.stateAfter(make, b"abc"), "data")
        self.assertEqual(unreadFields(self.config), [])

    def test_errorsSayWhere(self):
        """With path and line."""
        with self.assertRaises(ConfigError) as caught:
            self.build(on_new_connection=[{**value("x", "my.key"), "factory_key": ""}])
        self.assertEqual(caught.exception.problem, "'my.key' does not have an object factory")
        self.assertIn("on_new_connection[0]", caught.exception.path)
