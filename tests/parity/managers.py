"""Connection managers, as the parity tests configure them."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from tests.bootstraps import listener, logTo, typed
from tests.parity.exchanges import http1
from tests.parity.support import ParityTestCase, Side

HTTP_LOG = (
    "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL% %RESPONSE_CODE% "
    "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% rx=%BYTES_RECEIVED% tx=%BYTES_SENT% "
    "cluster=%UPSTREAM_CLUSTER% host=%UPSTREAM_HOST% route=%ROUTE_NAME% "
    "attempts=%UPSTREAM_REQUEST_ATTEMPT_COUNT% fail=%UPSTREAM_TRANSPORT_FAILURE_REASON% "
    "end=%CONNECTION_TERMINATION_DETAILS% up=%UPSTREAM_PROTOCOL% grpc=%GRPC_STATUS%"
)
ROUTER = typed("envoy.filters.http.router", "filters.http.router.v3.Router")
OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def host(name: str, *domains: str, routes: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """A virtual host; `*` when there is no domain."""
    return {"name": name, "domains": list(domains) or ["*"], "routes": routes, **fields}


def route(cluster: str = "origin", prefix: str = "/", **fields: Any) -> dict[str, Any]:
    """A route by prefix; `action` has more fields of its RouteAction, `match` of its match."""
    match = {"prefix": prefix, **fields.pop("match", {})}
    action = {"cluster": cluster, **fields.pop("action", {})}
    if action["cluster"] == "":
        del action["cluster"]
    return {"match": match, "route": action, **fields}


def direct(body: str = "direct", status: int = 200, prefix: str = "/", **fields: Any) -> Any:
    """A direct response."""
    response = {"status": status, "body": {"inline_string": body}}
    match = {"prefix": prefix, **fields.pop("match", {})}
    return {"match": match, "direct_response": response, **fields}


def manager(
    name: str,
    routes: list[dict[str, Any]] | None = None,
    filters: list[dict[str, Any]] | None = None,
    log: str = HTTP_LOG,
    config: dict[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """
    A listener with a connection manager: both, the stats and the log have this name.

    Args:
        routes: of one virtual host of all domains; by default all goes to the cluster `origin`.
        config: further fields of the route configuration, or its own virtual hosts.
        fields: of the connection manager.
    """
    hosts = [host("all", routes=routes or [route()])]
    settings = {
        "stat_prefix": name,
        "delayed_close_timeout": "0.05s",
        "route_config": {"name": f"{name}Routes", "virtual_hosts": hosts, **(config or {})},
        "http_filters": [*(filters or []), ROUTER],
        "access_log": logTo(f"{name}.log", log),
        **fields,
    }
    if settings["route_config"].get("virtual_hosts") is None:
        del settings["route_config"]
    kind = "filters.network.http_connection_manager.v3.HttpConnectionManager"
    return listener(name, "127.0.0.1:0", typed("http", kind, **settings), stat_prefix=name)


def http2(**fields: Any) -> dict[str, Any]:
    """`typed_extension_protocol_options` of a cluster that speaks HTTP/2; `options` are its own."""
    return protocol({"http2_protocol_options": fields.pop("options", {})}, **fields)


def protocol(explicit: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """`typed_extension_protocol_options` of a cluster."""
    made = {"@type": f"type.googleapis.com/{OPTIONS}", **fields}
    made["explicit_http_config"] = explicit or {"http_protocol_options": {}}
    return {"typed_extension_protocol_options": {OPTIONS: made}}


class ManagerTestCase(ParityTestCase):
    """Conversations with one listener at a time; some of its stats are not compared."""

    unlike: ClassVar[str] = "rq_time|cx_tx_bytes_total"

    def compared(
        self, name: str, conversations: dict[str, Any], lines: int | None = None, stats: str = ""
    ) -> dict[str, list[str]]:
        """
        The conversations, the stats of the connection manager, and its log.

        Args:
            lines: that the log has, 0 for any number; by default one for each conversation.
            stats: a pattern of more of them.
        """
        count = len(conversations) if lines is None else lines
        pattern = rf"^http\.{name}\.(?!downstream_({self.unlike}))"
        result: dict[str, list[str]] = self.same(
            lambda side: self.talked(side, name, conversations),
            f"{pattern}|{stats}" if stats else pattern,
            f"{name}.log" if count else "",
            count,
        )
        return result

    def together(
        self, names: Iterable[str], conversations: dict[str, Any], lines: int | None = None
    ) -> None:
        """The same conversations with several listeners, at one time."""
        names = list(names)
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(lambda name: self.compared(name, conversations, lines), names))

    def talked(self, side: Side, name: str, conversations: dict[str, Any]) -> Any:
        """What came of the conversations."""
        return http1(side.program.port(name), conversations)
