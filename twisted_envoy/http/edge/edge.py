"""
Edge: everything that a connection manager does to headers, read from its config once.

Envoy: extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import IAddress

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.edge.client_cert import XFCC, ClientCertRules, readClientCert
from twisted_envoy.http.edge.date import DateText
from twisted_envoy.http.edge.detection import isIn, xffDetector
from twisted_envoy.http.edge.local_address import localAddress
from twisted_envoy.http.edge.proxy_status import ProxyStatus
from twisted_envoy.http.edge.refusal import Refusal
from twisted_envoy.http.edge.request import RequestEdge
from twisted_envoy.http.edge.request_id import UUIDRequestID
from twisted_envoy.http.edge.response import ResponseEdge
from twisted_envoy.http.edge.rules import (
    AddedRules,
    HostRules,
    PathRules,
    ResponseRules,
    TrustRules,
)
from twisted_envoy.network.cidr import CIDRTable
from twisted_envoy.network.matchers import buildCIDR
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.values import dataclass

PrepareRequest = Callable[[HeaderMap, RequestInfo, StreamInfo, bool], "Refusal | None"]
"""See RequestEdge.prepare."""

_NORMALIZE = "http_connection_manager.normalize_path"
_SLASHES = "http_connection_manager.path_with_escaped_slashes_action"
_SLASH_ACTIONS = {
    **{1: "KEEP_UNCHANGED", 2: "REJECT_REQUEST"},
    **{3: "UNESCAPE_AND_REDIRECT", 4: "UNESCAPE_AND_FORWARD"},
}


@dataclass(frozen=True, slots=True)
class EdgeFacts:
    """
    What an Edge needs and its config's own fields do not say.

    Attributes:
        acceptsHTTP10: http_protocol_options.accept_http_10.
        internalOnly: internal_only_headers of the route configuration, lower-case.
        serviceCluster, serviceNode: of this server (`--service-cluster`, node.cluster).
    """

    acceptsHTTP10: bool = False
    internalOnly: tuple[bytes, ...] = ()
    serviceCluster: str = ""
    serviceNode: str = ""


class Edge:
    """
    Prepares the requests and responses of one connection manager.

    Args:
        config: View of its HttpConnectionManager.
        context: an IFactoryContext.
    Raises:
        ConfigError: fields that may not be mixed.

    Attributes:
        passes: whether a request is let pass, by its headers, and its path left as it is.
        ids: makes each request its x-request-id; None where it does not.
        isSameForAll: responses are prepared alike, whatever the request.
        isUsual: requests are prepared as the config says, and none is refused in between.
    """

    __slots__ = (
        *("_usual", "ids", "isSameForAll", "isUsual", "passes", "prepareRequest"),
        "prepareResponse",
    )

    prepareRequest: PrepareRequest
    prepareResponse: Callable[[HeaderMap, RequestInfo, HeaderMap | None], None]

    def __init__(self, config: Any, context: Any, facts: EdgeFacts | None = None) -> None:
        facts = facts or EdgeFacts()
        ids = _readRequestID(config, context)
        self.ids = None if config.generate_request_id is False else ids
        added = _readAdded(config, context, facts, self.ids)
        config.moot("represent_ipv4_remote_address_as_ipv4_mapped_ipv6", "Envoy 1.40 ignores it")
        config.moot("add_proxy_protocol_connection_state", "nothing here asks for that state")
        certificates = readClientCert(config)
        requests = RequestEdge(
            _readPath(config, context),
            _readHost(config),
            _readTrust(config, context),
            added,
            facts.acceptsHTTP10,
            keepsCertificate=certificates is not None,
        )
        self.passes = requests.passes
        self.prepareRequest = requests.prepare
        if certificates is not None:
            self.prepareRequest = _withClientCert(requests.prepare, certificates)
        self._usual = self.prepareRequest
        self.isUsual = True
        rules = _readResponses(config, facts, ids)
        self.isSameForAll = not rules.tellsID and rules.proxyStatus is None
        self.prepareResponse = ResponseEdge(rules, DateText(context.reactor.seconds)).prepare

    def prepareBy(self, prepare: PrepareRequest | None) -> None:
        """Have requests prepared by somebody else; None: as the config says, again."""
        self.isUsual = prepare is None
        self.prepareRequest = prepare or self._usual


def _readRequestID(config: Any, context: Any) -> UUIDRequestID:
    extension = config.request_id_extension
    if extension is None or extension.typed_config is None:
        return UUIDRequestID()
    factory, inner = context.extensions.openAny(extension.typed_config, "", "request_id", extension)
    made: UUIDRequestID = factory.build(inner, context)
    return made


def _readAdded(
    config: Any, context: Any, facts: EdgeFacts, ids: UUIDRequestID | None
) -> AddedRules:
    userAgent = config.add_user_agent is True
    return AddedRules(
        scheme=_readScheme(config),
        serviceCluster=facts.serviceCluster.encode() if userAgent else None,
        serviceNode=facts.serviceNode.encode(),
        via=config.via.encode(),
        requestID=ids,
        keepsID=config.preserve_external_request_id,
        early=tuple(
            context.build(each, "http.early_header_mutation")
            for each in config.early_header_mutation_extensions
        ),
        internalOnly=facts.internalOnly,
    )


def _readResponses(config: Any, facts: EdgeFacts, ids: UUIDRequestID) -> ResponseRules:
    transformation = config.server_header_transformation
    return ResponseRules(
        server=config.server_name.encode() or b"envoy",
        overwrites=transformation == "OVERWRITE",
        ifAbsent=transformation == "APPEND_IF_ABSENT",
        via=config.via.encode(),
        requestID=ids,
        tellsID=config.always_set_request_id_in_response,
        proxyStatus=_readProxyStatus(config.proxy_status_config, facts),
    )


def _readScheme(config: Any) -> bytes:
    transformation = config.scheme_header_transformation
    if transformation is None or transformation.which("transformation") is None:
        return b""
    scheme: str = transformation.scheme_to_overwrite
    return scheme.encode()


def _readPath(config: Any, context: Any) -> PathRules:
    normalize = config.normalize_path
    if normalize is None:
        normalize = context.runtime.percent(_NORMALIZE, 0.0) > 100 * context.random.random()
    slashes = config.path_with_escaped_slashes_action
    if slashes == "IMPLEMENTATION_SPECIFIC_DEFAULT":
        chosen = context.runtime.integer(_SLASHES)
        slashes = _SLASH_ACTIONS[chosen if chosen in range(2, 5) else 1]
    return PathRules(normalize, config.merge_slashes, slashes)


def _readHost(config: Any) -> HostRules:
    anyPort, ownPort = config.strip_any_host_port, config.strip_matching_host_port
    if anyPort and ownPort:
        raise config.error(
            "Error: Only one of `strip_matching_host_port` or `strip_any_host_port` can be set.",
            "strip_any_host_port",
        )
    return HostRules(config.strip_trailing_host_dot, anyPort, ownPort)


def _readTrust(config: Any, context: Any) -> TrustRules:
    useRemote = config.use_remote_address is True
    hops = config.xff_num_trusted_hops
    extensions = config.original_ip_detection_extensions
    if extensions and useRemote:
        raise config.error(
            "Original IP detection extensions and use_remote_address may not be mixed",
            "original_ip_detection_extensions",
        )
    if extensions and hops:
        raise config.error(
            "Original IP detection extensions and xff_num_trusted_hops may not be mixed",
            "original_ip_detection_extensions",
        )
    detectors = tuple(context.build(each, "http.original_ip_detection") for each in extensions)
    return TrustRules(
        useRemoteAddress=useRemote,
        hops=hops,
        detectors=detectors or (xffDetector(hops),),
        asksAlways=bool(detectors),
        isInternal=_readInternal(config.internal_address_config),
        append=not config.skip_xff_append,
        localAddress=localAddress() if useRemote or detectors else "127.0.0.1",
        appendPort=config.append_x_forwarded_port,
        schemes=_readSchemes(config.forward_proto_config),
    )


def _readSchemes(config: Any) -> dict[int, bytes] | None:
    if config is None:
        return None
    return {
        **dict.fromkeys(config.http_destination_ports, b"http"),
        **dict.fromkeys(config.https_destination_ports, b"https"),
    }


def _readProxyStatus(config: Any, facts: EdgeFacts) -> ProxyStatus | None:
    if config is None:
        return None
    name = config.literal_proxy_name
    if config.use_node_id:
        name = facts.serviceNode
    return ProxyStatus(
        name or "envoy",
        details=not config.remove_details,
        termination=not config.remove_connection_termination_details,
        flags=not config.remove_response_flags,
        recommends=config.set_recommended_response_code,
    )


def _readInternal(config: Any) -> Callable[[IAddress | None], bool] | None:
    if config is None:
        return None
    pipes: bool = config.unix_sockets
    ranges = set(map(buildCIDR, config.cidr_ranges))
    table = CIDRTable((each, True) for each in ranges)

    def isInternal(address: IAddress | None) -> bool:
        return isIn(table, address) or (pipes and isinstance(address, UNIXAddress))

    return isInternal


def _withClientCert(prepare: PrepareRequest, rules: ClientCertRules) -> PrepareRequest:
    """The same, and x-forwarded-client-cert, which it leaves where it is."""

    def prepareBoth(
        headers: HeaderMap, info: RequestInfo, connection: StreamInfo, isTLS: bool
    ) -> Refusal | None:
        refusal = prepare(headers, info, connection, isTLS)
        if refusal is None:
            rules.apply(headers, headers.joined(XFCC), connection.tls)
        return refusal

    return prepareBoth
