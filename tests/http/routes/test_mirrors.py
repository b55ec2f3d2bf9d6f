"""Tests for twisted_envoy.http.routes.mirrors."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import (
    Context,
    action,
    match,
    problem,
    request,
    requestInfo,
    routes,
    tableOf,
    wrongAction,
)


class MirrorTests(SynchronousTestCase):
    def test_policy(self) -> None:
        """request_mirror_policies: where copies go, and which of them."""
        one, two = action(
            "request_mirror_policies: [{cluster: b, trace_sampled: false}, {cluster_header: X-C, "
            "runtime_fraction: {default_value: {numerator: 50}, runtime_key: share}, "
            "disable_shadow_host_suffix_append: true, host_rewrite_literal: other.host, "
            "request_headers_mutations: [{append: {header: {key: x, value: v}}}]}]"
        ).mirrors
        self.assertEqual(one.clusterName(request()), "b")
        self.assertTrue(one.fraction(99))
        self.assertTrue(one.appendsShadow)
        self.assertIsNone(one.edit)
        self.assertIsNone(one.hostRewrite)
        headers = request(x_c="c")
        self.assertEqual(two.clusterName(headers), "c")
        self.assertEqual([two.fraction(value) for value in (49, 50)], [True, False])
        self.assertFalse(two.appendsShadow)
        self.assertEqual(two.hostRewrite, b"other.host")
        assert two.edit is not None
        two.edit(headers, requestInfo())
        self.assertEqual(headers[b"x"], b"v")

    def test_levels(self) -> None:
        """The most specific level that has any is it."""
        for host, route, expected in (
            ("", "", "a"),
            ("request_mirror_policies: [{cluster: b}]", "", "b"),
            (
                "request_mirror_policies: [{cluster: b}]",
                ", request_mirror_policies: [{cluster: c}]",
                "c",
            ),
        ):
            yaml = routes(
                f"{{match: {{prefix: /}}, route: {{cluster: a{route}}}}}",
                host=host,
                config="request_mirror_policies: [{cluster: a}]",
            )
            entry = match(tableOf(yaml))
            assert entry is not None
            self.assertEqual([one.clusterName(request()) for one in entry.mirrors], [expected])

    def test_errors(self) -> None:
        """In Envoy's words."""
        self.assertEqual(
            wrongAction("request_mirror_policies: [{cluster: zz}]"),
            "route: unknown shadow cluster 'zz'",
        )
        unchecked = routes(
            "{match: {prefix: /}, route: {cluster: a, request_mirror_policies: [{cluster: zz}]}}",
            config="validate_clusters: false",
        )
        tableOf(unchecked, Context())
        self.assertRaises(AssertionError, problem, unchecked)
        self.assertIn("Exactly one of cluster", wrongAction("request_mirror_policies: [{}]"))
        self.assertEqual(
            wrongAction("request_mirror_policies: [{cluster: a, cluster_header: x}]"),
            "Only one of cluster 'a' or cluster_header 'x' in request mirror policy can be "
            "specified",
        )
