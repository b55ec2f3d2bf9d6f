"""The name that TLS to a host asks for and its certificate must have: auto_sni and its kin."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import INTERNAL, addressOf, cluster, listener, setFilterState, tcpProxy, typed
from tests.parity.exchanges import http1
from tests.parity.managers import ManagerTestCase, direct, manager, protocol, route
from tests.parity.support import Side, served
from tests.parity.test_tls import pki
from tests.parity.tls_refusals import downstream, upstream

LOG = (
    "%RESPONSE_CODE% %RESPONSE_FLAGS% fail=%UPSTREAM_TRANSPORT_FAILURE_REASON% "
    "name=%FILTER_STATE(envoy.network.upstream_server_name:PLAIN)% "
    "names=%FILTER_STATE(envoy.network.upstream_subject_alt_names:PLAIN)%"
)
SAYS = [
    {"header": {"key": "x-sni", "value": "[%REQUESTED_SERVER_NAME%]"}},
    {"header": {"key": "x-alpn", "value": "[%DOWNSTREAM_TLS_VERSION%] %PROTOCOL%"}},
]
BOTH = {"auto_sni": True, "auto_san_validation": True}
_PATIENCE = 8.0


def get(host: str, path: str = "/", *more: str) -> bytes:
    """A request."""
    lines = [f"GET {path} HTTP/1.1", f"host: {host}", *more, "connection: close", "", ""]
    return "\r\n".join(lines).encode()


def names(**fields: Any) -> dict[str, Any]:
    """Fields of a cluster."""
    return protocol(upstream_http_protocol_options=fields)


def stored(key: str, value: str) -> dict[str, Any]:
    """An HTTP filter that stores an object."""
    key = f"envoy.network.{key}"
    one = {"object_key": key, "format_string": {"text_format_source": {"inline_string": value}}}
    kind = "filters.http.set_filter_state.v3.Config"
    return typed("s", kind, on_request_headers=[one])


class ServerNameTests(ManagerTestCase):
    """Each cluster has a manager of its name; all go to one server."""

    def setUp(self) -> None:
        """Both sides have the same certificates."""
        pki()
        super().setUp()

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        who = pki()
        trusts = {"trusted_ca": {"inline_string": who.authority.pem}}
        checks = {"validation_context": trusts}
        no = {"san_type": "DNS", "matcher": {"exact": "no.test"}}
        clusters: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
            "none": ({}, {}, {}),
            "sni": (names(auto_sni=True), {}, {"sni": "server.test"}),
            "old": ({"upstream_http_protocol_options": BOTH}, checks, {}),
            "san": (names(auto_san_validation=True), checks, {"sni": "x.test"}),
            "both": (names(**BOTH), checks, {}),
            "blind": (names(**BOTH), {}, {}),
            "sans": (
                names(**BOTH),
                {"validation_context": {**trusts, "match_typed_subject_alt_names": [no]}},
                {},
            ),
            "other": (names(**BOTH, override_auto_sni_header="x-name"), checks, {}),
            "pinned": (names(**BOTH), checks, {"sni": "a.test", "auto_sni_san_validation": True}),
            "byState": ({}, checks, {"sni": "a.test"}),
            "byStates": ({}, checks, {"sni": "a.test"}),
            "own": (names(**BOTH), checks, {}),
        }
        server = manager(
            "server",
            routes=[direct()],
            config={
                "virtual_hosts": [
                    {
                        "name": "all",
                        "domains": ["*"],
                        "routes": [direct()],
                        "response_headers_to_add": SAYS,
                    }
                ]
            },
        )
        del server["address"]
        server["internal_listener"] = {}
        server["filter_chains"][0]["transport_socket"] = downstream(
            {"tls_certificates": [who.own.config], "alpn_protocols": ["h2", "http/1.1"]}
        )
        inspector = typed("i", "filters.listener.tls_inspector.v3.TlsInspector")
        server["listener_filters"] = [inspector]
        filters = {
            "byState": [stored("upstream_server_name", "%REQ(x-name)%")],
            "byStates": [
                stored("upstream_subject_alt_names", "%REQ(x-name)%"),
                stored("application_protocols", "http/1.1"),
            ],
            "own": [stored("upstream_server_name", "own.test")],
        }
        built = []
        listeners = [server]
        for name, (fields, common, tls) in clusters.items():
            made = cluster(name, "127.0.0.1:1", **fields)
            endpoint = {"address": addressOf("internal:server")}
            made["load_assignment"]["endpoints"] = [{"lb_endpoints": [{"endpoint": endpoint}]}]
            made["transport_socket"] = upstream(common, **tls)
            built.append(made)
            routes = [
                route(name, "/rewritten", action={"host_rewrite_literal": "wrong.test"}),
                route(name, "/right", action={"host_rewrite_literal": "server.test"}),
                route(name),
            ]
            listeners.append(manager(name, routes, filters.get(name), log=LOG))
        state = setFilterState(
            "envoy.network.upstream_server_name",
            "tcp.test",
            factory_key="envoy.network.upstream_server_name",
        )
        listeners.append(listener("tcp", "127.0.0.1:0", state, tcpProxy("none", "tcp")))
        return served(listeners, built, bootstrap_extensions=[INTERNAL])

    def talked(self, side: Side, name: str, conversations: dict[str, Any]) -> Any:
        """Every conversation has an end, which is waited for."""
        return http1(side.program.port(name), conversations, _PATIENCE)

    def asked(self, name: str) -> Any:
        """Requests for several hosts."""
        talks = {
            "right": [get("server.test")],
            "wrong": [get("wrong.test")],
            "port": [get("server.test:77")],
            "upper": [get("SERVER.test")],
            "ip": [get("10.0.0.1")],
            "ip6": [get("[::1]:9")],
            "named": [get("x.test", "/", "x-name: server.test")],
            "emptyName": [get("server.test", "/", "x-name: ")],
            "comma": [get("wrong.test,server.test")],
            "commas": [get("x.test", "/", "x-name: wrong.test,server.test")],
            "twoNames": [get("server.test", "/", "x-name: a.test", "x-name: server.test")],
            "rewritten": [get("server.test", "/rewritten")],
            "toRight": [get("x.test", "/right")],
        }
        return self.compared(name, talks)

    def test_names(self) -> None:
        """What is asked for, and what is accepted."""
        for name in ("none", "sni", "old", "san", "both", "blind", "sans", "other", "pinned"):
            self.asked(name)

    def test_filterState(self) -> None:
        """Objects of filter state."""
        for name in ("byState", "byStates", "own"):
            self.asked(name)

    def test_tcp(self) -> None:
        """A TCP proxy's connection has the name of its filter state."""
        self.compared("tcp", {"tcp": [get("x")]}, 0)
