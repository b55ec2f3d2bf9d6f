"""Which resolver a config asks for."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.dns_resolver import readResolver
from twisted_envoy.testing.names import MemoryResolver
from twisted_envoy.upstream.resolve_by_dns import DNSServers

CONFIG = "envoy.config.core.v3.TypedExtensionConfig"
PACKAGE = "type.googleapis.com/envoy.extensions.network.dns_resolver."
CARES = PACKAGE + "cares.v3.CaresDnsResolverConfig"


class ReadResolverTests(SynchronousTestCase):
    """A TypedExtensionConfig."""

    def read(self, kind: str = CARES, **fields: Any) -> tuple[Any, list[str]]:
        """The resolver, and what nobody read."""
        context: Any = Context()
        self.system = context.resolver = MemoryResolver()
        config = configOf(CONFIG, {"name": "x", "typed_config": {"@type": kind, **fields}})
        return readResolver(config, context), unreadFields(config)

    def test_system(self) -> None:
        """Nothing, and either of both without fields."""
        context: Any = Context()
        context.resolver = MemoryResolver()
        self.assertIs(readResolver(None, context), context.resolver)
        for kind in (CARES, PACKAGE + "getaddrinfo.v3.GetAddrInfoDnsResolverConfig"):
            made, unread = self.read(kind)
            self.assertIs(made, self.system)
            self.assertEqual(unread, [])

    def test_servers(self) -> None:
        """In their order, port 53 where none is given."""
        addresses = [
            {"socket_address": {"address": "8.8.8.8", "port_value": 5353}},
            {"socket_address": {"address": "::1", "port_value": 0}},
        ]
        made, unread = self.read(resolvers=addresses)
        assert isinstance(made, DNSServers)
        self.assertEqual(made.servers, (("8.8.8.8", 5353), ("::1", 53)))
        self.assertEqual(unread, [])

    def test_unread(self) -> None:
        """What cannot be obeyed."""
        self.assertEqual(self.read(udp_max_queries=3)[1], ["typed_config.udp_max_queries"])
        self.assertRaises(ConfigError, self.read, resolvers=[{"pipe": {"path": "/x"}}])
