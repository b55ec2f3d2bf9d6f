"""transport_socket_matches: which endpoints are inside TLS."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import INTERNAL, addressOf, cluster, typed
from tests.parity.exchanges import get, http1
from tests.parity.managers import ManagerTestCase, direct, manager, route
from tests.parity.support import Side, served
from tests.parity.test_tls import pki
from tests.parity.tls_refusals import downstream, upstream

_PATIENCE = 8.0


def endpoint(listener: str, **metadata: object) -> dict[str, Any]:
    """An internal listener with metadata."""
    made: dict[str, Any] = {"endpoint": {"address": addressOf(f"internal:{listener}")}}
    if metadata:
        made["metadata"] = {"filter_metadata": {"envoy.transport_socket_match": metadata}}
    return made


def internal(name: str) -> dict[str, Any]:
    """A manager that says its name, and what it was asked for."""
    said = {"header": {"key": "x-name", "value": "[%REQUESTED_SERVER_NAME%]"}}
    made = manager(name, [direct(name, response_headers_to_add=[said])])
    del made["address"]
    made["internal_listener"] = {}
    return made


class SocketMatchTests(ManagerTestCase):
    """One listener for each cluster."""

    def setUp(self) -> None:
        """Both sides have the same certificate."""
        pki()
        super().setUp()

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        secure = internal("secure")
        secure["filter_chains"][0]["transport_socket"] = downstream(
            {"tls_certificates": [pki().own.config]}
        )
        tls = {"name": "tls", "match": {"tls": "yes"}}
        tls["transport_socket"] = upstream({}, sni="one.test")
        newer = {"name": "tls 2", "match": {"tls": "yes", "v": 2}}
        newer["transport_socket"] = upstream({}, sni="two.test")
        raw = typed("raw", "transport_sockets.raw_buffer.v3.RawBuffer")
        rest = {"name": "rest", "match": {}, "transport_socket": raw}
        clusters = {
            "several": (
                [newer, tls],
                [
                    *(endpoint("secure", tls="yes"), endpoint("plain")),
                    *(endpoint("plain", tls="no"), endpoint("secure", tls="yes", v=2)),
                ],
                {},
            ),
            "all": ([tls, rest], [endpoint("secure", tls="yes"), endpoint("plain")], {}),
            "default": (
                [rest | {"match": {"a": "b"}}],
                [endpoint("plain", a="b"), endpoint("secure")],
                {"transport_socket": upstream({})},
            ),
        }
        listeners = [secure, internal("plain")]
        built = []
        for name, (matches, hosts, fields) in clusters.items():
            made = cluster(name, "127.0.0.1:1", transport_socket_matches=matches, **fields)
            made["load_assignment"]["endpoints"] = [{"lb_endpoints": hosts}]
            built.append(made)
            listeners.append(manager(name, [route(name)]))
        return served(listeners, built, bootstrap_extensions=[INTERNAL])

    def talked(self, side: Side, name: str, conversations: dict[str, Any]) -> Any:
        """Every conversation has an end, which is waited for."""
        return http1(side.program.port(name), conversations, _PATIENCE)

    def test_matches(self) -> None:
        """Each endpoint is asked in its own way."""

        def scenario(side: Side, name: str) -> object:
            talks = {str(index): get("/", "connection: close") for index in range(8)}
            said = self.talked(side, name, talks)
            return sorted({tuple(lines) for lines in said.values()})

        for name in ("several", "all", "default"):
            stats = rf"^cluster\.{name}\..*total_match"
            self.same(lambda side, name=name: scenario(side, name), stats)
