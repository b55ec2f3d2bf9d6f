"""Tests for twisted_envoy.extensions.rbac.matchers.upstream_ip_port.config."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.dynamic_forward_proxy.names import saveAddress
from twisted_envoy.extensions.rbac.matchers.upstream_ip_port import factories
from twisted_envoy.state.stream_info import StreamInfo

NET = {"address_prefix": "10.0.0.0", "prefix_len": 8}


class FactoryTests(SynchronousTestCase):
    def matches(self, host: str, port: int, **fields: Any) -> bool:
        (factory,) = factories
        config = configOf(factory.typeURL, fields)
        match = factory.build(config, Context())
        self.assertEqual(unreadFields(config), [])
        info = StreamInfo(0.0)
        self.assertFalse(match(info))
        saveAddress(info, IPv4Address("TCP", host, port))
        return match(info)

    def test_ranges(self) -> None:
        """The address, the port with both ends of its range, or both; nothing without a state."""
        ports = {"start": 80, "end": 81}
        for host, port, byNet, byPort in (
            ("10.1.1.1", 80, True, True),
            ("10.1.1.1", 82, True, False),
            ("11.1.1.1", 81, False, True),
            ("11.1.1.1", 79, False, False),
        ):
            self.assertIs(self.matches(host, port, upstream_ip=NET), byNet)
            self.assertIs(self.matches(host, port, upstream_port_range=ports), byPort)
            both = self.matches(host, port, upstream_ip=NET, upstream_port_range=ports)
            self.assertIs(both, byNet and byPort)

    def test_errors(self) -> None:
        """Envoy's words."""
        nothing = self.assertRaises(ConfigError, self.matches, "10.1.1.1", 80)
        wrong = self.assertRaises(
            ConfigError, self.matches, "10.1.1.1", 80, upstream_ip={"address_prefix": "x"}
        )
        self.assertTrue(nothing.problem.startswith("Invalid UpstreamIpPortMatcher configuration"))
        self.assertEqual(wrong.problem, "malformed IP address: x")
