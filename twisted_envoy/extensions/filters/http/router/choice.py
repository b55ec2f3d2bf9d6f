"""Where a request goes: nowhere at all, to which host, through which pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.router.replies import OVERLOADED
from twisted_envoy.http.routes.redirect import REQUEST_URL
from twisted_envoy.http.routes.retry import RetrySettings
from twisted_envoy.interfaces.http import IHTTPPool
from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.upstream.options import optionsOf

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.filter import Router


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
        status, location = route.redirect.newLocation(headers)
        stream.sendLocalReply(status, b"", "direct_response", ((b"location", location),))
    elif route.kind == "direct_response":
        stats.rq_direct_response.value += 1
        response = route.directResponse
        status = response.status
        more: tuple[tuple[bytes, bytes], ...] = ()
        if status == 201 or 300 <= status < 400:
            more = ((b"location", REQUEST_URL.newLocation(headers)[1]),)
        if response.contentType is not None:
            more = (*more, (b"content-type", response.contentType))
        stream.sendLocalReply(status, response.makeBody(router.info), "direct_response", more)
    else:
        stats.no_cluster.value += 1
        router.info.raiseFlag("NC")
        stream.sendLocalReply(503, b"", "cluster_not_found")


def refusal(router: Router, name: str) -> bool:
    """Refuse the request when the cluster is in maintenance; True: it was."""
    settings = router.settings
    share = settings.runtime.percent("upstream.maintenance_mode." + name, 0.0)
    if not share or settings.random.random() * 100.0 >= share:
        return False
    router.info.raiseFlag("UO")
    router.cluster.stats.upstream_rq_maintenance_mode.value += 1
    headers = () if settings.suppressesHeaders else (OVERLOADED,)
    router.stream.sendLocalReply(503, b"maintenance mode", "maintenance_mode", headers)
    return True


def chooseHost(cluster: Any, context: LoadBalancerContext, policy: RetrySettings) -> Any:
    """A host for another attempt; asks again while a predicate refuses the one that is given."""
    host = cluster.chooseHost(context)
    predicates = policy.hostPredicates
    left = policy.hostSelectionAttempts if predicates else 0
    while left and host is not None and any(refuses(host, context.tried) for refuses in predicates):
        left -= 1
        host = cluster.chooseHost(context)
    return host


def poolFor(router: Router, host: Any, route: Any) -> IHTTPPool:
    """The pool that has streams to the host."""
    info = router.info
    options = optionsOf(info, router.stream.connection.transport)
    pool: IHTTPPool = router.cluster.httpPool(host, info.protocol, options, route.priority)
    return pool
