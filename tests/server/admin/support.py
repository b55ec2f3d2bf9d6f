"""A bootstrap with something of everything, and what the pages' tests need around it."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.server.fakes import FakeServer
from twisted_envoy.server.admin.json_text import MessageKit
from twisted_envoy.server.admin.reply import Query, Reply
from twisted_envoy.server.options import ServerOptions

TYPES = "type.googleapis.com/envoy.extensions"
BOOTSTRAP = f"""
admin:
  address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
node: {{id: n1, cluster: c1, locality: {{region: r, zone: z}}}}
static_resources:
  listeners:
  - name: ingress
    address: {{socket_address: {{address: 127.0.0.1, port_value: 9902}}}}
    additional_addresses:
    - address: {{socket_address: {{address: "::1", port_value: 9903}}}}
    filter_chains:
    - filters:
      - name: tcp
        typed_config:
          "@type": {TYPES}.filters.network.tcp_proxy.v3.TcpProxy
          stat_prefix: ingress
          cluster: c
          idle_timeout: 0.5s
  - name: encap
    internal_listener: {{}}
  - name: pipe
    address: {{pipe: {{path: /tmp/l.sock}}}}
  clusters:
  - name: c
    load_assignment:
      cluster_name: c
      endpoints:
      - locality: {{region: rr, zone: zz, sub_zone: ss}}
        lb_endpoints:
        - endpoint:
            address: {{envoy_internal_address: {{server_listener_name: encap, endpoint_id: e1}}}}
          load_balancing_weight: 7
        - endpoint:
            hostname: hh
            address: {{socket_address: {{address: 127.0.0.1, port_value: 1}}}}
          metadata: {{filter_metadata: {{envoy.lb: {{canary: true}}}}}}
  - name: d
    circuit_breakers: {{thresholds: [{{max_connections: 5}}]}}
    load_assignment:
      cluster_name: d
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{pipe: {{path: /tmp/x.sock}}}}}}
  secrets:
  - name: s1
    generic_secret: {{secret: {{inline_string: hello}}}}
  - name: s2
    tls_certificate:
      certificate_chain: {{filename: chain.pem}}
      private_key: {{inline_string: key}}
"""


class PageTestCase(SynchronousTestCase):
    """A made-up server of BOOTSTRAP, with a Clock."""

    def setUp(self) -> None:
        """Time starts at a moment that has milliseconds."""
        self.clock = Clock()
        self.clock.advance(1795400157.25)
        self.server = self.makeServer(BOOTSTRAP)
        self.kit = self.makeKit()

    def makeServer(self, text: str, **options: Any) -> FakeServer:
        """A server of another bootstrap."""
        return FakeServer(text, self.clock, ServerOptions(configPath="f.yaml", **options))

    def makeKit(self) -> MessageKit:
        """A kit of the bootstrap's own pool."""
        return MessageKit(self.server.bootstrap.message.DESCRIPTOR.file.pool)

    def ask(self, page: Any, query: str = "") -> Reply:
        """A page's answer."""
        reply = page(self.server, self.kit, Query(query))
        assert isinstance(reply, Reply)
        return reply

    def askJSON(self, page: Any, query: str = "") -> Any:
        """A page's JSON, spelt with one blank a level and a newline at its end."""
        reply = self.ask(page, query)
        self.assertEqual((reply.code, reply.contentType), (200, "application/json"), reply.text())
        value = json.loads(reply.text())
        self.assertEqual(reply.text(), json.dumps(value, indent=1, ensure_ascii=False) + "\n")
        return value
