"""Tests for the factory of detection by a header."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.extensions.support import Context, configOf, unreadFields
from tests.http.edge.support import connectionFrom, requestOf
from twisted_envoy.extensions.http.original_ip_detection.custom_header import factories
from twisted_envoy.http.edge import Refusal
from twisted_envoy.interfaces.extensions import IExtensionFactory

FACTORY = factories[0]


def detect(*values, **fields):
    """What is found in a request with these values."""
    config = configOf(FACTORY.typeURL, {"header_name": "X-Real", **fields})
    detector = FACTORY.build(config, Context())
    assert unreadFields(config) == []
    return detector(requestOf(*((b"x-real", value) for value in values)), connectionFrom())


class CustomHeaderFactoryTests(SynchronousTestCase):
    """build."""

    def test_interface(self) -> None:
        """It is a factory."""
        verifyObject(IExtensionFactory, FACTORY)

    def test_addresses(self) -> None:
        """The first value, whole."""
        for values, expected in (
            ((b"10.1.1.1",), "10.1.1.1"),
            ((b"9.9.9.9", b"8.8.8.8"), "9.9.9.9"),
            ((b"9.9.9.9:5",), None),
            ((b"[::1]",), None),
            ((), None),
        ):
            found = detect(*values)
            self.assertEqual(found.address and found.address.host, expected, values)
            self.assertTrue(found.skipsAppend)
            self.assertFalse(found.trusted)

    def test_trusted(self) -> None:
        """If the config says so."""
        fields = {"allow_extension_to_set_address_as_trusted": True}
        self.assertTrue(detect(b"10.1.1.1", **fields).trusted)

    def test_rejected(self) -> None:
        """With the configured status, if that is an error; else 403."""
        for code, expected in ((401, 401), ("ServiceUnavailable", 503), ("OK", 403)):
            refusal = detect(reject_with_status={"code": code})
            self.assertIsInstance(refusal, Refusal)
            self.assertEqual((refusal.status, refusal.close), (expected, False))
        self.assertEqual(
            detect(b"1.1.1.1", reject_with_status={"code": 401}).address.host, "1.1.1.1"
        )
