"""Tests for twisted_envoy.http.edge.local_address."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.edge import local_address
from twisted_envoy.http.edge.local_address import interfaceAddresses, localAddress


class LocalAddressTests(SynchronousTestCase):
    """This machine's address."""

    def test_interfaces(self) -> None:
        """Loopback is among them; every one can be bound."""
        addresses = list(interfaceAddresses())

        self.assertIn("127.0.0.1", addresses)
        for address in addresses:
            with socket.socket() as probe:
                probe.bind((address, 0))

    def test_choice(self) -> None:
        """The first that is not loopback, else loopback."""
        for addresses, expected in (
            (["127.0.0.1", "192.0.2.2", "192.0.2.3"], "192.0.2.2"),
            (["127.0.0.1"], "127.0.0.1"),
            ([], "127.0.0.1"),
        ):
            self.patch(local_address, "interfaceAddresses", lambda found=addresses: iter(found))
            self.assertEqual(localAddress(), expected)

    def test_routed(self) -> None:
        """Elsewhere than on Linux: where a datagram would come from, if it could be sent."""

        class Probe:
            def __init__(self, fails):
                self.fails = fails

            def connect(self, address):
                if self.fails:
                    raise OSError("unreachable")

            def getsockname(self):
                return ("192.0.2.7", 5)

        found = [list(local_address._routedAddress(Probe(fails))) for fails in (False, True)]
        self.assertEqual(found, [["192.0.2.7"], []])
