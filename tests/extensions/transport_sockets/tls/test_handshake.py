"""Tests for twisted_envoy.extensions.transport_sockets.tls.handshake."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.transport_sockets.tls.handshake import NOBODY


class NobodyTests(SynchronousTestCase):
    """Who stands in for a protocol."""

    def test_nothing(self):
        """Bytes and ends are nothing to it."""
        self.assertIsNone(NOBODY.dataReceived(b"x"))
        self.assertIsNone(NOBODY.connectionLost(Failure(ConnectionDone())))
