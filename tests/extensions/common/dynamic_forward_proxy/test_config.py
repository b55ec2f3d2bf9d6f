"""Caches by name."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.dynamic_forward_proxy.config import readDNSCache
from twisted_envoy.testing.names import MemoryResolver

CONFIG = "envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig"
RESOLVERS = "type.googleapis.com/envoy.extensions.network.dns_resolver."


class ReadDNSCacheTests(SynchronousTestCase):
    """A DnsCacheConfig."""

    def setUp(self) -> None:
        self.context: Any = Context()
        self.context.resolver = MemoryResolver()
        kept: dict[str, Any] = {}
        self.context.singleton = lambda key, make: kept.setdefault(key, make())

    def test_shared(self) -> None:
        """One for each name."""
        one, again, other = (
            readDNSCache(configOf(CONFIG, {"name": name}), self.context) for name in "aab"
        )
        self.assertIs(one, again)
        self.assertIsNot(one, other)

    def test_different(self) -> None:
        """The same name with other settings, in Envoy's words."""
        readDNSCache(configOf(CONFIG, {"name": "a"}), self.context)
        config = configOf(CONFIG, {"name": "a", "max_hosts": 3})
        problem = self.assertRaises(ConfigError, readDNSCache, config, self.context)
        self.assertIn("config specified DNS cache 'a' with different settings", str(problem))

    def test_fields(self) -> None:
        """All that can be obeyed is read."""
        config = configOf(
            CONFIG,
            {
                "name": "a",
                "dns_lookup_family": "V4_ONLY",
                "dns_refresh_rate": "3s",
                "dns_min_refresh_rate": "2s",
                "host_ttl": "4s",
                "max_hosts": 5,
                "dns_failure_refresh_rate": {"base_interval": "1s", "max_interval": "2s"},
                "dns_cache_circuit_breaker": {"max_pending_requests": 6},
                "dns_query_timeout": "7s",
                "preresolve_hostnames": [{"address": "10.0.0.1", "port_value": 8}],
                "typed_dns_resolver_config": {
                    "name": "c",
                    "typed_config": {"@type": RESOLVERS + "cares.v3.CaresDnsResolverConfig"},
                },
            },
        )
        settings = readDNSCache(config, self.context).settings
        self.assertEqual(unreadFields(config), [])
        self.assertEqual(
            (settings.refreshRate, settings.hostTTL, settings.maxHosts, settings.maxPending),
            (3.0, 4.0, 5, 6),
        )
        self.assertEqual(
            (settings.failureBase, settings.failureMost, settings.timeout), (1.0, 2.0, 7.0)
        )
        self.assertEqual(settings.preresolved, (("10.0.0.1", 8),))

    def test_unread(self) -> None:
        """What cannot be obeyed is not."""
        kind = RESOLVERS + "cares.v3.CaresDnsResolverConfig"
        config = configOf(
            CONFIG,
            {
                "name": "a",
                "disable_dns_refresh_on_failure": True,
                "typed_dns_resolver_config": {
                    "name": "c",
                    "typed_config": {"@type": kind, "udp_max_queries": 3},
                },
            },
        )
        readDNSCache(config, self.context)
        self.assertEqual(
            unreadFields(config),
            [
                "disable_dns_refresh_on_failure",
                "typed_dns_resolver_config.typed_config.udp_max_queries",
            ],
        )
