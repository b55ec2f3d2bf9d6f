"""Tests for `twisted_envoy.server.admin.stats_pages`."""

from __future__ import annotations

import json

from tests.server.admin.support import PageTestCase
from twisted_envoy.server.admin.stats_pages import prometheus, resetCounters, stats


class StatsTests(PageTestCase):
    """/stats, /stats/prometheus, /reset_counters."""

    def setUp(self) -> None:
        """One counter and one gauge."""
        super().setUp()
        self.server.store.counter("cluster.c.upstream_cx_total").value += 3
        self.server.store.gauge("server.live").value = 1

    def test_text(self) -> None:
        """Names and values; the body is made late, so that it shows what was counted until then."""
        reply = self.ask(stats, "filter=live|total$")
        self.server.store.gauge("server.live").value = 2
        self.assertEqual(reply.text(), "cluster.c.upstream_cx_total: 3\nserver.live: 2\n")
        self.assertEqual(reply.contentType, "text/plain; charset=UTF-8")

    def test_formats(self) -> None:
        """JSON, Prometheus and a simple HTML page."""
        query = "filter=server.live&format="
        reply = self.ask(stats, query + "json")
        self.assertEqual(json.loads(reply.text()), {"stats": [{"name": "server.live", "value": 1}]})
        self.assertEqual(reply.contentType, "application/json")
        shown = "# TYPE envoy_server_live gauge\nenvoy_server_live{} 1\n"
        self.assertEqual(self.ask(stats, query + "prometheus").text(), shown)
        self.assertEqual(self.ask(prometheus, "filter=server.live").text(), shown)
        for name in ("html", "active-html"):
            page = self.ask(stats, query + name)
            self.assertIn("<pre>\nserver.live: 1\n</pre>", page.text())
            self.assertEqual(page.contentType, "text/html; charset=UTF-8")

    def test_errors(self) -> None:
        """Envoy's texts."""
        for query, text in (
            ("format=bad", "usage: /stats?format=(html|active-html|json|prometheus|text)\n\n"),
            ("filter=(", "Invalid re2 regex: missing ): ("),
            ("type=nope", "invalid &type= param"),
        ):
            reply = self.ask(stats, query)
            self.assertEqual((reply.code, reply.text()), (400, text))
        self.assertEqual(self.ask(prometheus, "filter=(").code, 400)

    def test_reset(self) -> None:
        """Counters go to zero, gauges stay."""
        self.assertEqual(self.ask(resetCounters).text(), "OK\n")
        self.assertEqual(self.server.store.counter("cluster.c.upstream_cx_total").value, 0)
        self.assertEqual(self.server.store.gauge("server.live").value, 1)
