"""Where a request goes: nowhere at all, to which host, through which pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.proxy_protocol import proxyHeader
from twisted_envoy.extensions.common.filter_state.objects import DEBUG_CONFIG, DebugConfig
from twisted_envoy.extensions.filters.http.router.asked import firstMalformed
from twisted_envoy.extensions.filters.http.router.replies import OVERLOADED
from twisted_envoy.extensions.filters.http.router.tcp_upstream import TCPUpstreamPool
from twisted_envoy.http.routes.redirect import REQUEST_URL
from twisted_envoy.http.routes.retry import RetrySettings
from twisted_envoy.http.routes.rewrite import updateAuthority
from twisted_envoy.http.upgrade import requestToHTTP2
from twisted_envoy.interfaces.http import IHTTPPool
from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.upstream.options import optionsOf

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.filter import Router

MAINTENANCE = "upstream.maintenance_mode."
"""Runtime key of a cluster's share of refused requests, before its name."""
_NOT_FORWARDED = ((b"x-envoy-not-forwarded", b"true"),)


def answerWithoutUpstream(router: Router, route: Any, headers: HeaderMap) -> None:
    """Answer a request that has no route, or a route that answers itself."""
    stats = router.settings.stats
    stream = router.stream
    if route is None:
        stats.no_route.value += 1
        router.info.raiseFlag("NR")
        stream.sendLocalReply(404, b"", "route_not_found")
        return
    if route.kind == "redirect":
        stats.rq_direct_response.value += 1
        redirect = route.redirect
        status, location = redirect.newLocation(headers, router.info)
        redirect.rewriteRequest(headers, router.info, not router.settings.suppressesHeaders)
        stream.sendLocalReply(status, b"", "direct_response", ((b"location", location),))
    elif route.kind == "direct_response":
        stats.rq_direct_response.value += 1
        response = route.directResponse
        status = response.status
        more: tuple[tuple[bytes, bytes], ...] = ()
        if status == 201 or 300 <= status < 400:
            more = ((b"location", REQUEST_URL.newLocation(headers, router.info)[1]),)
        if response.contentType is not None:
            more = (*more, (b"content-type", response.contentType))
        stream.sendLocalReply(status, response.makeBody(router.info), "direct_response", more)
    else:
        stats.no_cluster.value += 1
        router.info.raiseFlag("NC")
        stream.sendLocalReply(503, b"", "cluster_not_found")


def refused(router: Router, headers: HeaderMap, name: str) -> bool:
    """Refuse a request with malformed headers, or to a cluster in maintenance; True: it was."""
    settings = router.settings
    stream = router.stream
    if settings.strictHeaders:
        bad = firstMalformed(headers, settings.strictHeaders)
        if bad is not None:
            router.info.raiseFlag("IH")
            body = b"invalid header '%s' with value '%s'" % (bad, headers[bad])
            details = f"request_headers_failed_strict_check{{{bad.decode()}}}"
            stream.sendLocalReply(400, body, details)
            return True
    if not settings.maintained:
        return False
    share = settings.runtime.percent(MAINTENANCE + name, 0.0)
    if not share or settings.random.random() * 100.0 >= share:
        return False
    router.info.raiseFlag("UO")
    router.charge(503, None)
    router.cluster.stats.upstream_rq_maintenance_mode.value += 1
    more = () if settings.suppressesHeaders else (OVERLOADED,)
    stream.sendLocalReply(503, b"maintenance mode", "maintenance_mode", more)
    return True


def notForwarded(router: Router) -> bool:
    """Answer a request that filter state keeps from its upstream; True: it was."""
    debug = router.info.stateOf(DEBUG_CONFIG)
    if not isinstance(debug, DebugConfig) or not debug.doNotForward:
        return False
    router.attempts = router.info.attemptCount = 1
    router.stream.sendLocalReply(204, b"", "", _NOT_FORWARDED)
    return True


def chooseHost(cluster: Any, context: LoadBalancerContext, policy: RetrySettings) -> Any:
    """A host for another attempt; asks again while a predicate refuses the one that is given."""
    context.attempt = 0
    host = cluster.chooseHost(context)
    predicates = policy.hostPredicates
    left = policy.hostSelectionAttempts if predicates else 0
    while left and host is not None and any(refuses(host, context.tried) for refuses in predicates):
        left -= 1
        context.attempt += 1
        host = cluster.chooseHost(context)
    return host


def poolFor(router: Router, host: Any, route: Any, headers: HeaderMap) -> IHTTPPool | None:
    """The pool that has streams to the host; None when no further pool is allowed."""
    info = router.info
    connection = router.stream.connection
    options = optionsOf(info, connection.transport, router.cluster)
    if route.upgrades:
        connect = route.upgrades.get("connect")
        if connect is not None and connect.connect is not None:
            method = headers.get(b":method")
            isConnect = method == b"CONNECT" and b":protocol" not in headers
            if isConnect or (method == b"POST" and connect.connect.allowPost):
                version = connect.connect.proxyProtocolVersion
                own = connection.streamInfo
                preface = (
                    proxyHeader(version, own.remoteAddress, own.localAddress) if version else b""
                )
                return TCPUpstreamPool(host, options, preface, router.settings.nextID)
    pool: IHTTPPool | None = router.cluster.httpPool(host, info.protocol, options, route.priority)
    return pool


def headersFor(headers: HeaderMap, route: Any, host: Any, protocol: str) -> HeaderMap:
    """The request's headers for one host; in the spelling of its protocol."""
    if route.autoHostRewrite and host.hostname:
        updateAuthority(headers, host.hostname.encode(), route.appendXForwardedHost)
    return requestToHTTP2(headers) if protocol == "HTTP/2" else headers
