"""What the proxies that read Envoy's configuration are given, by the kind of work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

Config = dict[str, Any]

_EXTENSIONS = "type.googleapis.com/envoy.extensions."
_FILTERS = _EXTENSIONS + "filters."
_MANAGER = "network.http_connection_manager.v3.HttpConnectionManager"
_MOST = 100_000
HELLO = "Hello, world!\n"


@dataclass(frozen=True)
class Place:
    """
    What a bootstrap needs to know.

    Attributes:
        port: where it listens.
        upstream: the port that it forwards to.
        certificate, key: files, for TLS.
        second: a port for a second proxy of the same kind.
    """

    port: int
    upstream: int
    certificate: str
    key: str
    second: int


def _typed(name: str, kind: str, **fields: Any) -> Config:
    return {"name": name, "typed_config": {"@type": kind, **fields}}


def _address(port: int) -> Config:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _cluster(name: str, address: Config, http2: bool = False) -> Config:
    """A cluster of one host, without limits: Envoy's default would stop at 1024 connections."""
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    limits = ("max_connections", "max_pending_requests", "max_requests")
    made: Config = {
        "name": name,
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
        "circuit_breakers": {"thresholds": [dict.fromkeys(limits, _MOST)]},
    }
    if http2:
        kind = "upstreams.http.v3.HttpProtocolOptions"
        made["typed_extension_protocol_options"] = {
            f"envoy.extensions.{kind}": {
                "@type": _EXTENSIONS + kind,
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        }
    return made


def _inside(listener: str) -> Config:
    return {"envoy_internal_address": {"server_listener_name": listener}}


def _listener(name: str, port: int | None, filter: Config, tls: Place | None = None) -> Config:
    chain: Config = {"filters": [filter]}
    if tls is not None:
        files = {
            "certificate_chain": {"filename": tls.certificate},
            "private_key": {"filename": tls.key},
        }
        chain["transport_socket"] = _typed(
            "tls",
            _EXTENSIONS + "transport_sockets.tls.v3.DownstreamTlsContext",
            common_tls_context={"tls_certificates": [files]},
        )
    where: Config = {"internal_listener": {}} if port is None else {"address": _address(port)}
    return {"name": name, **where, "filter_chains": [chain]}


def _tcp(cluster: str, **fields: Any) -> Config:
    kind = _FILTERS + "network.tcp_proxy.v3.TcpProxy"
    return _typed("tcp", kind, stat_prefix=cluster, cluster=cluster, **fields)


def _http(
    routes: list[Config], largest: int = 0, filters: tuple[Config, ...] = (), **fields: Any
) -> Config:
    table: Config = {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}
    if largest:
        table["max_direct_response_body_size_bytes"] = largest
    router = _typed("router", _FILTERS + "http.router.v3.Router")
    return _typed(
        "http",
        _FILTERS + _MANAGER,
        stat_prefix="http",
        route_config=table,
        http_filters=[*filters, router],
        **fields,
    )


def _to(cluster: str) -> list[Config]:
    return [{"match": {"prefix": "/"}, "route": {"cluster": cluster}}]


def _busy(place: Place, answered: bool) -> Config:
    """Ten routes, the last of which is taken, two filters that do nothing, and an access log."""
    last = [_HELLO] if answered else _to("up")
    routes = [
        *({"match": {"path": f"/path/{number}"}, "redirect": _GONE} for number in range(4)),
        *({"match": {"prefix": f"/prefix/{number}"}, "redirect": _GONE} for number in range(4)),
        {"match": {"prefix": "/", "headers": [{"name": "x-none"}]}, "redirect": _GONE},
        *last,
    ]
    filters = (
        _typed("cors", _FILTERS + "http.cors.v3.Cors"),
        _typed("fault", _FILTERS + "http.fault.v3.HTTPFault"),
    )
    path = str(Path(place.certificate).with_name(f"{place.port}.log"))
    log = _typed("log", _EXTENSIONS + "access_loggers.file.v3.FileAccessLog", path=path)
    return _http(routes, filters=filters, access_log=[log])


def _answers(path: str, body: Config) -> Config:
    return {"match": {"prefix": path}, "direct_response": {"status": 200, "body": body}}


_GONE: Config = {"path_redirect": "/"}
_HELLO = _answers("/", {"inline_string": HELLO})


def _server(listeners: list[Config], clusters: list[Config]) -> Config:
    made: Config = {"static_resources": {"listeners": listeners, "clusters": clusters}}
    if any("internal_listener" in listener for listener in listeners):
        kind = "bootstrap.internal_listener.v3.InternalListener"
        made["bootstrap_extensions"] = [_typed("internal", _EXTENSIONS + kind)]
    return made


def origin(port: int, big: str, size: int) -> Config:
    """An HTTP server for both versions: a short answer, and a file of that size at /big."""
    routes = [_answers("/big", {"filename": big}), _HELLO]
    old = {"accept_http_10": True}  # twisted.web.proxy
    manager = _http(routes, largest=size, http_protocol_options=old)
    return _server([_listener("origin", port, manager)], [])


def proxies(kind: str, place: Place) -> list[tuple[Config, int]]:
    """
    The bootstraps of one kind of work, with the port of each; the first is the one to talk to.

    Args:
        kind: tcp, internal, http, http2 (upstream), direct, connect or tls; `http log` and
            `direct log` have ten routes, two idle filters and an access log.
    """
    upstream = _address(place.upstream)
    if kind == "tcp":
        made = _server([_listener("in", place.port, _tcp("up"))], [_cluster("up", upstream)])
    elif kind == "internal":
        made = _server(
            [_listener("in", place.port, _tcp("hop")), _listener("inner", None, _tcp("up"))],
            [_cluster("hop", _inside("inner")), _cluster("up", upstream)],
        )
    elif kind == "direct":
        made = _server([_listener("in", place.port, _http([_HELLO]))], [])
    elif kind == "direct log":
        made = _server([_listener("in", place.port, _busy(place, True))], [])
    elif kind == "connect":
        return _connect(place)
    else:
        manager = _busy(place, False) if kind == "http log" else _http(_to("up"))
        made = _server(
            [_listener("in", place.port, manager, place if kind == "tls" else None)],
            [_cluster("up", upstream, http2=kind == "http2")],
        )
    return [(made, place.port)]


def _connect(place: Place) -> list[tuple[Config, int]]:
    """A request in a CONNECT over HTTP/2: one proxy puts it in, another takes it out."""
    encapsulating = _server(
        [
            _listener("in", place.port, _http(_to("hop"))),
            _listener("encap", None, _tcp("up", tunneling_config={"hostname": "host.test:443"})),
        ],
        [_cluster("hop", _inside("encap")), _cluster("up", _address(place.second), http2=True)],
    )
    upgrade = {"upgrade_type": "CONNECT", "connect_config": {}}
    route = {
        "match": {"connect_matcher": {}},
        "route": {"cluster": "hop", "upgrade_configs": [upgrade]},
    }
    outer = _http(
        [route],
        http2_protocol_options={"allow_connect": True},
        upgrade_configs=[{"upgrade_type": "CONNECT"}],
    )
    terminating = _server(
        [_listener("in", place.second, outer), _listener("decap", None, _http([_HELLO]))],
        [_cluster("hop", _inside("decap"))],
    )
    return [(encapsulating, place.port), (terminating, place.second)]
