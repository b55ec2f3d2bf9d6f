"""Mistakes in what is not implemented."""

from __future__ import annotations

from tests.bootstraps import proxied
from tests.server.refusing import RefusalTestCase
from twisted_envoy.errors import UnsupportedField


class TLVTests(RefusalTestCase):
    """proxy_protocol_tlvs."""

    def test_neither(self):
        """Without a value or a format, in Envoy's words."""
        self.assertRefused(
            proxied(proxy_protocol_tlvs=[{"type": 1}]),
            "Invalid TLV configuration: one of 'value' or 'format_string' must be set.",
        )

    def test_none(self):
        """Without a mistake they are not implemented."""
        problem = self.refused(proxied(proxy_protocol_tlvs=[{"type": 1, "value": "aGk="}]))
        self.assertIsInstance(problem, UnsupportedField)
