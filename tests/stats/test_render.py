"""Tests for twisted_envoy.stats.render; expected texts were printed by Envoy 1.40."""

from __future__ import annotations

import json
from math import nan

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.stats.query import StatsQuery
from twisted_envoy.stats.render import plainNumber, renderJSON, renderText, shortNumber
from twisted_envoy.stats.scope import Store

SUMMARY = (
    "P0(30.5,30.5) P25(30.5,30.5) P50(34.5,34.5) P75(35.5,35.5) P90(35.5,35.5) P95(35.5,35.5) "
    "P99(35.5,35.5) P99.5(35.5,35.5) P99.9(35.5,35.5) P100(35.5,35.5)"
)
CUMULATIVE = (
    "B0.5(0,0) B1(0,0) B5(0,0) B10(0,0) B25(0,0) B50(3,3) B100(3,3) B250(3,3) B500(3,3) "
    "B1000(3,3) B2500(3,3) B5000(3,3) B10000(3,3) B30000(3,3) B60000(3,3) B300000(3,3) "
    "B600000(3,3) B1.8e+06(3,3) B3.6e+06(3,3)"
)


def lengths() -> Store:
    """A store with one histogram of 30, 34 and 35 and one without values."""
    store = Store()
    histogram = store.histogram("cluster.c.upstream_cx_length_ms", "ms")
    for value in (34, 30, 35):
        histogram.record(value)
    store.histogram("empty")
    store.merge()
    return store


class RenderTextTests(SynchronousTestCase):
    def test_orderIsTextsThenNumbersThenHistograms(self) -> None:
        """Counters and gauges stand together by name."""
        store = lengths()
        store.counter("b").value += 2
        store.gauge("a").value = 1
        store.counter("c")
        store.textReadout("z").value = "v1"

        self.assertEqual(
            renderText(store, StatsQuery()),
            'z: "v1"\na: 1\nb: 2\nc: 0\n'
            f"cluster.c.upstream_cx_length_ms: {SUMMARY}\nempty: No recorded values\n",
        )

    def test_usedOnly(self) -> None:
        """What was never written is left out."""
        store = lengths()
        store.counter("unused")
        store.gauge("used").value = 0
        store.textReadout("unused")

        text = renderText(store, StatsQuery(usedOnly=True))

        self.assertEqual(text, f"used: 0\ncluster.c.upstream_cx_length_ms: {SUMMARY}\n")

    def test_types(self) -> None:
        """Each type shows its own kind only."""
        store = Store()
        store.counter("c")
        store.gauge("g")
        store.histogram("h")
        store.textReadout("t")

        texts = {
            kind: renderText(store, StatsQuery(type=kind))
            for kind in ("Counters", "Gauges", "Histograms", "TextReadouts")
        }

        self.assertEqual(
            texts,
            {
                "Counters": "c: 0\n",
                "Gauges": "g: 0\n",
                "Histograms": "h: No recorded values\n",
                "TextReadouts": 't: ""\n',
            },
        )

    def test_bucketModes(self) -> None:
        """Cumulative and disjoint buckets, detailed bins; `none` and `summary` are the default."""
        store = lengths()
        name = "cluster.c.upstream_cx_length_ms"

        def text(mode: str) -> str:
            return renderText(store, StatsQuery(usedOnly=True, buckets=mode))

        self.assertEqual(text("cumulative"), f"{name}: {CUMULATIVE}\n")
        self.assertIn(" B25(0,0) B50(3,3) B100(0,0) ", text("disjoint"))
        self.assertEqual(
            text("detailed"),
            f"{name}:\n  totals=30,1:1, 34,1:1, 35,1:1\n"
            f"  intervals=30,1:1, 34,1:1, 35,1:1\n  summary={SUMMARY}\n",
        )
        self.assertEqual(text("none"), f"{name}: {SUMMARY}\n")
        self.assertEqual(text("summary"), f"{name}: {SUMMARY}\n")

    def test_aQuietIntervalHasNoQuantiles(self) -> None:
        """The interval's quantiles are nan, the total's stay."""
        store = lengths()
        store.merge()

        text = renderText(store, StatsQuery(usedOnly=True))

        self.assertIn("P50(nan,34.5)", text)


class RenderJSONTests(SynchronousTestCase):
    def test_numbersAndTexts(self) -> None:
        """Exactly Envoy's spelling, without blanks."""
        store = Store()
        store.counter("b").value += 2
        store.gauge("a")
        store.textReadout("t").value = 'v"1'

        self.assertEqual(
            renderJSON(store, StatsQuery()),
            '{"stats":[{"name":"t","value":"v\\"1"},{"name":"a","value":0},'
            '{"name":"b","value":2}]}',
        )

    def test_nothing(self) -> None:
        """An empty list when nothing matches."""
        self.assertEqual(renderJSON(Store(), StatsQuery()), '{"stats":[]}')

    def test_quantiles(self) -> None:
        """Histograms are one object at the end; no values are nulls."""
        text = renderJSON(lengths(), StatsQuery())

        self.assertTrue(
            text.startswith(
                '{"stats":[{"histograms":{"supported_quantiles":'
                '[0,25,50,75,90,95,99,99.5,99.9,100],"computed_quantiles":'
                '[{"name":"cluster.c.upstream_cx_length_ms","values":'
                '[{"cumulative":30.5,"interval":30.5},'
            )
        )
        empty = json.loads(text)["stats"][0]["histograms"]["computed_quantiles"][1]
        self.assertEqual(empty["values"], [{"cumulative": None, "interval": None}] * 10)

    def test_buckets(self) -> None:
        """Bounds are printed as shortly as they can be."""
        text = renderJSON(lengths(), StatsQuery(usedOnly=True, buckets="cumulative"))

        self.assertIn('"buckets":[{"upper_bound":0.5,"interval":0,"cumulative":0},', text)
        self.assertIn('{"upper_bound":60000,"interval":3,"cumulative":3}', text)
        self.assertIn('{"upper_bound":3e+05,"interval":3,"cumulative":3}', text)
        self.assertIn('{"upper_bound":1800000,"interval":3,"cumulative":3}', text)

    def test_details(self) -> None:
        """Bins with their lower bounds and widths."""
        text = renderJSON(lengths(), StatsQuery(usedOnly=True, buckets="detailed"))

        details = json.loads(text)["stats"][0]["histograms"]["details"][0]
        self.assertEqual(details["totals"][0], {"lower_bound": 30, "width": 1, "count": 1})
        self.assertEqual(details["intervals"], details["totals"])
        self.assertEqual(details["percentiles"][2], {"cumulative": 34.5, "interval": 34.5})


class NumberTests(SynchronousTestCase):
    def test_shortest(self) -> None:
        """Scientific only where it is shorter."""
        numbers = (0, 30.5, 1000, 60000, 300000, 1200000, 12000000, 1800000, nan)
        self.assertEqual(
            [shortNumber(number) for number in numbers],
            ["0", "30.5", "1000", "60000", "3e+05", "1200000", "1.2e+07", "1800000", "null"],
        )

    def test_plain(self) -> None:
        """Never scientific."""
        self.assertEqual(
            [plainNumber(number) for number in (0.0, 1.075, 300000.0, nan)],
            ["0", "1.075", "300000", "nan"],
        )
