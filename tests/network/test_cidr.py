"""IP prefixes and longest-prefix lookup."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.cidr import (
    CIDR,
    CIDRTable,
    ipKey,
    matchKey,
    parseAddress,
    parseCIDR,
)

networks = st.one_of(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
        lambda pair: ipaddress.ip_network(pair, strict=False)
    ),
    st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128)).map(
        lambda pair: ipaddress.IPv6Network(pair, strict=False)
    ),
)
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


class ParseTests(SynchronousTestCase):
    def test_addressesAreReadAsEnvoyReadsThem(self):
        """Both families are read, a zone is dropped."""
        self.assertEqual(parseAddress("10.0.0.1"), (32, 0x0A000001))
        self.assertEqual(parseAddress("::1"), (128, 1))
        self.assertEqual(parseAddress("fe80::1%lo"), (128, (0xFE80 << 112) + 1))

    def test_whatIsNoAddressIsRefused(self):
        """Envoy's words name the text."""
        for text in ("nope", "1.2.3", "01.2.3.4", " 1.2.3.4", "1.2.3.4:80", "", "::1\0"):
            with self.assertRaises(ValueError) as caught:
                parseAddress(text)
            self.assertEqual(str(caught.exception), f"malformed IP address: {text}")

    def test_hostBitsAreCleared(self):
        """A prefix is the same whatever stands behind it."""
        self.assertEqual(parseCIDR("10.1.2.3", 8), parseCIDR("10.0.0.0", 8))

    def test_lengthsAreCutAndDefaultToZero(self):
        """64 bits of an IPv4 address are 32, none given are none."""
        self.assertEqual(parseCIDR("10.1.2.3", 64), CIDR(32, 0x0A010203, 32))
        self.assertEqual(parseCIDR("10.1.2.3", None), CIDR(32, 0, 0))
        self.assertEqual(parseCIDR("::1", 128), CIDR(128, 1, 128))


class KeyTests(SynchronousTestCase):
    def test_mappedAddressesAreIPv4(self):
        """A dual-stack listener's clients match IPv4 prefixes."""
        mapped = IPv6Address("TCP", "::ffff:127.0.0.1", 80)

        self.assertEqual(ipKey(mapped), (32, 0x7F000001))

    def test_otherAddressesAreNotIP(self):
        """They have no key, and are matched as 255.255.255.255."""
        self.assertIsNone(ipKey(UNIXAddress(b"/a")))
        self.assertEqual(matchKey(None), (32, 0xFFFFFFFF))
        self.assertEqual(matchKey(IPv4Address("TCP", "1.2.3.4", 1)), (32, 0x01020304))


class TableTests(SynchronousTestCase):
    @given(st.lists(networks, max_size=12), addresses)
    def test_longestPrefixIsFound(self, known, address):
        """The table agrees with asking each network."""
        table = CIDRTable(
            [
                (CIDR(net.max_prefixlen, int(net.network_address), net.prefixlen), net)
                for net in known
            ],
            "none",
        )

        found = table.find((address.max_prefixlen, int(address)))

        fitting = [net for net in known if net.version == address.version and address in net]
        self.assertEqual(found, max(fitting, key=lambda net: net.prefixlen, default="none"))

    @given(networks, addresses)
    def test_contains(self, net, address):
        """A prefix says the same."""
        cidr = CIDR(net.max_prefixlen, int(net.network_address), net.prefixlen)
        inside = net.version == address.version and address in net
        self.assertIs(cidr.contains((address.max_prefixlen, int(address))), inside)
