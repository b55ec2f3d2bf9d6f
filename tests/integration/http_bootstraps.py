"""Bootstraps with an HTTP connection manager on a free port and a cluster on this machine."""

from __future__ import annotations

from typing import Any

from tests.http.manager import ADDRESS, ORIGIN, PROXIED, bootstrap

_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def protocol(**options: Any) -> dict[str, Any]:
    """The field of a cluster that says which HTTP it speaks: explicit_http_config={...}."""
    config = {"@type": f"type.googleapis.com/{_HTTP}", **options}
    return {"typed_extension_protocol_options": {_HTTP: config}}


HTTP2 = protocol(explicit_http_config={"http2_protocol_options": {}})


def proxy(
    port: int,
    routes: list[dict[str, Any]] | None = None,
    cluster: dict[str, Any] | None = None,
    **manager: Any,
) -> str:
    """
    A bootstrap whose listener `web` proxies to a port of this machine.

    Args:
        routes: None for one that proxies everything.
        manager: further fields of the connection manager; its access log is off.
    """
    manager = {"access_log": [], **manager}
    text = bootstrap(routes or [PROXIED], cluster=cluster, **manager)
    for address, other in ((ADDRESS, 0), (ORIGIN, port)):
        old = f'"port_value": {address.rpartition(":")[2]}'
        assert old in text
        text = text.replace(old, f'"port_value": {other}')
    return text


def answering(body: str, status: int = 200, **manager: Any) -> str:
    """A bootstrap whose listener `web` answers everything itself."""
    routes = [
        {
            "match": {"prefix": "/"},
            "direct_response": {"status": status, "body": {"inline_string": body}},
        }
    ]
    return proxy(1, routes, **manager)
