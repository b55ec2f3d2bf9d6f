"""Addresses in ranges."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.matching.input_matchers.ip import factories


class IPTests(SynchronousTestCase):
    def test_ranges(self) -> None:
        """Of both families; what is no address is counted."""
        (factory,) = factories
        ranges = [
            {"address_prefix": "10.0.0.0", "prefix_len": 8},
            {"address_prefix": "10.9.0.0", "prefix_len": 8},
            {"address_prefix": "2001:db8::", "prefix_len": 32},
        ]
        config = configOf(factory.typeURL, {"cidr_ranges": ranges, "stat_prefix": "p"})
        context = Context()
        matches = factory.build(config, context)
        self.assertEqual(unreadFields(config), [])
        for text, good in (("10.1.2.3", True), ("11.0.0.1", False), ("2001:db8::7", True)):
            self.assertIs(matches(text), good)
        self.assertFalse(matches(None))
        self.assertFalse(matches(""))
        failed = context.stats.counter("p.ip_parsing_failed")
        self.assertEqual(failed.value, 0)
        self.assertFalse(matches("x"))
        self.assertEqual(failed.value, 1)

    def test_wrongRange(self) -> None:
        """Envoy's words."""
        (factory,) = factories
        config = configOf(
            factory.typeURL, {"cidr_ranges": [{"address_prefix": "10.0.0"}], "stat_prefix": "p"}
        )
        with self.assertRaises(ConfigError) as caught:
            factory.build(config, Context())
        self.assertEqual(caught.exception.problem, "malformed IP address: 10.0.0")
