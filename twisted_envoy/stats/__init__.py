"""
Stats: counters, gauges, text readouts and histograms under Envoy's names, and how `/stats` shows
them.

Names of this package: `Store` (the root), `Scope`, `Counter`, `Gauge`, `Histogram`, `TextReadout`.
For the admin pages there are `query.StatsQuery`, `render.renderText`, `render.renderJSON` and
`prometheus.renderPrometheus`, which nothing else needs to import.
"""

from twisted_envoy.stats.histogram import Histogram
from twisted_envoy.stats.metrics import ComputedGauge, Counter, Gauge, TextReadout
from twisted_envoy.stats.scope import Scope, Store

__all__ = ["ComputedGauge", "Counter", "Gauge", "Histogram", "Scope", "Store", "TextReadout"]
