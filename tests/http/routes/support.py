"""Route tables of YAML, and requests for them."""

from __future__ import annotations

import random
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.config.bootstrap import decodeText, envoyPlans
from twisted_envoy.config.extensions import Extensions
from twisted_envoy.config.load import Text
from twisted_envoy.config.rules import validate
from twisted_envoy.config.unread import unread
from twisted_envoy.config.view import viewOf
from twisted_envoy.errors import ConfigError
from twisted_envoy.http.routes.entry import RouteEntry
from twisted_envoy.http.routes.table import RouteTable, buildRouteTable
from twisted_envoy.server.runtime import Runtime
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.scope import Store

TYPE = "envoy.config.route.v3.RouteConfiguration"


class Clusters(dict):  # type: ignore[type-arg]
    """A cluster manager."""

    def isKnown(self, name: str) -> bool:
        return name in self


class Context:
    """An IFactoryContext; clusters are known by name."""

    validating = False

    def __init__(self, *clusters: str, runtime: dict[str, object] | None = None) -> None:
        self.reactor = Clock()
        self.stats = self.scope = Store()
        self.random = random.Random(7)
        self.runtime = Runtime(runtime)
        self.clusters = Clusters({name: object() for name in clusters or ("a", "b", "c")})
        self.extensions = Extensions()

    def build(self, extension: Any, category: str) -> Any:
        factory, config = self.extensions.open(extension, category)
        return factory.build(config, self)


def viewOfYAML(yaml: str, typeName: str = TYPE) -> Any:
    """The checked View of a message."""
    plan = envoyPlans().find(typeName)
    assert plan is not None
    record, unit = decodeText(Text("test.yaml", yaml), plan, [])
    validate(record, unit, [])
    return viewOf(record)


def tableOf(yaml: str, context: Any = None, obeyed: bool = True) -> RouteTable:
    """A table; all that is set has to be obeyed unless told otherwise."""
    view = viewOfYAML(yaml)
    table = buildRouteTable(view, Context() if context is None else context)
    left = [field.path for field in unread(view)]
    if obeyed and left:
        raise AssertionError(left)
    return table


def routes(*yamls: str, host: str = "", config: str = "") -> str:
    """A configuration with one virtual host; each text is a route in YAML's flow style."""
    lines = "".join(f"\n  - {yaml}" for yaml in yamls)
    return f"""
name: table
{config}
virtual_hosts:
- name: all
  domains: ["*"]
  {host}
  routes:{lines}
"""


def request(path: str | None = "/", host: str = "h.test", **more: str) -> HeaderMap:
    """The headers of a GET; underscores stand for dashes."""
    headers = HeaderMap(((b":method", b"GET"), (b":scheme", b"http")))
    headers.set(b":authority", host.encode())
    if path is not None:
        headers.set(b":path", path.encode())
    for name, value in more.items():
        name = f":{name}" if name in ("method", "scheme") else name.replace("_", "-")
        headers.set(name.encode(), value.encode())
    return headers


def requestInfo() -> RequestInfo:
    """Of a request from 10.0.0.1:1234 to 10.0.0.2:80."""
    local, remote = IPv4Address("TCP", "10.0.0.2", 80), IPv4Address("TCP", "10.0.0.1", 1234)
    return RequestInfo(StreamInfo(0.0, local, remote, 1), 0.0)


def match(
    table: RouteTable, headers: HeaderMap | str = "/", value: int = 0, info: Any = None
) -> RouteEntry | None:
    """What the table says to a request."""
    if isinstance(headers, str):
        headers = request(headers)
    return table.match(headers, requestInfo() if info is None else info, value)


def names(table: RouteTable, *paths: str) -> list[str | None]:
    """The names of the routes of paths."""
    found = (match(table, path) for path in paths)
    return [None if entry is None else entry.name for entry in found]


def edited(
    table: RouteTable, headers: HeaderMap | str = "/", value: int = 0
) -> tuple[HeaderMap, RouteEntry]:
    """The headers as they go upstream, and the entry."""
    if isinstance(headers, str):
        headers = request(headers)
    info = requestInfo()
    info.requestHeaders = headers
    entry = match(table, headers, value, info)
    assert entry is not None
    entry.finalizeRequest(headers, info)
    return headers, entry


def only(yaml: str, context: Any = None, obeyed: bool = True) -> RouteEntry:
    """The entry of the one route of a table."""
    entry = match(tableOf(routes(yaml), context, obeyed))
    assert entry is not None
    return entry


def action(yaml: str, context: Any = None) -> RouteEntry:
    """The entry of a route to the cluster a whose action has these fields too."""
    return only(f"{{match: {{prefix: /}}, route: {{cluster: a, {yaml}}}}}", context)


def problem(yaml: str, context: Any = None) -> str:
    """What is wrong with a configuration."""
    try:
        tableOf(yaml, context)
    except ConfigError as error:
        return error.problem
    raise AssertionError("nothing is wrong")


def wrong(yaml: str) -> str:
    """What is wrong with a route."""
    return problem(routes(yaml))


def wrongAction(yaml: str) -> str:
    """What is wrong with a route to the cluster a whose action has these fields too."""
    return wrong(f"{{match: {{prefix: /}}, route: {{cluster: a, {yaml}}}}}")
