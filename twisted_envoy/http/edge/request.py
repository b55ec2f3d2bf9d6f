"""
What is checked and changed of a request before its route is looked for.

Envoy: ConnectionManagerImpl::ActiveStream::decodeHeaders,
ConnectionManagerUtility::mutateRequestHeaders
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.detection import Detector, lastAddress
from twisted_envoy.http.edge.hop_by_hop import isUpgrade, sanitizeConnection, sanitizeTE
from twisted_envoy.http.edge.host import stripDot, stripPort
from twisted_envoy.http.edge.path import canonicalPath, mergeSlashes, unescapeSlashes
from twisted_envoy.http.edge.referer import isReferer
from twisted_envoy.http.edge.refusal import (
    ABSOLUTE_PATH,
    BAD_PATH,
    CONNECTION_HEADER,
    LOW_VERSION,
    MISSING_HOST,
    MISSING_PATH,
    Refusal,
    redirectTo,
)
from twisted_envoy.http.edge.request_id import UUIDRequestID
from twisted_envoy.http.grpc import isGRPC
from twisted_envoy.network.cidr import LOOPBACKS, ipKey
from twisted_envoy.state.addresses import portOf
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo

EarlyMutation = Callable[[HeaderMap, RequestInfo], bool]
"""What an extension of the category `http.early_header_mutation` builds; False ends the list."""

XFF = b"x-forwarded-for"
XFP = b"x-forwarded-proto"
XFPORT = b"x-forwarded-port"
SCHEMES = frozenset((b"http", b"https"))

ALWAYS_CLEANED = frozenset(
    (
        *(b"connection", b"upgrade", b"te", b"keep-alive", b"proxy-connection"),
        *(b"transfer-encoding", b"referer", b"x-envoy-internal", b"x-forwarded-client-cert"),
    )
)
"""Seldom there, and looked at in every request."""

NEVER_PASSED = ALWAYS_CLEANED - {b"connection", b"upgrade", b"te", b"referer"}

CLEANED_OF_EXTERNAL = frozenset(
    b"x-envoy-" + name
    for name in (
        *(b"retriable-status-codes", b"retriable-header-names", b"retry-on", b"retry-grpc-on"),
        *(b"max-retries", b"upstream-alt-stat-name", b"upstream-rq-timeout-ms", b"force-trace"),
        *(b"upstream-rq-per-try-timeout-ms", b"upstream-rq-timeout-alt-response", b"ip-tags"),
        *(b"expected-rq-timeout-ms", b"original-url", b"hedge-on-per-try-timeout"),
    )
)
"""What tells the router what to do; only internal requests may."""

CLEANED_OF_EDGE = CLEANED_OF_EXTERNAL | frozenset(
    (
        *(b"x-envoy-decorator-operation", b"x-envoy-downstream-service-cluster"),
        *(b"x-envoy-downstream-service-node", b"x-envoy-original-path", b"x-envoy-original-host"),
    )
)
"""What only a front proxy may say."""


@dataclass(frozen=True, slots=True)
class PathRules:
    """How paths are normalized; slashes: Envoy's name of what is done with escaped ones."""

    normalize: bool = False
    merge: bool = False
    slashes: str = "KEEP_UNCHANGED"


@dataclass(frozen=True, slots=True)
class HostRules:
    """What is stripped of the host: its last dot, its port if any, its port if it is our own."""

    dot: bool = False
    anyPort: bool = False
    ownPort: bool = False


@dataclass(frozen=True, slots=True)
class TrustRules:
    """
    Whom a request comes from.

    Attributes:
        useRemoteAddress: our peer is the client, or the last proxy that is not ours.
        hops: so many entries of x-forwarded-for are by our own proxies.
        detectors: asked in turn, unless useRemoteAddress. asksAlways: without x-forwarded-for too.
        isInternal: is an address one of our own network? None: none is.
        append: our peer joins x-forwarded-for. localAddress: stands there for loopback peers.
        appendPort: x-forwarded-port is set.
    """

    useRemoteAddress: bool = False
    hops: int = 0
    detectors: tuple[Detector, ...] = ()
    asksAlways: bool = False
    isInternal: Callable[[IAddress | None], bool] | None = None
    append: bool = True
    localAddress: str = "127.0.0.1"
    appendPort: bool = False


@dataclass(frozen=True, slots=True)
class AddedRules:
    """
    What requests are given.

    Attributes:
        scheme: overwrites `:scheme` and x-forwarded-proto; b"" does not.
        serviceCluster, serviceNode: of add_user_agent; serviceCluster None adds nothing.
        via: joins the header, unless empty.
        requestID: None gives none. keepsID: that of an external request is kept.
        early: changes before all others. internalOnly: removed unless the request is internal.
    """

    scheme: bytes = b""
    serviceCluster: bytes | None = None
    serviceNode: bytes = b""
    via: bytes = b""
    requestID: UUIDRequestID | None = None
    keepsID: bool = False
    early: tuple[EarlyMutation, ...] = ()
    internalOnly: tuple[bytes, ...] = ()


class RequestEdge:
    """
    Prepares requests.

    Args:
        acceptsHTTP10: requests of HTTP/1.0 are served.
    """

    __slots__ = (
        "_acceptsHTTP10",
        "_added",
        "_appendsPort",
        "_asksAlways",
        "_early",
        "_external",
        "_host",
        "_keepsID",
        "_path",
        "_requestID",
        "_scheme",
        "_trust",
        "_useRemote",
    )

    def __init__(
        self,
        path: PathRules,
        host: HostRules,
        trust: TrustRules,
        added: AddedRules,
        acceptsHTTP10: bool = False,
    ) -> None:
        self._acceptsHTTP10 = acceptsHTTP10
        self._path = path if path != PathRules() else None
        self._host = host if host != HostRules() else None
        self._trust = trust
        self._useRemote = trust.useRemoteAddress
        self._added = added if added.via or added.serviceCluster is not None else None
        self._scheme = added.scheme
        self._keepsID = added.keepsID
        self._asksAlways = trust.asksAlways
        self._appendsPort = trust.appendPort
        self._early = added.early
        self._requestID = added.requestID
        cleaned = CLEANED_OF_EDGE if trust.useRemoteAddress else CLEANED_OF_EXTERNAL
        self._external = cleaned.union(added.internalOnly)

    def prepare(
        self, headers: HeaderMap, info: RequestInfo, connection: StreamInfo, isTLS: bool
    ) -> Refusal | None:
        """
        Check and change the headers of a request; `info.remoteAddress` becomes the client's.

        Args:
            headers: of the request, as decoded; `:scheme` may be missing.
            isTLS: the connection is secured.
        Returns:
            How to answer the request instead of routing it; None: route it.
        """
        if b"connection" in headers and not sanitizeConnection(headers):
            return CONNECTION_HEADER
        if info.protocol == "HTTP/1.0" and not self._acceptsHTTP10:
            return LOW_VERSION
        if b":authority" not in headers:
            return MISSING_HOST
        path = headers.get(b":path")
        if path:
            if not path.startswith(b"/"):
                return ABSOLUTE_PATH
            if b"#" in path:
                return BAD_PATH
            if self._path is not None:
                refusal = _normalizePath(self._path, headers, path)
                if refusal is not None:
                    return refusal
        elif path is not None or headers.get(b":method") != b"CONNECT":
            return MISSING_PATH
        if self._host is not None:
            _normalizeHost(self._host, headers, connection)
        return self._change(headers, info, connection, isTLS)

    def _change(
        self, headers: HeaderMap, info: RequestInfo, connection: StreamInfo, isTLS: bool
    ) -> Refusal | None:
        for mutate in self._early:
            if not mutate(headers, info):
                break
        if not ALWAYS_CLEANED.isdisjoint(headers):
            _clean(headers)
        edge = False
        internal = False
        if self._useRemote:
            internal = self._fromPeer(headers, info, connection, isTLS)
            edge = not internal
        elif XFF in headers or self._asksAlways:
            found = self._detect(headers, info, connection)
            if isinstance(found, Refusal):
                return found
            internal = found
        if XFP not in headers:
            headers[XFP] = b"https" if isTLS else b"http"
        if self._appendsPort:
            self._tellPort(headers, connection)
        if self._scheme:
            headers.set(b":scheme", self._scheme)
            headers.set(XFP, self._scheme)
        elif b":scheme" not in headers:
            scheme = headers[XFP].lower()
            headers[b":scheme"] = scheme if scheme in SCHEMES else b"https" if isTLS else b"http"
        if internal:
            headers.set(b"x-envoy-internal", b"true")
        elif not self._external.isdisjoint(headers):
            for name in self._external.intersection(headers):
                headers.remove(name)
        if self._added is not None:
            _add(self._added, headers)
        if edge:
            _tellAddress(headers, info.remoteAddress)
        if self._requestID is not None:
            self._requestID.set(headers, edge, self._keepsID)
        return None

    def _fromPeer(
        self, headers: HeaderMap, info: RequestInfo, connection: StreamInfo, isTLS: bool
    ) -> bool:
        """use_remote_address; returns whether the request is an internal one."""
        trust = self._trust
        given = headers.joined(XFF)
        peer = connection.remoteAddress
        address = peer
        if trust.hops:
            address = lastAddress(given, trust.hops - 1)[0] or peer
        info.remoteAddress = address
        if trust.append:
            appendXFF(headers, peer, trust.localAddress)
        if not trust.hops or XFP not in headers:
            headers.set(XFP, b"https" if isTLS else b"http")
        return given is None and trust.isInternal is not None and trust.isInternal(address)

    def _detect(
        self, headers: HeaderMap, info: RequestInfo, connection: StreamInfo
    ) -> bool | Refusal:
        """Ask who the client is; returns whether the request is an internal one."""
        trust = self._trust
        for detect in trust.detectors:
            found = detect(headers, connection)
            if isinstance(found, Refusal):
                return found
            if found.address is not None:
                info.remoteAddress = found.address
                if trust.append and not found.skipsAppend:
                    appendXFF(headers, connection.remoteAddress, trust.localAddress)
                return (
                    found.trusted
                    and trust.isInternal is not None
                    and trust.isInternal(found.address)
                )
        return False

    def _tellPort(self, headers: HeaderMap, connection: StreamInfo) -> None:
        port = portOf(connection.localAddress)
        if port is not None and (not self._trust.hops or XFPORT not in headers):
            headers.set(XFPORT, b"%d" % port)


def _add(added: AddedRules, headers: HeaderMap) -> None:
    if added.serviceCluster is not None:
        headers.set(b"x-envoy-downstream-service-cluster", added.serviceCluster)
        if not headers.get(b"user-agent"):
            headers.set(b"user-agent", added.serviceCluster)
        if added.serviceNode:
            headers.set(b"x-envoy-downstream-service-node", added.serviceNode)
    if added.via:
        append(headers, b"via", added.via)


def append(headers: HeaderMap, name: bytes, value: bytes, separator: bytes = b", ") -> None:
    """Join a value to what a header has."""
    given = headers.joined(name)
    headers.set(name, given + separator + value if given else value)


def appendXFF(headers: HeaderMap, peer: IAddress | None, localAddress: str) -> None:
    """Join our peer to x-forwarded-for; a loopback peer is written as this machine's address."""
    if isinstance(peer, (IPv4Address, IPv6Address)):
        text = localAddress if ipKey(peer) in LOOPBACKS else peer.host
        append(headers, XFF, text.encode("ascii"), b",")


def _tellAddress(headers: HeaderMap, address: IAddress | None) -> None:
    if isinstance(address, (IPv4Address, IPv6Address)):
        headers.set(b"x-envoy-external-address", address.host.encode("ascii"))


def _clean(headers: HeaderMap) -> None:
    """Remove what is for us alone, or not to be believed."""
    if isUpgrade(headers):
        if b"transfer-encoding" not in headers and b"content-length" not in headers:
            headers[b"content-length"] = b"0"
    else:
        headers.remove(b"connection")
        headers.remove(b"upgrade")
    for name in NEVER_PASSED:
        headers.remove(name)
    if b"te" in headers:
        sanitizeTE(headers)
    referer = headers.joined(b"referer")
    if referer is not None and not isReferer(referer):
        headers.remove(b"referer")


def _normalizePath(rules: PathRules, headers: HeaderMap, whole: bytes) -> Refusal | None:
    path, mark, query = whole.partition(b"?")
    given = path
    redirects = False
    if rules.slashes != "KEEP_UNCHANGED":
        path = unescapeSlashes(path)
        if path != given:
            if rules.slashes == "REJECT_REQUEST":
                return BAD_PATH
            redirects = rules.slashes == "UNESCAPE_AND_REDIRECT"
    if rules.normalize:
        made = canonicalPath(path)
        if made is None:
            return BAD_PATH
        path = made
    if rules.merge:
        path = mergeSlashes(path)
    if path != given:
        headers[b":path"] = path + mark + query
    if not redirects:
        return None
    return BAD_PATH if isGRPC(headers) else redirectTo(path + mark + query)


def _normalizeHost(rules: HostRules, headers: HeaderMap, connection: StreamInfo) -> None:
    host = headers[b":authority"]
    if rules.dot:
        host = stripDot(host)
    if rules.anyPort:
        host = stripPort(host, None)
    elif rules.ownPort:
        port = portOf(connection.localAddress)
        if port is not None:
            host = stripPort(host, port)
    headers[b":authority"] = host
