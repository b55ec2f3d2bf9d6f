"""
The text and JSON views of all stats, as Envoy's `/stats` prints them.

Order: text readouts, then counters and gauges together, then histograms; each by name.  Pure
functions of a Store; Prometheus' view is in `prometheus`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import isnan

from twisted_envoy.stats.histogram import QUANTILES, Histogram, Statistics, widthOf
from twisted_envoy.stats.metrics import ComputedGauge, Counter, Gauge, TextReadout
from twisted_envoy.stats.query import StatsQuery
from twisted_envoy.stats.scope import Store

Number = Counter | Gauge | ComputedGauge


def renderText(store: Store, query: StatsQuery) -> str:
    """One line a metric, `name: value`; histograms as the query's bucket mode says."""
    lines = [f'{found.name}: "{found.value}"\n' for found in textReadouts(store, query)]
    lines += [f"{found.name}: {found.value}\n" for found in numbers(store, query)]
    lines += [_histogramText(found, query.buckets) for found in histograms(store, query)]
    return "".join(lines)


def renderJSON(store: Store, query: StatsQuery) -> str:
    """`{"stats":[{"name":...,"value":...},...,{"histograms":...}]}` without blanks."""
    parts = [
        f'{{"name":{json.dumps(found.name, ensure_ascii=False)},'
        f'"value":{json.dumps(found.value, ensure_ascii=False)}}}'
        for found in textReadouts(store, query)
    ]
    parts += [
        f'{{"name":{json.dumps(found.name, ensure_ascii=False)},"value":{int(found.value)}}}'
        for found in numbers(store, query)
    ]
    shown = histograms(store, query)
    if shown:
        parts.append(f'{{"histograms":{_histogramsJSON(shown, query.buckets)}}}')
    return f'{{"stats":[{",".join(parts)}]}}'


def textReadouts(store: Store, query: StatsQuery) -> list[TextReadout]:
    """Those that the query shows, by name."""
    if not query.wants("TextReadouts"):
        return []
    found = [one for one in store.textReadouts.values() if query.shows(one.name, one.used)]
    return sorted(found, key=lambda one: one.name)


def numbers(store: Store, query: StatsQuery) -> list[Number]:
    """Counters and gauges that the query shows, by name."""
    found: list[Number] = []
    if query.wants("Counters"):
        found += store.counters.values()
    if query.wants("Gauges"):
        found += store.gauges.values()
    return sorted(
        (one for one in found if query.shows(one.name, one.used)), key=lambda one: one.name
    )


def histograms(store: Store, query: StatsQuery) -> list[Histogram]:
    """Those that the query shows, by name."""
    if not query.wants("Histograms"):
        return []
    found = [one for one in store.histograms.values() if query.shows(one.name, one.used)]
    return sorted(found, key=lambda one: one.name)


def shortNumber(number: float) -> str:
    """The shortest text of a number: `0`, `30.5`, `3e+05`, `1800000`; `null` for nan."""
    if isnan(number):
        return "null"
    plain = plainNumber(number)
    if "." in plain or not plain.endswith("000"):
        return plain
    digits = plain.rstrip("0")
    exponent = len(plain) - 1
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    scientific = f"{mantissa}e+{exponent:02d}"
    return scientific if len(scientific) < len(plain) else plain


def plainNumber(number: float) -> str:
    """A number without exponent and without `.0`: `0`, `30.5`, `1800000`; `nan`."""
    if isnan(number):
        return "nan"
    return str(int(number)) if number == int(number) else repr(number)


def _histogramText(histogram: Histogram, mode: str | None) -> str:
    if not histogram.used:
        return f"{histogram.name}: No recorded values\n"
    if mode in ("cumulative", "disjoint"):
        return f"{histogram.name}: {_bucketsText(histogram, mode)}\n"
    if mode == "detailed":
        return (
            f"{histogram.name}:\n  totals={_binsText(histogram.total)}\n"
            f"  intervals={_binsText(histogram.interval)}\n"
            f"  summary={_summaryText(histogram)}\n"
        )
    return f"{histogram.name}: {_summaryText(histogram)}\n"


def _summaryText(histogram: Histogram) -> str:
    pairs = zip(QUANTILES, histogram.interval.quantiles(), histogram.total.quantiles(), strict=True)
    return " ".join(
        f"P{quantile * 100:g}({plainNumber(interval)},{plainNumber(total)})"
        for quantile, interval, total in pairs
    )


def _bucketsText(histogram: Histogram, mode: str) -> str:
    return " ".join(
        f"B{bound:g}({interval},{total})" for bound, interval, total in _buckets(histogram, mode)
    )


def _binsText(statistics: Statistics) -> str:
    return ", ".join(
        f"{plainNumber(left)},{plainNumber(widthOf(left))}:{count}"
        for left, count in statistics.bins.items()
    )


def _buckets(histogram: Histogram, mode: str) -> Iterable[tuple[float, int, int]]:
    bounds = histogram.buckets
    if mode == "disjoint":
        return zip(
            bounds,
            histogram.interval.disjoint(bounds),
            histogram.total.disjoint(bounds),
            strict=True,
        )
    return zip(
        bounds,
        histogram.interval.cumulative(bounds),
        histogram.total.cumulative(bounds),
        strict=True,
    )


def _histogramsJSON(shown: list[Histogram], mode: str | None) -> str:
    if mode in ("cumulative", "disjoint"):
        return f"[{','.join(_bucketsJSON(one, mode) for one in shown)}]"
    quantiles = ",".join(f"{quantile * 100:g}" for quantile in QUANTILES)
    if mode == "detailed":
        details = ",".join(_detailsJSON(one) for one in shown)
        return f'{{"supported_percentiles":[{quantiles}],"details":[{details}]}}'
    computed = ",".join(
        f'{{"name":{json.dumps(one.name, ensure_ascii=False)},"values":[{_valuesJSON(one)}]}}'
        for one in shown
    )
    return f'{{"supported_quantiles":[{quantiles}],"computed_quantiles":[{computed}]}}'


def _valuesJSON(histogram: Histogram) -> str:
    pairs = zip(histogram.interval.quantiles(), histogram.total.quantiles(), strict=True)
    return ",".join(
        f'{{"cumulative":{shortNumber(total)},"interval":{shortNumber(interval)}}}'
        for interval, total in pairs
    )


def _bucketsJSON(histogram: Histogram, mode: str) -> str:
    buckets = ",".join(
        f'{{"upper_bound":{shortNumber(bound)},"interval":{interval},"cumulative":{total}}}'
        for bound, interval, total in _buckets(histogram, mode)
    )
    return f'{{"name":{json.dumps(histogram.name, ensure_ascii=False)},"buckets":[{buckets}]}}'


def _detailsJSON(histogram: Histogram) -> str:
    return (
        f'{{"name":{json.dumps(histogram.name, ensure_ascii=False)},'
        f'"totals":[{_binsJSON(histogram.total)}],'
        f'"intervals":[{_binsJSON(histogram.interval)}],'
        f'"percentiles":[{_valuesJSON(histogram)}]}}'
    )


def _binsJSON(statistics: Statistics) -> str:
    return ",".join(
        f'{{"lower_bound":{shortNumber(left)},"width":{shortNumber(widthOf(left))},'
        f'"count":{count}}}'
        for left, count in statistics.bins.items()
    )
