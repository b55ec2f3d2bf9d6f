"""Tests for twisted_envoy.extensions.common.tls.compliance."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf
from twisted_envoy.extensions.common.tls.compliance import POLICIES
from twisted_envoy.extensions.common.tls.parameters import readParameters

TYPE = "envoy.extensions.transport_sockets.tls.v3.TlsParameters"


class PolicyTests(SynchronousTestCase):
    """The policies that the schema has."""

    def test_all(self):
        """Each of them is known."""
        message = configOf(TYPE).message
        values = message.DESCRIPTOR.fields_by_name["compliance_policies"].enum_type.values

        self.assertEqual({each.name for each in values}, set(POLICIES))
        for name in POLICIES:
            readParameters(configOf(TYPE, {"compliance_policies": [name]}), True)
