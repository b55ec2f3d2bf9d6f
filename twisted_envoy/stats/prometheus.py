"""
The Prometheus view of all stats, as Envoy's `/stats/prometheus` prints it.

Counters, then gauges, then (when asked) text readouts, then histograms; metrics of one tag-free
name stand together under one `# TYPE` line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Protocol, TypeVar

from twisted_envoy.stats.histogram import QUANTILES, Histogram
from twisted_envoy.stats.metrics import ComputedGauge, Counter, Gauge, TextReadout
from twisted_envoy.stats.query import StatsQuery, StatsQueryError
from twisted_envoy.stats.render import histograms
from twisted_envoy.stats.scope import Store
from twisted_envoy.stats.tags import TagRules

_NOT_A_NAME = re.compile(r"[^a-zA-Z0-9_]")
_LABEL_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})


class _Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def used(self) -> bool: ...


Metric = TypeVar("Metric", bound=_Named)


def renderPrometheus(store: Store, query: StatsQuery) -> str:
    """
    Prometheus' text exposition format.

    Raises:
        StatsQueryError: a bucket mode that this format cannot show.
    """
    if query.buckets in ("disjoint", "detailed"):
        raise StatsQueryError("unsupported prometheus histogram bucket mode")
    if query.buckets == "prometheusnative":
        raise StatsQueryError(
            "unsupported prometheusnative histogram type when not using protobuf exposition format"
        )
    parts: list[str] = []
    rules = store.tags
    if query.wants("Counters"):
        parts += _family(rules, _shown(store.counters.values(), query), "counter", _number)
    if query.wants("Gauges"):
        parts += _family(rules, _shown(store.gauges.values(), query), "gauge", _number)
    if query.textReadouts and query.wants("TextReadouts"):
        parts += _family(rules, _shown(store.textReadouts.values(), query), "gauge", _textReadout)
    if query.buckets in ("summary", "none"):
        parts += _family(rules, histograms(store, query), "summary", _summary)
    else:
        parts += _family(rules, histograms(store, query), "histogram", _histogram)
    return "".join(parts)


def longNumber(number: float) -> str:
    """A number with up to 32 digits: `0.5`, `100`, `100.47751464835579326972947455943`; `nan`."""
    if number != number:
        return "nan"
    text = f"{Decimal(number):.32g}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _shown(found: Iterable[Metric], query: StatsQuery) -> list[Metric]:
    return [one for one in found if query.shows(one.name, one.used)]


def _family(
    rules: TagRules, found: list[Metric], kind: str, render: Callable[[Metric, str, str], str]
) -> list[str]:
    groups: dict[str, list[tuple[str, str, Metric]]] = {}
    for metric in found:
        name, tags = rules.extract(metric.name)
        labels = ",".join(
            f'{_NOT_A_NAME.sub("_", tag)}="{value.translate(_LABEL_ESCAPES)}"'
            for tag, value in tags
        )
        groups.setdefault(name, []).append((metric.name, labels, metric))
    lines = []
    for name, members in sorted(groups.items()):
        metricName = "envoy_" + _NOT_A_NAME.sub("_", name)
        lines.append(f"# TYPE {metricName} {kind}\n")
        members.sort(key=lambda member: member[0])
        lines += [render(metric, metricName, labels) for _, labels, metric in members]
    return lines


def _number(metric: Counter | Gauge | ComputedGauge, name: str, labels: str) -> str:
    return f"{name}{{{labels}}} {metric.value}\n"


def _textReadout(metric: TextReadout, name: str, labels: str) -> str:
    text = f'text_value="{metric.value.translate(_LABEL_ESCAPES)}"'
    return f"{name}{{{labels},{text}}} 0\n" if labels else f"{name}{{{text}}} 0\n"


def _histogram(metric: Histogram, name: str, labels: str) -> str:
    total = metric.total
    before = f"{labels}," if labels else ""
    lines = [
        f'{name}_bucket{{{before}le="{longNumber(bound)}"}} {count}\n'
        for bound, count in zip(metric.buckets, total.cumulative(metric.buckets), strict=True)
    ]
    lines.append(f'{name}_bucket{{{before}le="+Inf"}} {total.count}\n')
    return "".join(lines) + _sumAndCount(metric, name, labels)


def _summary(metric: Histogram, name: str, labels: str) -> str:
    before = f"{labels}," if labels else ""
    lines = [
        f'{name}{{{before}quantile="{quantile:g}"}} {longNumber(value)}\n'
        for quantile, value in zip(QUANTILES, metric.interval.quantiles(), strict=True)
    ]
    return "".join(lines) + _sumAndCount(metric, name, labels)


def _sumAndCount(metric: Histogram, name: str, labels: str) -> str:
    return (
        f"{name}_sum{{{labels}}} {longNumber(metric.total.sum)}\n"
        f"{name}_count{{{labels}}} {metric.total.count}\n"
    )
