"""Tests for twisted_envoy.http.routes.timeouts."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import viewOfYAML
from twisted_envoy.http.routes.timeouts import buildMaxStreamDuration


class MaxStreamDurationTests(SynchronousTestCase):
    def test_fields(self) -> None:
        """max_stream_duration, grpc_timeout_header_max, grpc_timeout_header_offset."""
        view = viewOfYAML(
            "{max_stream_duration: 1s, grpc_timeout_header_max: 2s, "
            "grpc_timeout_header_offset: 0.5s}",
            "envoy.config.route.v3.RouteAction.MaxStreamDuration",
        )
        self.assertEqual(buildMaxStreamDuration(view), (1.0, 2.0, 0.5))
