"""Tests for twisted_envoy.stats.prometheus; expected texts were printed by Envoy 1.40."""

from __future__ import annotations

from math import nan

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.stats.prometheus import longNumber, renderPrometheus
from twisted_envoy.stats.query import StatsQuery, StatsQueryError
from twisted_envoy.stats.scope import Store


class RenderPrometheusTests(SynchronousTestCase):
    def test_countersThenGauges(self) -> None:
        """Metrics of one name stand under one TYPE line, counters before gauges."""
        store = Store()
        store.gauge("tcp.a.upstream_flush_active").value = 2
        store.counter("tcp.b.idle_timeout").value += 1
        store.counter("tcp.a.idle_timeout")
        store.counter("filesystem.write_failed")

        self.assertEqual(
            renderPrometheus(store, StatsQuery()),
            "# TYPE envoy_filesystem_write_failed counter\n"
            "envoy_filesystem_write_failed{} 0\n"
            "# TYPE envoy_tcp_idle_timeout counter\n"
            'envoy_tcp_idle_timeout{envoy_tcp_prefix="a"} 0\n'
            'envoy_tcp_idle_timeout{envoy_tcp_prefix="b"} 1\n'
            "# TYPE envoy_tcp_upstream_flush_active gauge\n"
            'envoy_tcp_upstream_flush_active{envoy_tcp_prefix="a"} 2\n',
        )

    def test_filterAndUsedOnly(self) -> None:
        """The same query words as in the other views."""
        store = Store()
        store.counter("a").value += 1
        store.counter("b")

        text = renderPrometheus(store, StatsQuery(usedOnly=True))

        self.assertEqual(text, "# TYPE envoy_a counter\nenvoy_a{} 1\n")
        self.assertEqual(renderPrometheus(store, StatsQuery(type="Gauges")), "")

    def test_labelsAreEscaped(self) -> None:
        """Quotes and backslashes in a name do not end the label."""
        store = Store()
        store.counter('tcp.q"\\.x')

        self.assertIn('{envoy_tcp_prefix="q\\"\\\\"}', renderPrometheus(store, StatsQuery()))

    def test_histogram(self) -> None:
        """Cumulative buckets with le labels, sum with all its digits, count."""
        store = Store()
        for value in (30, 34, 35):
            store.histogram("cluster.clu.upstream_cx_length_ms").record(value)
        store.merge()

        lines = renderPrometheus(store, StatsQuery()).splitlines()

        name = "envoy_cluster_upstream_cx_length_ms"
        label = 'envoy_cluster_name="clu"'
        self.assertEqual(lines[0], f"# TYPE {name} histogram")
        self.assertEqual(lines[1], f'{name}_bucket{{{label},le="0.5"}} 0')
        self.assertEqual(lines[6], f'{name}_bucket{{{label},le="50"}} 3')
        self.assertEqual(lines[19], f'{name}_bucket{{{label},le="3600000"}} 3')
        self.assertEqual(
            lines[20:],
            [
                f'{name}_bucket{{{label},le="+Inf"}} 3',
                f"{name}_sum{{{label}}} 100.47751464835579326972947455943",
                f"{name}_count{{{label}}} 3",
            ],
        )

    def test_summary(self) -> None:
        """Quantiles of the interval; nan when there are none."""
        store = Store()
        store.histogram("h")

        lines = renderPrometheus(store, StatsQuery(buckets="summary")).splitlines()

        self.assertEqual(lines[:2], ["# TYPE envoy_h summary", 'envoy_h{quantile="0"} nan'])
        self.assertEqual(lines[8], 'envoy_h{quantile="0.995"} nan')
        self.assertEqual(lines[-2:], ["envoy_h_sum{} 0", "envoy_h_count{} 0"])

    def test_histogramWithoutLabels(self) -> None:
        """Only le stands in the braces."""
        store = Store()
        store.histogram("h")

        self.assertIn('envoy_h_bucket{le="0.5"} 0\n', renderPrometheus(store, StatsQuery()))

    def test_textReadoutsOnlyWhenAsked(self) -> None:
        """They become gauges with the text as a label."""
        store = Store()
        store.textReadout("server.v").value = 'a"b'
        store.textReadout("cluster.c.v").value = "x"

        self.assertEqual(renderPrometheus(store, StatsQuery()), "")
        self.assertEqual(
            renderPrometheus(store, StatsQuery(textReadouts=True)),
            "# TYPE envoy_cluster_v gauge\n"
            'envoy_cluster_v{envoy_cluster_name="c",text_value="x"} 0\n'
            "# TYPE envoy_server_v gauge\n"
            'envoy_server_v{text_value="a\\"b"} 0\n',
        )

    def test_bucketModesThatItCannotShow(self) -> None:
        """The errors are Envoy's."""
        texts = [
            str(
                self.assertRaises(
                    StatsQueryError, renderPrometheus, Store(), StatsQuery(buckets=mode)
                )
            )
            for mode in ("disjoint", "detailed", "prometheusnative")
        ]

        self.assertEqual(texts[:2], ["unsupported prometheus histogram bucket mode"] * 2)
        self.assertIn("protobuf exposition", texts[2])

    def test_numbers(self) -> None:
        """As many digits as the float has, no exponent."""
        self.assertEqual(
            [longNumber(number) for number in (0, 0.5, 100, 1800000.0, nan)],
            ["0", "0.5", "100", "1800000", "nan"],
        )
