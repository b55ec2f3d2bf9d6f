"""Small bootstraps, written as the tests need them."""

from __future__ import annotations

import json
from typing import Any

EXTENSIONS = "type.googleapis.com/envoy.extensions."
INTERNAL = {
    "name": "envoy.bootstrap.internal_listener",
    "typed_config": {"@type": EXTENSIONS + "bootstrap.internal_listener.v3.InternalListener"},
}


def typed(name: str, kind: str, **fields: Any) -> dict[str, Any]:
    """A name with a typed_config of `envoy.extensions.<kind>`."""
    return {"name": name, "typed_config": {"@type": EXTENSIONS + kind, **fields}}


def tcpProxy(cluster: str | None = "origin", prefix: str = "tcp", **fields: Any) -> dict[str, Any]:
    """The TCP proxy filter."""
    if cluster is not None:
        fields["cluster"] = cluster
    return typed("tcp", "filters.network.tcp_proxy.v3.TcpProxy", stat_prefix=prefix, **fields)


def echo() -> dict[str, Any]:
    """The echo filter."""
    return typed("echo", "filters.network.echo.v3.Echo")


def directResponse(text: str) -> dict[str, Any]:
    """The filter that answers with a text."""
    return typed(
        "answer", "filters.network.direct_response.v3.Config", response={"inline_string": text}
    )


def setFilterState(key: str, value: str, shared: str = "NONE", **fields: Any) -> dict[str, Any]:
    """The filter that stores an object when a connection is made."""
    stored = {
        "object_key": key,
        "factory_key": "envoy.string",
        "format_string": {"text_format_source": {"inline_string": value}},
        "shared_with_upstream": shared,
        **fields,
    }
    kind = "filters.network.set_filter_state.v3.Config"
    return typed("state", kind, on_new_connection=[stored])


def logTo(path: str, text: str) -> list[dict[str, Any]]:
    """An `access_log` of one file with one text format; a newline is added."""
    format = {"text_format_source": {"inline_string": text + "\n"}}
    kind = "access_loggers.file.v3.FileAccessLog"
    return [typed("log", kind, path=path, log_format=format)]


def addressOf(text: str) -> dict[str, Any]:
    """A config.core.v3.Address: `host:port`, `/path` or `internal:name[/id]`."""
    if text.startswith("internal:"):
        name, _, endpointID = text[len("internal:") :].partition("/")
        internal = {"server_listener_name": name, "endpoint_id": endpointID}
        return {"envoy_internal_address": internal}
    if text.startswith(("/", "@")):
        return {"pipe": {"path": text}}
    host, _, port = text.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}


def listener(name: str, address: str, /, *filters: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A listener with one chain (or `filter_chains`); an internal one's address is `internal:`."""
    made: dict[str, Any] = {"name": name}
    if address == "internal:":
        made["internal_listener"] = {}
    else:
        made["address"] = addressOf(address)
    if filters:
        made["filter_chains"] = [{"filters": list(filters)}]
    return {**made, **fields}


def cluster(name: str, /, *addresses: str, **fields: Any) -> dict[str, Any]:
    """A static cluster of these endpoints."""
    hosts = [{"endpoint": {"address": addressOf(address)}} for address in addresses]
    assignment = {"cluster_name": name, "endpoints": [{"lb_endpoints": hosts}]}
    return {"name": name, "load_assignment": assignment, **fields}


def bootstrap(
    listeners: list[dict[str, Any]], clusters: list[dict[str, Any]] | None = None, **fields: Any
) -> str:
    """The text of a bootstrap; with the extension for internal listeners."""
    resources = {"listeners": listeners, "clusters": clusters or []}
    whole = {"bootstrap_extensions": [INTERNAL], "static_resources": resources, **fields}
    return json.dumps(whole, indent=1)


def proxied(clusterFields: dict[str, Any] | None = None, **fields: Any) -> str:
    """
    Listener `ingress` on 127.0.0.1:9000 -> TCP proxy (prefix `tcp`) -> cluster `origin`, whose one
    endpoint is 127.0.0.1:10000.
    """
    return bootstrap(
        [listener("ingress", "127.0.0.1:9000", tcpProxy(**fields))],
        [cluster("origin", "127.0.0.1:10000", **(clusterFields or {}))],
    )
