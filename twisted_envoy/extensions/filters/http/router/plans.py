"""
What a route and its cluster mean to requests that ask for nothing, worked out once.

Most requests take a route to one named cluster, without hashing, copies, retries or redirects, and
have no x-envoy-* header for the router. What is done for them is in `sendPlainly`, everything else
in Router.decodeHeaders; where both do something they do the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.router.choice import MAINTENANCE, notForwarded, poolFor
from twisted_envoy.extensions.filters.http.router.failures import noHost
from twisted_envoy.extensions.filters.http.router.timeouts import (
    EXPECTED,
    Timeouts,
    usualTimeouts,
)
from twisted_envoy.http.local_reply import TEXT
from twisted_envoy.http.ready import ReadyReply
from twisted_envoy.http.routes.entry import (
    CLUSTER,
    DIRECT_RESPONSE,
    noRequestEdits,
    noResponseEdits,
)
from twisted_envoy.interfaces.upstream import LoadBalancerContext
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import UpstreamInfo

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.filter import Router
    from twisted_envoy.extensions.filters.http.router.settings import RouterSettings

_PROTOCOLS = ("HTTP/1.0", "HTTP/1.1", "HTTP/2")
_INTERNAL = b"x-envoy-internal"


class RoutePlan:
    """
    Of one route.

    Attributes:
        isPlain: the rest is there, and requests may be sent plainly.
        name, codes: of the cluster. maintenance: its runtime key.
        timeouts: of the route; expected: x-envoy-expected-rq-timeout-ms, None for none.
        pools: the downstream's protocol -> the name of the pool in Host.plainPools; None where
            pools depend on the request.
        picked: a host (or None) in a tuple, that was chosen for the request that comes now.
        edits: the route changes headers of requests.
        reply: headers and body of a direct response that is the same for all; else None.
    """

    __slots__ = (
        *("cluster", "codes", "edits", "expected", "isPlain", "maintenance", "name", "pools"),
        *("picked", "reply", "timeouts"),
    )

    cluster: Any
    codes: Any
    edits: bool
    expected: bytes | None
    maintenance: str
    name: str
    pools: dict[str, str] | None
    timeouts: Timeouts

    def __init__(self) -> None:
        self.isPlain = False
        self.reply: tuple[HeaderMap, bytes] | None = None
        self.picked: tuple[Any] | None = None


def makePlan(settings: RouterSettings, route: Any) -> RoutePlan:
    """Look at a route, which may be None."""
    plan = RoutePlan()
    if route is not None and route.kind == DIRECT_RESPONSE:
        plan.reply = _staticReply(route)
    if route is None or settings.strictHeaders or not _isPlain(route):
        return plan
    cluster = settings.clusters.get(route.cluster)
    if cluster is None or cluster.http is None or cluster.http.settings.serverNames is not None:
        return plan
    plan.isPlain = True
    plan.name = route.cluster
    plan.cluster = cluster
    plan.maintenance = MAINTENANCE + route.cluster
    plan.codes = settings.codes.of(cluster)
    plan.timeouts, expected = usualTimeouts(route)
    plan.expected = None if settings.suppressesHeaders else expected
    plan.edits = route.finalizeRequest is not noRequestEdits
    plan.pools = None
    if not (cluster.passesMetadata or cluster.sendsProxyHeader):
        spoken = cluster.http.protocolFor
        plan.pools = {one: f"{spoken(one)} {route.priority}" for one in _PROTOCOLS}
    return plan


def _staticReply(route: Any) -> tuple[HeaderMap, bytes] | None:
    response = route.directResponse
    isUsual = 200 <= response.status < 300 and response.status != 201
    if not (isUsual and response.isStatic and route.finalizeResponse is noResponseEdits):
        return None
    headers = HeaderMap(((b":status", b"%d" % response.status),))
    body: bytes = response.body
    if body:
        headers[b"content-length"] = b"%d" % len(body)
        headers[b"content-type"] = TEXT
    return headers, body


def replyAtOnce(router: Router, reply: tuple[HeaderMap, bytes], headers: HeaderMap) -> bool:
    """Send a direct response; False: something asks for another one."""
    stream: Any = router.stream
    if (
        not stream.settings.localReplies.isPlain
        or b"content-type" in headers
        or headers.get(b":method") == b"HEAD"
    ):
        return False
    router.settings.stats.rq_direct_response.value += 1
    stream.sendReply(reply[0].copy(), reply[1], "direct_response")
    return True


def readyOf(router: Router, route: Any) -> ReadyReply | None:
    """See HTTPFilter.readyReply; where a request asks for nothing."""
    settings = router.settings
    reply = (settings.plans.get(route) or settings.planOf(route)).reply
    if reply is None:
        return None
    stats = settings.stats
    return ReadyReply(reply[0], reply[1], (stats.rq_total, stats.rq_direct_response))


def _isPlain(route: Any) -> bool:
    return bool(
        route.kind == CLUSTER
        and route.cluster
        and route.maxGrpcTimeout is None
        and route.maxStreamDuration is None
        and route.hashPolicy is None
        and route.internalRedirect is None
        and not route.mirrors
        and not route.upgrades
        and not route.includeAttemptCountRequest
        and not (route.retryPolicy is not None and route.retryPolicy.on)
        and not route.virtualHost.virtualClusters.names
        and route.stats is None
    )


def takePlan(
    router: Router, plan: RoutePlan, route: Any, headers: HeaderMap, info: RequestInfo
) -> None:
    """What a router keeps of a request that asks for nothing."""
    router.info = info
    router.headers = headers
    router.route = route
    cluster = router.cluster = plan.cluster
    router.codes = plan.codes
    router.timeouts = plan.timeouts
    if _INTERNAL in headers:
        router.internal = headers[_INTERNAL] == b"true"
    upstream: Any = UpstreamInfo(plan.name)
    info.upstream = upstream
    upstream.cluster = cluster
    router.context = LoadBalancerContext(None, route.metadataMatch, info, headers)


def sendPlainly(router: Router, plan: RoutePlan, headers: HeaderMap, endStream: bool) -> None:
    """Start the one attempt of a request that asks for nothing."""
    stream: Any = router.stream
    info = router.info
    route = stream.route
    takePlan(router, plan, route, headers, info)
    if plan.picked is None:
        host = plan.cluster.chooseHost(router.context)
    else:
        (host,), plan.picked = plan.picked, None
    pool = None
    if host is not None:
        connection = stream.connection
        if info.state is None and connection.info.state is None and not connection.hops:
            if plan.pools is not None:
                pool = host.plainPools.get(plan.pools[info.protocol])
        elif notForwarded(router):
            return
        if pool is None:
            pool = poolFor(router, host, route, headers)
    if pool is None:
        noHost(router)
        return
    if plan.expected is not None:
        headers[EXPECTED] = plan.expected
    if plan.edits:
        route.finalizeRequest(headers, info, not router.settings.suppressesHeaders)
    router.start(host, pool, endStream)
    if endStream:
        router.requestEnds()
