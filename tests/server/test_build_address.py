"""Addresses of a config."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import addressOf
from tests.extensions.support import configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.internal import InternalAddress
from twisted_envoy.server.build_address import buildAddress, isUDP


def address(content):
    """A config.core.v3.Address as a View."""
    return configOf("envoy.config.core.v3.Address", content)


def socket(host, **fields):
    """One with a socket address."""
    fields = {"port_value": 80, **fields}
    return address({"socket_address": {"address": host, **fields}})


class BuildAddressTests(SynchronousTestCase):
    """Envoy's addresses are Twisted's."""

    def test_kinds(self):
        """Every kind; nothing in them is left unread."""
        for text, expected in (
            ("1.2.3.4:80", IPv4Address("TCP", "1.2.3.4", 80)),
            ("::1:80", IPv6Address("TCP", "::1", 80)),
            ("/a/b", UNIXAddress(b"/a/b")),
            ("@a", UNIXAddress(b"\0a")),
            ("internal:a/b", InternalAddress("a", "b")),
        ):
            config = address(addressOf(text))
            self.assertEqual(buildAddress(config), expected)
            if text != "/a/b":
                self.assertEqual(unreadFields(config), [])

    def test_canonical(self):
        """An IPv6 address gets its shortest text."""
        for text in ("0:0:0:0:0:0:0:1", "0000::0001"):
            self.assertEqual(buildAddress(socket(text)).host, "::1")
        self.assertEqual(buildAddress(socket("fe80::1%5")).host, "fe80::1%5")

    def test_malformed(self):
        """What is no IP address is refused in Envoy's words, with the hint for hosts."""
        for host in ("localhost", "1.2.3", "1.2.3.4.5", ":::", "::1%nonsense-interface", "1::2::3"):
            with self.assertRaises(ConfigError) as caught:
                buildAddress(socket(host), ". A hint")
            self.assertEqual(caught.exception.problem, f"malformed IP address: {host}. A hint")
            self.assertIsNotNone(caught.exception.position)

    def test_namedPort(self):
        """A named port needs a resolver."""
        config = address({"socket_address": {"address": "1.2.3.4", "named_port": "http"}})
        with self.assertRaisesRegex(ConfigError, "IP resolver can't handle port specifier type"):
            buildAddress(config)

    def test_resolverName(self):
        """envoy.ip is the one resolver."""
        self.assertEqual(buildAddress(socket("1.2.3.4", resolver_name="envoy.ip")).port, 80)
        with self.assertRaisesRegex(ConfigError, "Unknown address resolver: mine"):
            buildAddress(socket("1.2.3.4", resolver_name="mine"))

    def test_pipes(self):
        """Paths that are too long, and modes of what has none."""
        path = "/" + "x" * 106
        self.assertEqual(buildAddress(address(addressOf(path))).name, path.encode())
        with self.assertRaisesRegex(ConfigError, "exceeds maximum UNIX domain socket path size"):
            buildAddress(address(addressOf(path + "x" * 2)))
        with self.assertRaisesRegex(ConfigError, "Cannot set mode for Abstract AF_UNIX sockets"):
            buildAddress(address({"pipe": {"path": "@a", "mode": 384}}))

    def test_udp(self):
        """A datagram socket's address is told apart."""
        self.assertTrue(isUDP(socket("1.2.3.4", protocol="UDP")))
        self.assertFalse(isUDP(socket("1.2.3.4")))
        self.assertFalse(isUDP(address(addressOf("/x"))))
