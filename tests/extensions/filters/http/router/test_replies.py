"""Tests for router.replies."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.http import Reset
from twisted_envoy.extensions.filters.http.router.replies import FLAGS, resetBody, resetDetails
from twisted_envoy.state.stream_info import RESPONSE_FLAGS


class RepliesTests(SynchronousTestCase):
    """Envoy's words."""

    def test_everyReasonHasAFlag(self):
        self.assertEqual(set(FLAGS), set(Reset))
        self.assertLessEqual(set(FLAGS.values()), set(RESPONSE_FLAGS))

    def test_details(self):
        self.assertEqual(
            resetDetails(Reset.REMOTE, "a b", True),
            "upstream_reset_after_response_started{remote_reset|a_b}",
        )

    def test_body(self):
        self.assertEqual(
            resetBody(Reset.REMOTE, "why", True),
            b"upstream connect error or disconnect/reset before headers. retried and the latest "
            b"reset reason: remote reset, transport failure reason: why",
        )
