"""What a connection manager's config says about headers, read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted.internet.interfaces import IAddress

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.detection import Detector
from twisted_envoy.http.edge.proxy_status import ProxyStatus
from twisted_envoy.http.edge.request_id import UUIDRequestID
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.values import dataclass

EarlyMutation = Callable[[HeaderMap, RequestInfo], bool]
"""What an extension of the category `http.early_header_mutation` builds; False ends the list."""


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
        schemes: of connections whose address a listener filter restored, by the port in it.
    """

    useRemoteAddress: bool = False
    hops: int = 0
    detectors: tuple[Detector, ...] = ()
    asksAlways: bool = False
    isInternal: Callable[[IAddress | None], bool] | None = None
    append: bool = True
    localAddress: str = "127.0.0.1"
    appendPort: bool = False
    schemes: Mapping[int, bytes] | None = None


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


@dataclass(frozen=True, slots=True)
class ResponseRules:
    """
    What responses say.

    Attributes:
        server: of the header; overwrites, ifAbsent: that of the upstream goes, or only if it has
            none; neither: it is left alone.
        via: joins the header, unless empty.
        requestID, tellsID: the request's id is in the response.
        proxyStatus: adds the header of that name; None does not.
    """

    server: bytes = b"envoy"
    overwrites: bool = True
    ifAbsent: bool = False
    via: bytes = b""
    requestID: UUIDRequestID | None = None
    tellsID: bool = False
    proxyStatus: ProxyStatus | None = None
