"""What a failure says of itself."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h2 import failures
from twisted_envoy.codec.h2.failures import ConnectionFailure, MessageFailure


class FailureTests(SynchronousTestCase):
    """Both kinds."""

    def test_attributes(self) -> None:
        """Code and details of the one, details and kind of the other."""
        failure = ConnectionFailure(3)
        self.assertEqual((failure.code, failure.details), (3, failures.PROTOCOL))
        message = MessageFailure("http2.x", True)
        self.assertEqual((message.details, message.violation), ("http2.x", True))
        self.assertEqual(str(message), "http2.x")
