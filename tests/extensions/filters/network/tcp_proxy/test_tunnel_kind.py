"""What the runtime says about tunnels."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.filters.network.tcp_proxy.tunnel_kind import (
    TunnelSwitches,
    kindOver,
)
from twisted_envoy.server.runtime import Runtime

ALL = {
    "twisted_envoy.http1_tunnel_half_close": True,
    "twisted_envoy.tunnel.connect_response_timeout_ms": 250,
    "twisted_envoy.tunnel.propagate_connect_failure": True,
}


class SwitchTests(SynchronousTestCase):
    """Each key, and its absence."""

    def test_defaults(self):
        """Without a word everything is as in Envoy."""
        switches = TunnelSwitches(Runtime())
        self.assertEqual(
            (switches.answersLate(), switches.responseTimeout(), switches.propagatesFailure()),
            (False, 0.0, False),
        )

    def test_set(self):
        """They are asked for, so that nobody reports them; a time is not negative."""
        runtime = Runtime(ALL)
        switches = TunnelSwitches(runtime)
        self.assertEqual(
            (switches.answersLate(), switches.responseTimeout(), switches.propagatesFailure()),
            (True, 0.25, True),
        )
        self.assertEqual(runtime.unasked(), [])
        negative = Runtime({"twisted_envoy.tunnel.connect_response_timeout_ms": -5})
        self.assertEqual(TunnelSwitches(negative).responseTimeout(), 0.0)

    def test_kinds(self):
        """Only HTTP/1.1 ends in both directions at once, and may keep the answer."""
        for values, late in (({}, False), (ALL, True)):
            switches = TunnelSwitches(Runtime(values))
            over1, over2 = kindOver(True, switches), kindOver(False, switches)
            self.assertEqual((over1.endsTogether, over1.answersLate), (True, late))
            self.assertEqual((over2.endsTogether, over2.answersLate), (False, False))
