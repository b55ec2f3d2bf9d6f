"""Tests for the factory of detection by x-forwarded-for."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.extensions.support import Context, configOf, unreadFields
from tests.http.edge.support import connectionFrom, requestOf
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.http.original_ip_detection.xff import factories
from twisted_envoy.interfaces.extensions import IExtensionFactory

FACTORY = factories[0]
TEN = {"cidrs": [{"address_prefix": "10.0.0.0", "prefix_len": 8}]}


def detect(value, peer="10.0.0.9", **fields):
    """host, trusted, skipsAppend."""
    config = configOf(FACTORY.typeURL, fields)
    detector = FACTORY.build(config, Context())
    assert unreadFields(config) == []
    found = detector(requestOf((b"x-forwarded-for", value)), connectionFrom(peer))
    return found.address and found.address.host, found.trusted, found.skipsAppend


class XFFFactoryTests(SynchronousTestCase):
    """build."""

    def test_interface(self) -> None:
        """It is a factory."""
        verifyObject(IExtensionFactory, FACTORY)

    def test_hops(self) -> None:
        """Counted from the right; none by default."""
        value = b"1.1.1.1,2.2.2.2"
        self.assertEqual(detect(value), ("2.2.2.2", False, True))
        self.assertEqual(detect(value, xff_num_trusted_hops=1), ("1.1.1.1", False, True))

    def test_addresses(self) -> None:
        """Of trusted proxies; an empty list is none."""
        value = b"1.1.1.1,10.0.0.1"
        self.assertEqual(detect(value, xff_trusted_cidrs=TEN), ("1.1.1.1", False, True))
        self.assertEqual(detect(value, "9.9.9.9", xff_trusted_cidrs=TEN), (None, False, False))
        self.assertEqual(detect(value, xff_trusted_cidrs={}), ("10.0.0.1", False, True))

    def test_append(self) -> None:
        """skip_xff_append is on unless it is off."""
        self.assertFalse(detect(b"1.1.1.1", skip_xff_append=False)[2])

    def test_notBoth(self) -> None:
        """In Envoy's words."""
        error = self.assertRaises(
            ConfigError, detect, b"", xff_num_trusted_hops=1, xff_trusted_cidrs=TEN
        )
        self.assertIn("Cannot set both xff_num_trusted_hops and xff_trusted_cidrs", str(error))
