"""Which cluster and host a connection goes to."""

from __future__ import annotations

from tests.extensions.filters.network.tcp_proxy.support import ProxyTestCase
from twisted_envoy.extensions.filters.network.tcp_proxy.choice import NoUpstream


class ChoiceTests(ProxyTestCase):
    """Why there may be no host."""

    def test_flags(self):
        """Each reason has a flag, and is a fault of the stream."""
        self.assertEqual(str(NoUpstream("UH", "why").flag), "UH")
        for fields, flag in (
            ({"cluster": "nope"}, "NC"),
            ({"clusterFields": {"load_assignment": None}}, "UH"),
            (
                {"clusterFields": {"circuit_breakers": {"thresholds": [{"max_connections": 0}]}}},
                "UO",
            ),
        ):
            self.start(listen=False, **fields)
            self.envoy.connect("ingress")
            self.assertIn(f"flags={flag} ", self.envoy.lines("log")[0])
