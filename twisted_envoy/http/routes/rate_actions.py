"""
Rate limit actions: each gives one entry of what a request is counted by.

Envoy: config.route.v3.RateLimit.Action, source/common/router/router_ratelimit.cc
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.config.extensions import buildWith
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import compileText
from twisted_envoy.http.routes.conditions import queryCondition
from twisted_envoy.http.routes.entry import CLUSTER
from twisted_envoy.http.routes.paths import QueryCache, decodedParameters
from twisted_envoy.network.cidr import V4, AddressKey, parseAddress
from twisted_envoy.network.matchers import buildCIDR, buildHeaderMatch, fieldName
from twisted_envoy.network.matching.inputs import HTTP, buildInput
from twisted_envoy.state.addresses import hostText, portOf
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext

Entry = tuple[str, bytes]
"""A key and a value."""

NO_ENTRY: Entry = ("", b"")

Action = Callable[[HeaderMap, RequestInfo], "Entry | None"]
"""Gives an entry; NO_ENTRY to go on without one; None: the request is not counted by this."""

DESCRIPTORS = "rate_limit_descriptors"
"""The category of extensions that are actions; their factories build an Action."""

_FORMATS = "envoy.reloadable_features.enable_formatter_for_ratelimit_action_descriptor_value"


def buildAction(view: Any, context: Any) -> Action:
    """
    Read a RateLimit.Action.

    Raises:
        ConfigError: a wrong matcher or format, an extension that is not known.
    """
    kind: str = view.which("action_specifier")
    return _ACTIONS[kind](getattr(view, kind), context)


def _sourceCluster(view: Any, context: Any) -> Action:
    entry = ("source_cluster", context.node.cluster.encode())
    return lambda headers, info: entry


def _destinationCluster(view: Any, context: Any) -> Action:
    def action(headers: HeaderMap, info: RequestInfo) -> Entry | None:
        route = info.route
        if route is None or route.kind != CLUSTER:
            return None
        name: str = route.clusterName(headers) or ""
        return "destination_cluster", name.encode("utf-8", "surrogateescape")

    return action


def _requestHeaders(view: Any, context: Any) -> Action:
    name = fieldName(view.header_name)
    key: str = view.descriptor_key
    otherwise = NO_ENTRY if view.skip_if_absent else None

    def action(headers: HeaderMap, info: RequestInfo) -> Entry | None:
        value = headers.get(name)
        return otherwise if value is None else (key, value)

    return action


def _queryParameters(view: Any, context: Any) -> Action:
    name: bytes = view.query_parameter_name.encode()
    key: str = view.descriptor_key
    otherwise = NO_ENTRY if view.skip_if_absent else None

    def action(headers: HeaderMap, info: RequestInfo) -> Entry | None:
        value = decodedParameters(headers.get(b":path", b"")).get(name)
        return otherwise if value is None else (key, value)

    return action


def _remoteAddress(view: Any, context: Any) -> Action:
    def action(headers: HeaderMap, info: RequestInfo) -> Entry | None:
        address = info.remoteAddress
        if portOf(address) is None:
            return None
        return "remote_address", hostText(address).encode()

    return action


def _maskedRemoteAddress(view: Any, context: Any) -> Action:
    v4: int | None = view.v4_prefix_mask_len
    v6: int | None = view.v6_prefix_mask_len

    def action(headers: HeaderMap, info: RequestInfo) -> Entry | None:
        key = _remoteKey(info)
        if key is None:
            return None
        bits, address = key
        length = v4 if bits == V4 else v6
        if length is None:
            length = bits
        packed = (address >> (bits - length) << (bits - length)).to_bytes(bits // 8, "big")
        text = socket.inet_ntop(socket.AF_INET if bits == V4 else socket.AF_INET6, packed)
        return "masked_remote_address", b"%b/%d" % (text.encode(), length)

    return action


def _remoteKey(info: RequestInfo) -> AddressKey | None:
    address = info.remoteAddress
    return None if portOf(address) is None else parseAddress(hostText(address))


def _remoteAddressMatch(view: Any, context: Any) -> Action:
    matcher = view.address_matcher
    ranges = tuple(map(buildCIDR, matcher.ranges))
    invert: bool = matcher.invert_match

    def matches(headers: HeaderMap, info: RequestInfo) -> bool:
        key = _remoteKey(info)
        return key is not None and any(one.contains(key) for one in ranges) is not invert

    return _valueIf(matches, view, "remote_address_match", context, True)


def _genericKey(view: Any, context: Any) -> Action:
    return _valueIf(None, view, "generic_key", context)


def _headerValueMatch(view: Any, context: Any) -> Action:
    matchers = tuple(map(buildHeaderMatch, view.headers))
    wanted: bool = view.expect_match is not False

    def matches(headers: HeaderMap, info: RequestInfo) -> bool:
        return all(match(headers) for match in matchers) is wanted

    return _valueIf(matches, view, "header_match", context)


def _queryParameterValueMatch(view: Any, context: Any) -> Action:
    queries = QueryCache(decodedParameters)
    matchers = tuple(queryCondition(one, queries) for one in view.query_parameters)
    wanted: bool = view.expect_match is not False

    def matches(headers: HeaderMap, info: RequestInfo) -> bool:
        return all(match(headers, info, 0) for match in matchers) is wanted

    return _valueIf(matches, view, "query_match", context)


def _valueIf(
    matches: Callable[[HeaderMap, RequestInfo], bool] | None,
    view: Any,
    defaultKey: str,
    context: Any,
    formats: bool = False,
) -> Action:
    """The view's descriptor_value for what matches; a format only where Envoy takes it for one."""
    key: str = view.descriptor_key or defaultKey
    value: str = view.descriptor_value
    default: bytes = view.default_value.encode()
    if not (formats or context.runtime.boolean(_FORMATS, False)):
        plain = (key, value.encode())
        if matches is None:
            return lambda headers, info: plain
        return lambda headers, info: plain if matches(headers, info) else None
    try:
        text = compileText(value, omitEmpty=True)
    except FormatError as problem:
        raise view.error(str(problem), "descriptor_value") from None
    seconds = context.reactor.seconds

    def action(headers: HeaderMap, info: RequestInfo) -> Entry | None:
        if matches is not None and not matches(headers, info):
            return None
        said = text(FormatContext(info, now=seconds())).encode("utf-8", "surrogateescape")
        return (key, said or default) if said or default else None

    return action


def _dynamicMetadata(view: Any, context: Any) -> Action:
    return _metadataValue(view, None, lambda headers, info: info.dynamicMetadata)


def _metadata(view: Any, context: Any) -> Action:
    otherwise = NO_ENTRY if view.skip_if_absent else None
    return _metadataValue(view, otherwise, _SOURCES[view.source](context))


def _ofCluster(context: Any) -> Callable[[HeaderMap, RequestInfo], Mapping[str, Any]]:
    clusters = context.clusters

    def source(headers: HeaderMap, info: RequestInfo) -> Mapping[str, Any]:
        route = info.route
        name = route.clusterName(headers) if route is not None else None
        cluster = clusters.get(name) if name else None
        return {} if cluster is None else cluster.metadata

    return source


_SOURCES: dict[str, Callable[[Any], Callable[[HeaderMap, RequestInfo], Mapping[str, Any]]]] = {
    "DYNAMIC": lambda context: lambda headers, info: info.dynamicMetadata,
    "ROUTE_ENTRY": lambda context: (
        lambda headers, info: {} if info.route is None else info.route.metadata
    ),
    "CLUSTER_ENTRY": _ofCluster,
    # No host is chosen yet when requests are counted.
    "CLUSTER_LOCALITY_ENTRY": lambda context: lambda headers, info: {},
}


def _metadataValue(
    view: Any,
    otherwise: Entry | None,
    source: Callable[[HeaderMap, RequestInfo], Mapping[str, Any]],
) -> Action:
    """The text at a path; what is no text is not there."""
    key: str = view.descriptor_key
    path = [view.metadata_key.key, *(segment.key for segment in view.metadata_key.path_)]
    if view.default_value:
        otherwise = (key, view.default_value.encode())

    def action(headers: HeaderMap, info: RequestInfo) -> Entry | None:
        value: object = source(headers, info)
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        if isinstance(value, str) and value:
            return key, value.encode("utf-8", "surrogateescape")
        return otherwise

    return action


def _extension(view: Any, context: Any) -> Action:
    """One of its own kind; else what a matcher's input sees, under the extension's name."""
    holder = view.typed_config
    if holder is not None and f".{DESCRIPTORS}." in holder.typeName:
        factory, config = context.extensions.open(view, DESCRIPTORS)
        made: Action = buildWith(factory, config, context, view)
        return made
    name: str = view.name
    look = buildInput(view, HTTP, context)

    def action(headers: HeaderMap, info: RequestInfo) -> Entry | None:
        value = look(info)
        if not isinstance(value, str):
            return None
        return (name, value.encode("utf-8", "surrogateescape")) if value else NO_ENTRY

    return action


_ACTIONS: dict[str, Callable[[Any, Any], Action]] = {
    "source_cluster": _sourceCluster,
    "destination_cluster": _destinationCluster,
    "request_headers": _requestHeaders,
    "query_parameters": _queryParameters,
    "remote_address": _remoteAddress,
    "generic_key": _genericKey,
    "header_value_match": _headerValueMatch,
    "dynamic_metadata": _dynamicMetadata,
    "metadata": _metadata,
    "extension": _extension,
    "masked_remote_address": _maskedRemoteAddress,
    "query_parameter_value_match": _queryParameterValueMatch,
    "remote_address_match": _remoteAddressMatch,
}
