"""Tests for twisted_envoy.http.routes.route."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import action, match, only, problem, routes, tableOf, wrong
from twisted_envoy.http.routes.timeouts import MaxStreamDuration


class RouteTests(SynchronousTestCase):
    def test_timeouts(self) -> None:
        """timeout, idle_timeout, flush_timeout, max_stream_duration and the gRPC ones."""
        entry = action(
            "timeout: 0s, idle_timeout: 2s, flush_timeout: 3s, max_grpc_timeout: 4s, "
            "grpc_timeout_offset: 1s, max_stream_duration: {max_stream_duration: 5s, "
            "grpc_timeout_header_max: 0s}"
        )
        self.assertEqual((entry.timeout, entry.idleTimeout, entry.flushTimeout), (0.0, 2.0, 3.0))
        self.assertEqual((entry.maxGrpcTimeout, entry.grpcTimeoutOffset), (4.0, 1.0))
        self.assertEqual(entry.maxStreamDuration, MaxStreamDuration(5.0, 0.0, None))
        plain = action("")
        self.assertEqual((plain.timeout, plain.idleTimeout), (15.0, None))
        self.assertIsNone(plain.maxStreamDuration)

    def test_priority(self) -> None:
        """priority, which circuit breakers know."""
        self.assertEqual(action("").priority, "default")
        self.assertEqual(action("priority: HIGH").priority, "high")

    def test_metadata(self) -> None:
        """metadata is the route's; metadata_match chooses hosts."""
        entry = only(
            "{match: {prefix: /}, metadata: {filter_metadata: {ns: {k: 1}}}, route: {cluster: a, "
            "metadata_match: {filter_metadata: {envoy.lb: {stage: prod}, other: {x: 1}}}}}"
        )
        self.assertEqual(entry.metadata, {"ns": {"k": 1}})
        self.assertEqual(entry.metadataMatch, {"stage": "prod"})

    def test_bufferLimit(self) -> None:
        """request_body_buffer_limit and its older name, on a route and above it."""
        match_ = "match: {prefix: /}, route: {cluster: a}"
        old, new = "per_request_buffer_limit_bytes: 5", "request_body_buffer_limit: 6"
        for route, host, expected in (
            ("", "", None),
            (f", {old}", "", 5),
            (f", {old}, {new}", "", 6),
            ("", old, 5),
            ("", f"{old}\n  {new}", 6),
            (f", {old}", new, 5),
        ):
            entry = match(tableOf(routes(f"{{{match_}{route}}}", host=host)))
            assert entry is not None
            self.assertEqual(entry.requestBufferLimit, expected)

    def test_decorator(self) -> None:
        """decorator is accepted: there is no tracing that it could name."""
        only("{match: {prefix: /}, route: {cluster: a}, decorator: {operation: x}}")

    def test_connect(self) -> None:
        """connect_matcher is told to who asks."""
        table = tableOf(
            routes("{match: {connect_matcher: {}}, route: {cluster: a}}"),
        )
        self.assertTrue(table.virtualHosts[0].routes._connect[0].isConnectMatch)

    def test_plugins(self) -> None:
        """Cluster specifier plugins are not there."""
        route = "{match: {prefix: /}, route: {cluster_specifier_plugin: x}}"
        self.assertEqual(
            wrong(route), "Unknown cluster specifier plugin name: x is used in the route"
        )
        defined = "{extension: {name: x, typed_config: {'@type': type.googleapis.com/\
google.protobuf.Struct}}}"
        self.assertEqual(
            problem(routes(route, config=f"cluster_specifier_plugins: [{defined}]")),
            "cluster_specifier_plugin is not implemented by twisted_envoy",
        )
