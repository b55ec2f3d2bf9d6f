"""A connection to format: a StreamInfo with everything in it, made for the tests next door."""

from __future__ import annotations

from dataclasses import dataclass, field

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.state.filter_state import BoolObject, FilterState, StringObject, Uint64Object
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext, StreamInfo, UpstreamInfo

START = 1795400112.374098
"""2026-11-23T02:15:12.374098Z"""


@dataclass
class Cluster:
    """What formats want to know of a cluster."""

    name: str = "clu"
    observabilityName: str = ""
    metadata: dict[str, dict[str, object]] = field(default_factory=dict)


@dataclass
class Host:
    """What formats want to know of a host."""

    address: IAddress
    hostname: str = ""
    metadata: dict[str, dict[str, object]] = field(default_factory=dict)
    cluster: Cluster | None = None


@dataclass
class Listener:
    """What formats want to know of a listener."""

    metadata: dict[str, dict[str, object]] = field(default_factory=dict)


def ipv4(host: str, port: int) -> IPv4Address:
    return IPv4Address("TCP", host, port)


def bareRecord() -> FormatContext:
    """A connection of which nothing is known but its start."""
    return FormatContext(StreamInfo(START), now=START)


def fullRecord() -> FormatContext:
    """A proxied connection that has ended after 21.5 ms."""
    info = StreamInfo(START, ipv4("127.0.0.1", 9999), ipv4("127.0.0.1", 54321), 7)
    info.endTime = START + 0.0215
    info.bytesReceived, info.bytesSent = 5, 6
    info.filterChainName = "my_chain"
    info.filterChainMetadata = {"fns": {"q": 1}}
    info.listener = Listener({"lns": {"k": "v", "n": 3}})
    info.dynamicMetadata = {"dns": {"a": {"b": [1, None]}, "s": "text"}}
    info.filterState.set("str", StringObject('hello "q"'))
    info.filterState.set("bool", BoolObject(True))
    info.filterState.set("num", Uint64Object(77))
    cluster = Cluster("clu", "clualt", {"cns": {"s": "str", "d": {"x": 'y"q', "n": None}}})
    upstream = info.upstream = UpstreamInfo("clu")
    upstream.cluster = cluster
    upstream.host = Host(ipv4("10.0.0.9", 80), "host.name:99", {"hns": {"s": "hv"}}, cluster)
    upstream.localAddress = ipv4("10.0.0.1", 40000)
    upstream.remoteAddress = ipv4("10.0.0.9", 80)
    upstream.connectionID, upstream.attempts = 8, 2
    upstream.hostsAttempted = ["10.0.0.8:80", "10.0.0.9:80"]
    upstream.hostNamesAttempted = ["other", "host.name:99"]
    upstream.startTime, upstream.connectedTime = START + 0.001, START + 0.0035
    upstream.bytesSent, upstream.bytesReceived = 5, 6
    upstream.filterState = FilterState()
    upstream.filterState.set("up", StringObject("shared"))
    return FormatContext(info, "TcpConnectionEnd", START + 1)


def requestRecord(path: bytes = b"/p?a=1", *headers: tuple[bytes, bytes]) -> FormatContext:
    """A GET with these headers, of which only the head is there."""
    connection = StreamInfo(START, ipv4("127.0.0.1", 9999), ipv4("127.0.0.1", 54321), 7)
    info = RequestInfo(connection, START)
    info.protocol = "HTTP/1.1"
    info.requestHeaders = HeaderMap(
        [(b":method", b"GET"), (b":path", path), (b":authority", b"h.example:80"), *headers]
    )
    return FormatContext(info, "DownstreamEnd", START + 1)


@dataclass
class VirtualHost:
    """What formats want to know of a virtual host."""

    metadata: dict[str, dict[str, object]] = field(default_factory=dict)


@dataclass
class Route:
    """What formats want to know of a route."""

    metadata: dict[str, dict[str, object]] = field(default_factory=dict)
    virtualHost: VirtualHost = field(default_factory=VirtualHost)


def answeredRecord() -> FormatContext:
    """A proxied request that has ended after 21.5 ms."""
    record = requestRecord(b"/p?a=1", (b"x-request-id", b"the-id"), (b"x-multi", b"one"))
    info = record.streamInfo
    assert isinstance(info, RequestInfo)
    info.requestHeaders.add(b"x-multi", b"two")
    info.responseHeaders = HeaderMap([(b":status", b"200"), (b"x-up", b"here")])
    info.responseTrailers = HeaderMap([(b"t", b"last")])
    info.responseCode, info.responseCodeDetails = 200, "via_upstream"
    info.routeName, info.virtualClusterName = "main", "vc"
    info.route = Route({"ns": {"k": "rv"}}, VirtualHost({"ns": {"k": "vhv"}}))
    info.upstreamProtocol, info.attemptCount = "HTTP/2", 2
    info.lastRequestByteReceivedTime = START + 0.001
    info.firstUpstreamByteSentTime, info.lastUpstreamByteSentTime = START + 0.002, START + 0.0035
    info.firstUpstreamByteReceivedTime = START + 0.010
    info.headersReceivedTime = START + 0.0005
    info.firstUpstreamBodyByteReceivedTime = START + 0.0105
    info.lastUpstreamByteReceivedTime = START + 0.012
    info.firstResponseByteSentTime, info.lastResponseByteSentTime = START + 0.011, START + 0.0215
    info.endTime = START + 0.0215
    info.requestHeaderBytes, info.responseHeaderBytes = 93, 145
    info.wireBytesReceived, info.wireBytesSent = 152, 493
    info.upstreamHeaderBytesSent, info.upstreamHeaderBytesReceived = 274, 55
    info.upstreamWireBytesSent, info.upstreamWireBytesReceived = 327, 407
    return record
