"""`stats_config`, as the admin interface shows it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.errors import ConfigError
from twisted_envoy.stats.prometheus import renderPrometheus
from twisted_envoy.stats.query import StatsQuery
from twisted_envoy.testing import MemoryEnvoy

CLUSTER = """
static_resources:
  clusters:
  - name: c
    load_assignment: {cluster_name: c}
"""


class StatsConfigTests(SynchronousTestCase):
    """What of stats is seen, and with which tags and buckets."""

    def start(self, config: str) -> MemoryEnvoy:
        envoy = MemoryEnvoy(f"stats_config: {config}{CLUSTER}")
        self.addCleanup(envoy.stop)
        return envoy

    def prometheus(self, envoy: MemoryEnvoy) -> str:
        return renderPrometheus(envoy.server.store, StatsQuery())

    def test_tags(self) -> None:
        """stats_tags: fixed ones, and what a regex finds."""
        text = self.prometheus(
            self.start(
                "{stats_tags: [{tag_name: a.b, fixed_value: v}, "
                "{tag_name: kind, regex: '_(cx|rq)_'}]}"
            )
        )

        self.assertIn(
            'envoy_cluster_upstream__total{a_b="v",kind="cx",envoy_cluster_name="c"} 0\n', text
        )

    def test_noDefaultTags(self) -> None:
        """use_all_default_tags: false, but for those that are named."""
        text = self.prometheus(self.start("{use_all_default_tags: false}"))
        self.assertIn("envoy_cluster_c_upstream_cx_total{} 0\n", text)

        text = self.prometheus(
            self.start(
                "{use_all_default_tags: false, stats_tags: [{tag_name: envoy.cluster_name}]}"
            )
        )
        self.assertIn('envoy_cluster_upstream_cx_total{envoy_cluster_name="c"} 0\n', text)

    def test_override(self) -> None:
        """allow_default_tag_overrides: a rule of the config stands for Envoy's of its name."""
        text = self.prometheus(
            self.start(
                "{allow_default_tag_overrides: true, "
                "stats_tags: [{tag_name: envoy.cluster_name, fixed_value: mine}]}"
            )
        )

        self.assertIn('{envoy_cluster_name="mine"}', text)
        self.assertNotIn('envoy_cluster_name="c"', text)

    def test_matcher(self) -> None:
        """stats_matcher: what it rejects counts and is not seen."""
        envoy = self.start("{stats_matcher: {exclusion_list: {patterns: [{prefix: cluster.}]}}}")
        self.assertNotIn("cluster.c.upstream_cx_total", envoy.server.store.counters)
        self.assertIn("cluster_manager.cluster_added", envoy.server.store.counters)

        envoy = self.start("{stats_matcher: {inclusion_list: {patterns: [{prefix: cluster.}]}}}")
        self.assertIn("cluster.c.upstream_cx_total", envoy.server.store.counters)
        self.assertNotIn("cluster_manager.cluster_added", envoy.server.store.counters)

        envoy = self.start("{stats_matcher: {reject_all: true}}")
        self.assertEqual(list(envoy.server.store.numbers()), [])

    def test_buckets(self) -> None:
        """histogram_bucket_settings: the first whose match fits."""
        envoy = self.start(
            "{histogram_bucket_settings: [{match: {prefix: cluster.}, buckets: [10, 2.5]}]}"
        )

        histogram = envoy.server.store.histograms["cluster.c.upstream_cx_connect_ms"]
        self.assertEqual(histogram.buckets, (2.5, 10.0))

    def test_fixedWithoutName(self) -> None:
        """A fixed value needs no name, as in Envoy."""
        self.start("{stats_tags: [{fixed_value: x}]}")

    def test_mistakes(self) -> None:
        """Envoy's texts, with the place."""
        for config, text in (
            ("{stats_tags: [{regex: x}]}", "tag_name cannot be empty"),
            (
                "{stats_tags: [{tag_name: ''}]}",
                "No regex specified for tag specifier and no default regex for name: ''",
            ),
            (
                "{stats_tags: [{tag_name: foo}]}",
                "No regex specified for tag specifier and no default regex for name: 'foo'",
            ),
            ("{stats_tags: [{tag_name: foo, regex: '(('}]}", "Invalid regex '((': "),
        ):
            problem = self.assertRaises(ConfigError, self.start, config)
            self.assertIn(text, str(problem))
