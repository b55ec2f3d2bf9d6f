"""
Tests for twisted_envoy.internal.address.
"""

from __future__ import annotations

from dataclasses import FrozenInstanceError

from twisted.internet.interfaces import IAddress
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twisted_envoy.internal import CLIENT_ADDRESS, InternalAddress


class InternalAddressTests(SynchronousTestCase):
    """Its text, equality and hash."""

    def test_text(self) -> None:
        """The text is Envoy's, with a trailing slash when there is no endpoint id."""
        self.assertEqual(str(InternalAddress("encap", "ep1")), "envoy://encap/ep1")
        self.assertEqual(str(InternalAddress("encap")), "envoy://encap/")
        self.assertEqual(str(CLIENT_ADDRESS), "envoy://internal_client_address/")

    def test_value(self) -> None:
        """Equal addresses are equal and have one hash; it is an IAddress."""
        one, other = InternalAddress("a", "1"), InternalAddress("a", "1")
        self.assertEqual(one, other)
        self.assertEqual(len({one, other, InternalAddress("a", "2")}), 2)
        self.assertTrue(verifyObject(IAddress, one))

    def test_frozen(self) -> None:
        """It can't be changed."""
        with self.assertRaises(FrozenInstanceError):
            InternalAddress("a").name = "b"  # type: ignore[misc]
