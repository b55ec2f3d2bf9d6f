"""Broken bootstraps: one mistake each, written as what is changed in a good one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.bootstraps import (
    EXTENSIONS,
    INTERNAL,
    bootstrap,
    cluster,
    directResponse,
    echo,
    listener,
    logTo,
    setFilterState,
    tcpProxy,
    typed,
)
from tests.parity.health_refusals import healthRefusals
from tests.parity.http_refusals import httpRefusals
from tests.parity.tls_refusals import tlsRefusals

ANY_PORT = "127.0.0.1:0"
GOOD_CLUSTER = cluster("origin", "127.0.0.1:9")
RAW = typed("raw", "transport_sockets.raw_buffer.v3.RawBuffer")


def address(**fields: Any) -> dict[str, Any]:
    """A socket_address, as broken as wanted."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": 0, **fields}}


def withListener(**fields: Any) -> str:
    """One listener, changed; None takes a field away."""
    made = {**listener("l", ANY_PORT, tcpProxy()), **fields}
    return bootstrap([{k: v for k, v in made.items() if v is not None}], [GOOD_CLUSTER])


def withInternal(**fields: Any) -> str:
    """One internal listener, changed."""
    return bootstrap([{**listener("mid", "internal:", tcpProxy()), **fields}], [GOOD_CLUSTER])


def withCluster(*endpoints: dict[str, Any], **fields: Any) -> str:
    """One cluster, changed."""
    made = {**GOOD_CLUSTER, **fields}
    if endpoints:
        made["load_assignment"] = {
            "cluster_name": "origin",
            "endpoints": [{"lb_endpoints": list(endpoints)}],
        }
    return bootstrap([], [{k: v for k, v in made.items() if v is not None}])


def withFilters(*filters: dict[str, Any]) -> str:
    """One listener with these filters."""
    return bootstrap([listener("l", ANY_PORT, *filters)], [GOOD_CLUSTER])


def withProxy(**fields: Any) -> str:
    """One proxy, changed."""
    return withFilters(tcpProxy(**fields))


def chains(*matches: dict[str, Any]) -> dict[str, Any]:
    """Filter chains that match so."""
    made = [{"filter_chain_match": match, "filters": [tcpProxy()]} for match in matches]
    return {"filter_chains": made}


def endpoint(**fields: Any) -> dict[str, Any]:
    """An lb_endpoint."""
    return {"endpoint": {"address": address(port_value=9)}, **fields}


def _listeners() -> Iterator[tuple[str, str]]:
    yield "noAddress", withListener(address=None)
    yield "noChains", withListener(filter_chains=None)
    yield "malformedAddress", withListener(address=address(address="nope"))
    yield "bracketsAroundIPv6", withListener(address=address(address="[::1]"))
    yield (
        "namedPort",
        withListener(address={"socket_address": {"address": "127.0.0.1", "named_port": "http"}}),
    )
    yield "resolver", withListener(address=address(resolver_name="nope"))
    yield "portTooLarge", withListener(address=address(port_value=65536))
    yield "compatibleIPv4", withListener(address=address(ipv4_compat=True))
    yield "udpWithChains", withListener(address=address(protocol="UDP"))
    yield "longPipe", withListener(address={"pipe": {"path": "/tmp/" + "x" * 120}})
    yield "abstractPipeMode", withListener(address={"pipe": {"path": "@x", "mode": 384}})
    yield (
        "internalAddress",
        withListener(address={"envoy_internal_address": {"server_listener_name": "x"}}),
    )
    yield "additionalUDP", withListener(additional_addresses=[{"address": address(protocol="UDP")}])
    yield "foreignAddress", withListener(address=address(address="203.0.113.77"))
    yield "missingFolder", withListener(address={"pipe": {"path": "/nonexistent/x"}})
    yield "api", withListener(api_listener={})
    yield (
        "balancer",
        withListener(
            connection_balance_config={"extend_balance": typed("x", "filters.network.echo.v3.Echo")}
        ),
    )
    yield "sameChains", withListener(**chains({}, {}))
    yield "samePorts", withListener(**chains({"destination_port": 5}, {"destination_port": 5}))
    yield (
        "overlap",
        withListener(**chains({"server_names": ["a", "b"]}, {"server_names": ["b", "c"]})),
    )
    yield "partialWildcard", withListener(**chains({"server_names": ["a*.org"]}))
    yield (
        "badPrefix",
        withListener(**chains({"prefix_ranges": [{"address_prefix": "nope", "prefix_len": 8}]})),
    )
    yield "suffix", withListener(**chains({"address_suffix": "1.1.1.1"}))
    yield "badSourceType", withListener(**chains({"source_type": "LOCAL"}))
    yield "unknownListenerFilter", withListener(listener_filters=[{"name": "nope"}])
    yield "negativeTimeout", withListener(listener_filters_timeout="-1s")
    yield (
        "unknownSocket",
        withListener(
            filter_chains=[{"filters": [tcpProxy()], "transport_socket": {"name": "nope"}}]
        ),
    )
    yield "logOperator", withListener(access_log=logTo("x", "%NOPE%"))
    yield "internalWithAddress", withInternal(address=address())
    yield (
        "internalWithOptions",
        withInternal(socket_options=[{"level": 1, "name": 9, "int_value": 1}]),
    )
    yield "internalReusePort", withInternal(enable_reuse_port=False)
    yield "internalMPTCP", withInternal(enable_mptcp=True)
    yield "internalNoChains", withInternal(filter_chains=[])
    yield (
        "noExtension",
        bootstrap(
            [listener("mid", "internal:", tcpProxy())], [GOOD_CLUSTER], bootstrap_extensions=[]
        ),
    )
    small = {**INTERNAL["typed_config"], "buffer_size_kb": 0}
    yield "bufferSize", bootstrap([], bootstrap_extensions=[{"name": "x", "typed_config": small}])


def _clusters() -> Iterator[tuple[str, str]]:
    yield "noName", withCluster(name="")
    yield "zeroConnectTimeout", withCluster(connect_timeout="0s")
    yield "duplicate", bootstrap([], [GOOD_CLUSTER, GOOD_CLUSTER])
    yield "hostName", withCluster({"endpoint": {"address": address(address="localhost")}})
    yield "noEndpoint", withCluster({})
    yield "zeroWeight", withCluster(endpoint(load_balancing_weight=0))
    yield (
        "healthPortOfAPipe",
        withCluster(
            {
                "endpoint": {
                    "address": {"pipe": {"path": "/x"}},
                    "health_check_config": {"port_value": 5},
                }
            }
        ),
    )
    yield "unknownPolicy", withCluster(lb_policy="NOPE")
    yield "providedPolicy", withCluster(lb_policy="CLUSTER_PROVIDED")
    yield "missingPolicy", withCluster(lb_policy="LOAD_BALANCING_POLICY_CONFIG")
    yield "emptyPolicies", withCluster(load_balancing_policy={})
    yield "edsWithoutConfig", withCluster(type="EDS")
    yield "originalDestination", withCluster(type="ORIGINAL_DST")
    yield "customType", withCluster(type=None, cluster_type={"name": "nope"})
    yield "unknownSocketOfCluster", withCluster(transport_socket={"name": "nope"})
    yield (
        "unknownOptions",
        withCluster(
            typed_extension_protocol_options={
                "nope": {"@type": EXTENSIONS + "filters.network.echo.v3.Echo"}
            }
        ),
    )
    yield "perHost", withCluster(circuit_breakers={"per_host_thresholds": [{"max_requests": 1}]})
    kind = "transport_sockets.internal_upstream.v3.InternalUpstreamTransport"
    yield "noInnerSocket", withCluster(transport_socket=typed("i", kind))
    source = {"kind": {"route": {}}, "name": "a"}
    yield (
        "routeMetadata",
        withCluster(
            transport_socket=typed("i", kind, transport_socket=RAW, passthrough_metadata=[source])
        ),
    )


def _filters() -> Iterator[tuple[str, str]]:
    yield "noStatPrefix", withProxy(prefix="")
    yield "noClusterSpecifier", withFilters(tcpProxy(None))
    yield "emptyWeights", withFilters(tcpProxy(None, weighted_clusters={}))
    yield "zeroAttempts", withProxy(max_connect_attempts=0)
    yield "wrongDuration", withProxy(idle_timeout="1m")
    yield "shortDuration", withProxy(max_downstream_connection_duration="0.0005s")
    yield "emptyHashPolicy", withProxy(hash_policy=[{}])
    yield "connectMode", withProxy(upstream_connect_mode="ON_DOWNSTREAM_DATA")
    yield "backoff", withProxy(backoff_options={"base_interval": "2s", "max_interval": "1s"})
    yield "twoLogOptions", withProxy(access_log_options={}, access_log_flush_interval="1s")
    yield "postPath", withProxy(tunneling_config={"hostname": "a", "post_path": "/"})
    yield "emptyTLV", withProxy(proxy_protocol_tlvs=[{"type": 1}])
    yield "unknownField", withProxy(nonsense=1)
    yield "terminalFirst", withFilters(tcpProxy(), tcpProxy())
    yield "terminalMissing", withFilters(setFilterState("a", "b"))
    yield "answerThenProxy", withFilters(directResponse("x"), tcpProxy())
    yield "unknownFilter", withFilters({"name": "nope"})
    yield (
        "listenerFilter",
        withFilters(typed("t", "filters.listener.tls_inspector.v3.TlsInspector")),
    )
    yield "unknownFactory", withFilters(setFilterState("a", "b", factory_key="nope"), tcpProxy())
    yield "unknownOperator", withFilters(setFilterState("a", "%NOPE%"), tcpProxy())
    yield "unfinishedOperator", withFilters(setFilterState("a", "%REQ(x"), tcpProxy())
    kind = "filters.network.connection_limit.v3.ConnectionLimit"
    yield "zeroLimit", withFilters(typed("c", kind, stat_prefix="x", max_connections=0), tcpProxy())
    answer = "filters.network.direct_response.v3.Config"
    yield "missingFile", withFilters(typed("d", answer, response={"filename": "/nonexistent"}))
    yield "echoThenEcho", withFilters(echo(), echo())
    log = logTo("x", "%BYTES_SENT:x%")
    yield "logLength", withProxy(access_log=log)
    yield "unknownLog", withProxy(access_log=[{"name": "nope"}])
    yield "unopenableLog", withProxy(access_log=logTo("/nonexistent/x", "x"))
    flags = {"response_flag_filter": {"flags": ["NOPE"]}}
    yield "unknownFlag", withProxy(access_log=[{**logTo("x", "x")[0], "filter": flags}])


def _whole() -> Iterator[tuple[str, str]]:
    yield "empty", ""
    yield "scalar", "hello"
    yield "unclosed", "static_resources: {listeners: ["
    yield "tab", "admin:\n\taddress: x\n"
    yield "unknownTop", "nonsense: 1\n"
    yield "wrongEnum", "overload_manager: {buffer_factory_config: {}, actions: 7}\n"
    yield "listForMessage", "admin: [1]\n"
    yield "adminPort", "admin: {address: {socket_address: {address: 127.0.0.1, port_value: -1}}}\n"
    yield "adminAddress", ("admin: {address: {socket_address: {address: nope, port_value: 1}}}\n")
    yield "noType", ("bootstrap_extensions: [{name: x, typed_config: {buffer_size_kb: 1}}]\n")
    yield (
        "wrongType",
        ('bootstrap_extensions: [{name: x, typed_config: {"@type": type.googleapis.com/a.b.C}}]\n'),
    )
    yield "unknownExtension", "bootstrap_extensions: [{name: nope}]\n"
    yield "layerWithoutName", "layered_runtime: {layers: [{static_layer: {}}]}\n"
    yield (
        "layerTwice",
        ("layered_runtime: {layers: [{name: a, static_layer: {}}, {name: a, static_layer: {}}]}\n"),
    )
    yield "tagOfRegexWithoutName", "stats_config: {stats_tags: [{regex: x}]}\n"
    yield "tagWithoutNameAndValue", "stats_config: {stats_tags: [{}]}\n"
    yield "secretOfNoType", "static_resources: {secrets: [{name: a}]}\n"
    yield "unknownMonitor", "overload_manager: {resource_monitors: [{name: nope}]}\n"


def oddities() -> Iterator[tuple[str, str]]:
    """What looks wrong and is accepted."""
    yield "nothing", "{}\n"
    yield (
        "listenerTwice",
        bootstrap(
            [
                listener("l", ANY_PORT, tcpProxy()),
                listener("l", ANY_PORT, tcpProxy(prefix="other")),
            ],
            [GOOD_CLUSTER],
        ),
    )
    inner = listener("mid", "internal:", tcpProxy())
    yield "internalTwice", bootstrap([inner, inner], [GOOD_CLUSTER])
    yield "internalWithoutName", bootstrap([listener("", "internal:", tcpProxy())], [GOOD_CLUSTER])
    yield "extensionTwice", bootstrap([inner], bootstrap_extensions=[INTERNAL, INTERNAL])
    yield "unknownCluster", withProxy(cluster="nobody")
    yield "noLoadAssignment", withCluster(load_assignment=None)
    yield (
        "internalWithoutExtension",
        bootstrap([], [cluster("c", "internal:nobody")], bootstrap_extensions=[]),
    )
    yield "keyTwice", "admin: {}\nadmin: {}\n"
    yield "emptyChain", withListener(filter_chains=[{}])
    yield "tagWithoutName", bootstrap([], stats_config={"stats_tags": [{"fixed_value": "x"}]})
    default = {"filters": [echo()], "filter_chain_match": {"suffix_len": 3}}
    yield "matchOfDefaultChain", withListener(default_filter_chain=default)
    stored = setFilterState("k", "v", 99)  # type: ignore[arg-type]
    yield "unknownSharing", withFilters(stored, tcpProxy())
    yield (
        "noState",
        withFilters(typed("s", "filters.network.set_filter_state.v3.Config"), tcpProxy()),
    )
    yield "otherPolicysConfig", withCluster(least_request_lb_config={"choice_count": 3})
    yield "datagramEndpoint", withCluster({"endpoint": {"address": address(protocol="UDP")}})
    yield (
        "unusedSocketFeatures",
        withInternal(bind_to_port=False, use_original_dst=True, reuse_port=True, freebind=False),
    )
    yield (
        "defaultChainWithMatch",
        withListener(
            filter_chains=None,
            default_filter_chain={
                "filter_chain_match": {"destination_port": 3},
                "filters": [tcpProxy()],
            },
        ),
    )


def refusals() -> Iterator[tuple[str, str]]:
    """(what is wrong, the bootstrap's text) of each."""
    yield from _whole()
    yield from _listeners()
    yield from _clusters()
    yield from _filters()
    yield from tlsRefusals()
    yield from healthRefusals()
    yield from httpRefusals()
