"""Tests for the factory of request ids that are UUIDs."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.extensions.support import Context, configOf, unreadFields
from tests.http.edge.support import requestOf
from twisted_envoy.extensions.request_id.uuid import factories
from twisted_envoy.interfaces.extensions import IExtensionFactory

FACTORY = factories[0]
GIVEN = b"0d2a7d64-66b1-9d39-a39e-a6c5dd6b1f3f"


class UUIDFactoryTests(SynchronousTestCase):
    """build."""

    def test_interface(self) -> None:
        """It is a factory."""
        verifyObject(IExtensionFactory, FACTORY)

    def test_packTraceReason(self) -> None:
        """On unless it is off."""
        for fields, expected in (({}, b"4"), ({"pack_trace_reason": False}, b"9")):
            config = configOf(
                FACTORY.typeURL, {**fields, "use_request_id_for_trace_sampling": False}
            )
            headers = requestOf((b"x-request-id", GIVEN))
            FACTORY.build(config, Context()).set(headers, True, True)
            self.assertEqual(unreadFields(config), [])
            self.assertEqual(headers[b"x-request-id"][14:15], expected)
