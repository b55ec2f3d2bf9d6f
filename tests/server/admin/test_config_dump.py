"""Tests for `twisted_envoy.server.admin.config_dump`; the answers are real Envoy 1.40's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.server.admin.support import TYPES, PageTestCase
from twisted_envoy.server.admin.config_dump import configDump

ADMIN = "type.googleapis.com/envoy.admin.v3."

HTTP = f"""
static_resources:
  listeners:
  - name: h
    address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": {TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: h
          route_config:
            name: rr
            virtual_hosts:
            - {{name: a, domains: ["*"], routes: [{{match: {{prefix: /}}, redirect: {{}}}}]}}
"""


class ConfigDumpTests(PageTestCase):
    """/config_dump."""

    def dump(self, query: str = "") -> Any:
        """The configs that are shown."""
        return self.askJSON(configDump, query).get("configs")

    def refused(self, query: str) -> tuple[int, str, str]:
        """(status, content type, text)."""
        reply = self.ask(configDump, query)
        return reply.code, reply.contentType, reply.text()

    def sections(self, query: str = "") -> list[str]:
        """The sections' names."""
        return [config["@type"].removeprefix(ADMIN) for config in self.dump(query)]

    def test_sections(self) -> None:
        """In Envoy's order; endpoints only when asked for."""
        names = ["BootstrapConfigDump", "ClustersConfigDump", "ListenersConfigDump"]
        self.assertEqual(self.sections(), [*names, "SecretsConfigDump"])
        names.insert(2, "EndpointsConfigDump")
        self.assertEqual(self.sections("include_eds"), [*names, "SecretsConfigDump"])

    def test_routes(self) -> None:
        """Sections of routes exist once there is an HTTP connection manager."""
        self.server = self.makeServer(HTTP)
        self.kit = self.makeKit()
        self.assertEqual(
            self.sections()[2:],
            [
                "ListenersConfigDump",
                "ScopedRoutesConfigDump",
                "RoutesConfigDump",
                "SecretsConfigDump",
            ],
        )
        (route,) = self.dump("resource=static_route_configs&mask=route_config.name")
        self.assertEqual(route["route_config"]["name"], "rr")

    def test_bootstrap(self) -> None:
        """The config as it was given: Envoy's spelling, Anys open, defaults left out."""
        found = self.dump()[0]
        self.assertEqual(found["last_updated"], "2026-11-23T02:15:57.250Z")
        listener = found["bootstrap"]["static_resources"]["listeners"][0]
        self.assertEqual(
            listener["filter_chains"][0]["filters"][0]["typed_config"],
            {
                "@type": f"{TYPES}.filters.network.tcp_proxy.v3.TcpProxy",
                "stat_prefix": "ingress",
                "cluster": "c",
                "idle_timeout": "0.500s",
            },
        )
        node = found["bootstrap"]["node"]
        self.assertEqual((node["id"], node["user_agent_name"]), ("n1", "envoy"))

    def test_internalListener(self) -> None:
        """An internal listener is shown as `internal_listener: {}`."""
        found = self.dump("resource=static_listeners")
        self.assertEqual(found[1]["listener"]["internal_listener"], {})
        self.assertEqual(found[1]["@type"], ADMIN + "ListenersConfigDump.StaticListener")

    def test_secretsAreHidden(self) -> None:
        """Neither the bootstrap nor the section of secrets shows one."""
        text = self.ask(configDump).text()
        self.assertNotIn("hello", text)
        self.assertEqual(text.count('"inline_string": "[redacted]"'), 4)
        self.assertIn("chain.pem", text)

    def test_secretsInFiles(self) -> None:
        """What was taken last, certificates first; keys are hidden here, too."""
        for kind, updated in (("validation_context", 7.5), ("tls_certificate", 1.25)):
            message = self.kit.new("envoy.extensions.transport_sockets.tls.v3.Secret")
            message.name = kind[:3]
            if kind == "tls_certificate":
                message.tls_certificate.private_key.inline_string = "very private"
            self.server.secrets.append(
                SimpleNamespace(
                    name=kind[:3], kind=kind, secret=message, version="v1", updated=updated
                )
            )
        found = self.dump("resource=dynamic_active_secrets")
        self.assertEqual(
            [(one["name"], one["version_info"], one["last_updated"]) for one in found],
            [("tls", "v1", "1970-01-01T00:00:01.250Z"), ("val", "v1", "1970-01-01T00:00:07.500Z")],
        )
        key = found[0]["secret"]["tls_certificate"]["private_key"]
        self.assertEqual(key, {"inline_string": "[redacted]"})
        self.assertIsNone(self.dump("resource=dynamic_active_secrets&name_regex=x"))

    def test_endpoints(self) -> None:
        """What Envoy makes of the hosts."""
        found = self.dump("include_eds")[2]["static_endpoint_configs"]
        config = found[0]["endpoint_config"]
        self.assertEqual(config["policy"], {"overprovisioning_factor": 140})
        (group,) = config["endpoints"]
        self.assertEqual(group["locality"], {"region": "rr", "zone": "zz", "sub_zone": "ss"})
        self.assertEqual(group["load_balancing_weight"], 0)
        self.assertEqual(
            group["lb_endpoints"][1],
            {
                "endpoint": {
                    "address": {"socket_address": {"address": "127.0.0.1", "port_value": 1}},
                    "health_check_config": {},
                    "hostname": "hh",
                },
                "health_status": "HEALTHY",
                "metadata": {"filter_metadata": {"envoy.lb": {"canary": True}}},
                "load_balancing_weight": 1,
            },
        )

    def test_mask(self) -> None:
        """Only sections that have all the mask's fields are shown, and only these fields."""
        (found,) = self.dump("mask=bootstrap.node.id,bootstrap.admin")
        self.assertEqual(found["bootstrap"]["node"], {"id": "n1"})
        self.assertEqual(sorted(found["bootstrap"]), ["admin", "node"])

    def test_masksThatFit(self) -> None:
        """Text of a mask that fits nothing."""
        for mask in ("nope", "bootstrap.nope", "static_listeners.listener.name"):
            self.assertEqual(
                self.refused(f"mask={mask}"),
                (
                    400,
                    "text/plain",
                    f"FieldMask {mask} could not be successfully applied to any configs.",
                ),
            )

    def test_resource(self) -> None:
        """One list of one section, each element for itself, trimmed."""
        self.assertEqual(
            [one["listener"] for one in self.dump("resource=static_listeners&mask=listener.name")],
            [
                {"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": name}
                for name in ("ingress", "encap", "pipe")
            ],
        )
        self.assertIsNone(self.dump("resource=dynamic_active_clusters"))

    def test_resourceErrors(self) -> None:
        """Envoy's texts."""
        self.assertEqual(
            self.refused("resource=nope"), (404, "text/plain", "nope not found in config dump")
        )
        self.assertEqual(
            self.refused("resource=bootstrap")[::2],
            (
                400,
                "bootstrap is not a repeated field. Use ?mask=bootstrap to get only this field",
            ),
        )
        self.assertEqual(
            self.refused("resource=static_clusters&mask=nope")[::2],
            (400, 'FieldMask paths: "nope"\n could not be successfully used.'),
        )

    def test_nameRegex(self) -> None:
        """Names must match it whole."""
        clusters = self.dump("resource=static_clusters&name_regex=c")
        self.assertEqual([one["cluster"]["name"] for one in clusters], ["c"])
        self.assertIsNone(self.dump("resource=static_secrets&name_regex=s"))
        self.assertEqual(
            self.refused("name_regex=(")[::2],
            (400, "INVALID_ARGUMENT: Error while parsing name_regex from (: missing ): ("),
        )
