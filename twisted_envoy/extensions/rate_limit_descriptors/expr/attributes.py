"""
Attributes of requests, by the names that CEL expressions have for them.

Envoy: source/extensions/filters/common/expr/context.cc
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.network.matchers import fieldName
from twisted_envoy.state.addresses import addressText, portOf
from twisted_envoy.state.request_info import RequestInfo

Attribute = Callable[[HeaderMap, RequestInfo], "bytes | None"]
"""Its text; None where a request has no such attribute."""

_PATH = re.compile(
    r"""
    \s* [a-z_]+
    (?: \s* \. \s* [A-Za-z_][A-Za-z0-9_]*
      | \s* \[ \s* (?: '[^'\\\n]*' | "[^"\\\n]*" ) \s* \] )+
    \s* \Z
    """,
    re.VERBOSE,
)
_STEP = re.compile(r"""'([^']*)'|"([^"]*)"|([A-Za-z_][A-Za-z0-9_]*)""")
_KEYWORDS = frozenset(("false", "in", "null", "true"))


def buildAttribute(text: str, context: Any) -> Attribute | None:
    """What gives the attribute that an expression names; None when it names none that is known."""
    if not _PATH.match(text):
        return None
    steps = [found[0] or found[1] or found[2] for found in _STEP.findall(text)]
    if not _KEYWORDS.isdisjoint(steps):
        return None
    if steps[:2] == ["request", "headers"] and len(steps) == 3:
        return _header(steps[2])
    if steps == ["xds", "cluster_name"]:
        return _cluster(context)
    return _ATTRIBUTES.get(".".join(steps)) if len(steps) == 2 else None


def _header(name: str) -> Attribute:
    key = fieldName(name)
    return lambda headers, info: headers.joined(key)


def _cluster(context: Any) -> Attribute:
    clusters = context.clusters

    def attribute(headers: HeaderMap, info: RequestInfo) -> bytes | None:
        route = info.route
        name: str | None = None if route is None else route.clusterName(headers)
        if name is None or clusters.get(name) is None:
            return None
        return name.encode("utf-8", "surrogateescape")

    return attribute


def _port(address: Any) -> bytes | None:
    port = portOf(address)
    return None if port is None else b"%d" % port


def _routeName(headers: HeaderMap, info: RequestInfo) -> bytes | None:
    return None if info.route is None else str(info.route.name).encode()


def _hostName(headers: HeaderMap, info: RequestInfo) -> bytes | None:
    return None if info.route is None else str(info.route.virtualHost.name).encode()


_ATTRIBUTES: dict[str, Attribute] = {
    "request.method": lambda headers, info: headers.get(b":method"),
    "request.path": lambda headers, info: headers.get(b":path"),
    "request.url_path": lambda headers, info: headers.get(b":path", b"").partition(b"?")[0],
    "request.query": lambda headers, info: headers.get(b":path", b"").partition(b"?")[2],
    "request.host": lambda headers, info: headers.get(b":authority"),
    "request.scheme": lambda headers, info: headers.get(b":scheme"),
    "request.referer": lambda headers, info: headers.get(b"referer"),
    "request.useragent": lambda headers, info: headers.get(b"user-agent"),
    "request.id": lambda headers, info: headers.get(b"x-request-id"),
    "request.protocol": lambda headers, info: info.protocol.encode(),
    "source.address": lambda headers, info: addressText(info.remoteAddress).encode(),
    "source.port": lambda headers, info: _port(info.remoteAddress),
    "destination.address": lambda headers, info: addressText(info.localAddress).encode(),
    "destination.port": lambda headers, info: _port(info.localAddress),
    "connection.requested_server_name": lambda headers, info: info.requestedServerName.encode(),
    "xds.route_name": _routeName,
    "xds.virtual_host_name": _hostName,
}
