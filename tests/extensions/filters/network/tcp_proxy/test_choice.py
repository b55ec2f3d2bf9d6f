"""Which cluster and host a connection goes to, and what it is given."""

from __future__ import annotations

from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.network.tcp_proxy.support import ProxyTestCase
from twisted_envoy.extensions.filters.network.tcp_proxy.choice import NoUpstream, optionsOf
from twisted_envoy.interfaces.transport_sockets import TransportSocketOptions
from twisted_envoy.state.stream_info import StreamInfo


class Hop:
    """An internal transport, two hops from the outside."""

    hops: ClassVar[int] = 2


class OptionsTests(SynchronousTestCase):
    """What the upstream connection inherits."""

    def test_nothing(self):
        """A socket's connection without shared state passes nothing on."""
        self.assertEqual(optionsOf(StreamInfo(0.0), object()), TransportSocketOptions())

    def test_hops(self):
        """A hop's connection counts."""
        self.assertEqual(optionsOf(StreamInfo(0.0), Hop()).hops, 2)


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
