"""
What is checked and changed of a request before its route is looked for.

Envoy: ConnectionManagerImpl::ActiveStream::decodeHeaders,
ConnectionManagerUtility::mutateRequestHeaders
"""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.formatter.operators.values import isGRPC
from twisted_envoy.http.edge.appending import XFF, append, appendXFF
from twisted_envoy.http.edge.cleaning import (
    ALWAYS_CLEANED,
    CLEANED_OF_EDGE,
    CLEANED_OF_EXTERNAL,
    NEVER_PASSED,
    clean,
)
from twisted_envoy.http.edge.client_cert import XFCC
from twisted_envoy.http.edge.detection import lastAddress
from twisted_envoy.http.edge.hop_by_hop import NAMES_NOTHING, sanitizeConnection
from twisted_envoy.http.edge.host import stripDot, stripPort
from twisted_envoy.http.edge.joining import JOINED_IN_REQUESTS, joinValues
from twisted_envoy.http.edge.path import canonicalPath, mergeSlashes, unescapeSlashes
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
from twisted_envoy.http.edge.request_id import REQUEST_ID
from twisted_envoy.http.edge.rules import AddedRules, HostRules, PathRules, TrustRules
from twisted_envoy.state.addresses import portOf
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo

XFP = b"x-forwarded-proto"
XFPORT = b"x-forwarded-port"
_SCHEMES = frozenset((b"http", b"https"))
_WATCHED = ALWAYS_CLEANED | {XFF}
"""A request with none of these, and none that external ones may not have, is a plain one."""


class RequestEdge:
    """
    Prepares requests.

    Args:
        acceptsHTTP10: requests of HTTP/1.0 are served.
        keepsCertificate: x-forwarded-client-cert is for somebody else to look after.
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
        "_never",
        "_path",
        "_plain",
        "_requestID",
        "_scheme",
        "_schemes",
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
        keepsCertificate: bool = False,
    ) -> None:
        self._never = NEVER_PASSED - {XFCC} if keepsCertificate else NEVER_PASSED
        self._acceptsHTTP10 = acceptsHTTP10
        self._path = path if path != PathRules() else None
        self._host = host if host != HostRules() else None
        self._trust = trust
        self._useRemote = trust.useRemoteAddress
        self._added = added if added.via or added.serviceCluster is not None else None
        self._scheme = added.scheme
        self._keepsID = added.keepsID
        self._asksAlways = trust.asksAlways
        self._schemes = trust.schemes
        self._appendsPort = trust.appendPort
        self._early = added.early
        self._requestID = added.requestID
        cleaned = CLEANED_OF_EDGE if trust.useRemoteAddress else CLEANED_OF_EXTERNAL
        self._external = cleaned.union(added.internalOnly)
        special = (self._path, self._host, self._added, self._schemes, self._scheme, self._early)
        switches = (self._useRemote, self._asksAlways, self._appendsPort)
        self._plain = None if any(special) or any(switches) else self._external | _WATCHED

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
        plain = self._plain
        if plain is not None and headers.more is None and plain.isdisjoint(headers):
            path = headers.get(b":path", b"")
            if (
                path[:1] == b"/"
                and b"#" not in path
                and b":authority" in headers
                and info.protocol != "HTTP/1.0"
            ):
                scheme = b"https" if isTLS else b"http"
                if XFP in headers:
                    told = headers[XFP].lower()
                    scheme = told if told in _SCHEMES else scheme
                else:
                    headers[XFP] = scheme
                if b":scheme" not in headers:
                    headers[b":scheme"] = scheme
                ids = self._requestID
                if ids is not None and not headers.get(REQUEST_ID):
                    headers[REQUEST_ID] = ids.ready.pop() if ids.ready else ids.new()
                return None
        return self._prepare(headers, info, connection, isTLS)

    def passes(self, headers: HeaderMap, protocol: str) -> bool:
        """
        Whether requests with these headers are never refused, and `prepare` leaves their paths.

        Args:
            headers: as decoded.
        """
        path = headers.get(b":path", b"")
        return (
            self._path is None
            and not self._early
            and (self._useRemote or not (self._asksAlways or XFF in headers))
            and headers.more is None
            and path[:1] == b"/"
            and b"#" not in path
            and b":authority" in headers
            and protocol != "HTTP/1.0"
        )

    def _prepare(
        self, headers: HeaderMap, info: RequestInfo, connection: StreamInfo, isTLS: bool
    ) -> Refusal | None:
        """Of a request that is anything but plain."""
        if headers.more is not None:
            joinValues(headers, JOINED_IN_REQUESTS)
        named = headers.get(b"connection")
        if named is not None and (named not in NAMES_NOTHING or headers.more is not None):
            if not sanitizeConnection(headers):
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
        scheme = b"https" if isTLS else b"http"
        if self._schemes is not None:
            scheme = _schemeOf(self._schemes, connection, scheme)
        if not ALWAYS_CLEANED.isdisjoint(headers):
            clean(headers, self._never)
        edge = False
        internal = False
        if self._useRemote:
            internal = self._fromPeer(headers, info, connection, scheme)
            edge = not internal
        elif XFF in headers or self._asksAlways:
            found = self._detect(headers, info, connection)
            if isinstance(found, Refusal):
                return found
            internal = found
        if XFP not in headers:
            headers[XFP] = scheme
        if self._appendsPort:
            self._tellPort(headers, connection)
        if self._scheme:
            headers.set(b":scheme", self._scheme)
            headers.set(XFP, self._scheme)
        elif b":scheme" not in headers:
            told = headers[XFP].lower()
            headers[b":scheme"] = told if told in _SCHEMES else scheme
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
        self, headers: HeaderMap, info: RequestInfo, connection: StreamInfo, scheme: bytes
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
            headers.set(XFP, scheme)
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
            if not found.skipsAppend:
                appendXFF(headers, connection.remoteAddress, trust.localAddress)
            if found.address is not None:
                info.remoteAddress = found.address
                return (
                    found.trusted
                    and trust.isInternal is not None
                    and trust.isInternal(found.address)
                )
        return False

    def _tellPort(self, headers: HeaderMap, connection: StreamInfo) -> None:
        port = portOf(connection.localAddress)
        isOurs = self._useRemote and not self._trust.hops
        if port is not None and (isOurs or XFPORT not in headers):
            headers.set(XFPORT, b"%d" % port)


def _schemeOf(schemes: Mapping[int, bytes], connection: StreamInfo, scheme: bytes) -> bytes:
    """That of the port to which the client came, where another listener or proxy passed it on."""
    local = connection.localAddress
    if local is connection.directLocalAddress:
        return scheme
    return schemes.get(portOf(local) or 0, scheme)


def _add(added: AddedRules, headers: HeaderMap) -> None:
    if added.serviceCluster is not None:
        headers.set(b"x-envoy-downstream-service-cluster", added.serviceCluster)
        if not headers.get(b"user-agent"):
            headers.set(b"user-agent", added.serviceCluster)
        if added.serviceNode:
            headers.set(b"x-envoy-downstream-service-node", added.serviceNode)
    if added.via:
        append(headers, b"via", added.via)


def _tellAddress(headers: HeaderMap, address: IAddress | None) -> None:
    if isinstance(address, (IPv4Address, IPv6Address)):
        headers.set(b"x-envoy-external-address", address.host.encode("ascii"))


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
