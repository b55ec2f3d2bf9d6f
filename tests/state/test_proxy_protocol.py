"""What a connection was told."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.state.proxy_protocol import ProxyProtocolState


class ProxyProtocolStateTests(SynchronousTestCase):
    """A filter state object."""

    def test_prints(self) -> None:
        """Nothing, as Envoy's; pools are separated by the transport socket."""
        told = ProxyProtocolState(None, None, ((2, b"x"),))
        self.assertEqual(told.tlvs, ((2, b"x"),))
        shown = told.plainText(), told.typed(), told.field("ip"), told.hashKey()
        self.assertEqual(shown, (None,) * 4)
