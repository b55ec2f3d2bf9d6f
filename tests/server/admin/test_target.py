"""Tests for `twisted_envoy.server.admin.target`: the real server is what the pages expect."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor

from tests.server.admin.support import TYPES, PageTestCase
from twisted_envoy.server.admin.json_text import MessageKit
from twisted_envoy.server.admin.pages import PAGES
from twisted_envoy.server.admin.reply import Query
from twisted_envoy.server.build import buildServer
from twisted_envoy.server.options import ServerOptions

BOOTSTRAP = f"""
static_resources:
  listeners:
  - name: ingress
    address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
    filter_chains:
    - filters:
      - name: tcp
        typed_config:
          "@type": {TYPES}.filters.network.tcp_proxy.v3.TcpProxy
          stat_prefix: ingress
          cluster: cc
  clusters:
  - name: cc
    circuit_breakers: {{thresholds: [{{max_connections: 5}}]}}
    load_assignment:
      cluster_name: cc
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 1}}}}}}
"""


class RealServerTests(PageTestCase):
    """Every page of a server that `buildServer` made; nothing is bound."""

    def setUp(self) -> None:
        """One listener, one cluster, one host."""
        options = ServerOptions(configYAML=BOOTSTRAP, mode="Validate")
        self.real: Any = buildServer(options, reactor)
        self.kit = MessageKit(self.real.bootstrap.message.DESCRIPTOR.file.pool)

    def answer(self, path: str, query: str = "") -> str:
        """A page's text."""
        (page,) = [page for page in PAGES if page.path == path]
        reply = page.handler(self.real, self.kit, Query(query))
        self.assertLess(reply.code, 600)
        return reply.text()

    def test_shown(self) -> None:
        """Each page that shows something, in each of its forms."""
        for path, query, text in (
            ("/clusters", "", "cc::default_priority::max_connections::5\n"),
            ("/clusters", "", "cc::127.0.0.1:1::cx_total::0\n"),
            ("/clusters", "format=json", '"port_value": 1'),
            ("/listeners", "", "ingress::127.0.0.1:0\n"),
            ("/listeners", "format=json", '"name": "ingress"'),
            ("/config_dump", "include_eds", '"stat_prefix": "ingress"'),
            ("/config_dump", "resource=static_clusters", '"name": "cc"'),
            ("/server_info", "", '"state": "INITIALIZING"'),
            ("/stats", "filter=cluster.cc.membership_total", "cluster.cc.membership_total: 1\n"),
            ("/runtime", "", '"layers": []'),
            ("/ready", "", "INITIALIZING\n"),
        ):
            self.assertIn(text, self.answer(path, query))

    def test_changed(self) -> None:
        """Each page that changes something."""
        self.assertEqual(self.answer("/healthcheck/fail"), "OK\n")
        self.assertEqual(self.answer("/ready"), "DRAINING\n")
        self.assertEqual(self.answer("/healthcheck/ok"), "OK\n")
        for path in ("/reopen_logs", "/reset_counters", "/drain_listeners"):
            self.assertEqual(self.answer(path), "OK\n")
        self.assertIn("main: debug", self.answer("/logging", "main=debug"))
        self.assertEqual(self.real.logControl.levelOf("main"), "debug")
        quits: list[int] = []
        self.patch(self.real, "soon", lambda function: function())
        self.patch(self.real, "shutdown", lambda: quits.append(1))
        self.assertEqual(self.answer("/quitquitquit"), "OK\n")
        self.assertEqual(quits, [1])
