"""Edges and requests for tests."""

from __future__ import annotations

from twisted.internet.address import IPv4Address

from tests.extensions.support import Context, configOf
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.config.extensions import Extensions
from twisted_envoy.http.edge import Edge
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo

MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
LOOPBACK_CIDR = {"cidr_ranges": [{"address_prefix": "127.0.0.0", "prefix_len": 8}]}
UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z"
PORT = 8080


class EdgeContext(Context):
    """A context that builds extensions."""

    def __init__(self):
        super().__init__()
        self.extensions = Extensions()

    def build(self, extension, category):
        factory, config = self.extensions.open(extension, category)
        return factory.build(config, self)


def managerConfig(**fields):
    """The View of a connection manager's config."""
    return configOf(MANAGER, {"stat_prefix": "t", "route_config": {}, **fields})


def makeEdge(facts=None, context=None, **fields):
    """An Edge of a config with these fields."""
    return Edge(managerConfig(**fields), context or EdgeContext(), facts)


def connectionFrom(host="127.0.0.1", port=PORT):
    """A connection's StreamInfo."""
    return StreamInfo(0.0, IPv4Address("TCP", "127.0.0.1", port), IPv4Address("TCP", host, 999))


def requestOf(*fields, path=b"/", method=b"GET", host=b"h"):
    """The headers of a request."""
    headers = HeaderMap(((b":method", method),))
    if host is not None:
        headers.add(b":authority", host)
    if path is not None:
        headers.add(b":path", path)
    for name, value in fields:
        headers.add(name, value)
    return headers


class Sent:
    """A request that went through an edge: `refusal`, `headers`, `info`."""

    def __init__(self, edge, headers, host="127.0.0.1", protocol="HTTP/1.1", isTLS=False):
        connection = connectionFrom(host)
        self.info = RequestInfo(connection, 0.0)
        self.info.protocol = protocol
        self.headers = headers
        self.refusal = edge.prepareRequest(headers, self.info, connection, isTLS)

    def names(self):
        """Of all headers, in order, without the usual ones."""
        usual = {b":method", b":authority", b":path", b":scheme"}
        return [name for name in self.headers if name not in usual]

    def value(self, name):
        """Of a header, joined; None for none."""
        return self.headers.joined(name)
