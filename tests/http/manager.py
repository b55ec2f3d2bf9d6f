"""A bootstrap with one HTTP connection manager, for tests."""

from __future__ import annotations

import json
from typing import Any

from twisted_envoy.testing import MemoryEnvoy

_TYPES = "type.googleapis.com/envoy.extensions."
ADDRESS = "127.0.0.1:8080"
ORIGIN = "127.0.0.1:9000"
ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": f"{_TYPES}filters.http.router.v3.Router"},
}
HELLO = {
    "match": {"prefix": "/"},
    "direct_response": {"status": 200, "body": {"inline_string": "hello"}},
}
PROXIED = {"match": {"prefix": "/"}, "route": {"cluster": "origin"}}
LOG = {
    "name": "log",
    "typed_config": {
        "@type": f"{_TYPES}access_loggers.file.v3.FileAccessLog",
        "path": "log",
        "log_format": {
            "text_format_source": {
                "inline_string": "%REQ(:METHOD)% %RESPONSE_CODE% %RESPONSE_FLAGS% "
                "%RESPONSE_CODE_DETAILS% %ACCESS_LOG_TYPE%\n"
            }
        },
    },
}


def address(text: str) -> dict[str, Any]:
    """A socket address of a config."""
    host, _, port = text.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}


def bootstrap(
    routes: list[dict[str, Any]] | None = None,
    filters: list[dict[str, Any]] | None = None,
    cluster: dict[str, Any] | None = None,
    **manager: Any,
) -> str:
    """
    The text of a bootstrap: a connection manager on 127.0.0.1:8080, a cluster on 127.0.0.1:9000.

    Args:
        manager: further fields of the connection manager; its log is in the file `log`.
    """
    config = {
        "@type": f"{_TYPES}filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "web",
        "route_config": {
            "name": "routes",
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes or [HELLO]}],
        },
        "http_filters": [*(filters or []), ROUTER],
        "access_log": [LOG],
        **manager,
    }
    listener = {
        "name": "web",
        "address": address(ADDRESS),
        "filter_chains": [{"filters": [{"name": "hcm", "typed_config": config}]}],
    }
    origin = {
        "name": "origin",
        "load_assignment": {
            "cluster_name": "origin",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(ORIGIN)}}]}],
        },
        **(cluster or {}),
    }
    resources = {"listeners": [listener], "clusters": [origin]}
    return json.dumps({"static_resources": resources}, indent=1)


def run(*arguments: Any, **manager: Any) -> MemoryEnvoy:
    """The bootstrap of these arguments, running in memory."""
    return MemoryEnvoy(bootstrap(*arguments, **manager))
