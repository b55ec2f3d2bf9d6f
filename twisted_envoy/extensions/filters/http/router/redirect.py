"""
Internal redirects: a redirect of the upstream that is followed here instead of by the client.

Envoy: Router::Filter::setupRedirect, convertRequestHeadersForInternalRedirect
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.state.filter_state import Uint64Object

if TYPE_CHECKING:
    from twisted_envoy.extensions.filters.http.router.filter import Router

_COUNT = "num_internal_redirects"
_ORIGINAL = b"x-envoy-original-url"


def redirected(router: Router, response: HeaderMap, status: int, endStream: bool) -> bool:
    """Answer with what the answer's place answers; False: it goes to the client."""
    if not followRedirect(router, router.route, response, status):
        return False
    attempt: Any = router.attempt
    router.attempt = None
    if endStream:
        attempt.complete(True)
    else:
        attempt.cancel()
    info = router.info
    info.responseHeaders = response
    info.responseCode = status
    info.responseCodeDetails = "internal_redirect"
    router.cleanUp()
    return True


def followRedirect(router: Router, route: Any, response: HeaderMap, status: int) -> bool:
    """
    Run the request again at the place that the answer names, if that may be.

    Returns:
        False when the answer has to go to the client; the request's headers are as they were.
    """
    if status not in route.internalRedirect.codes:
        return False
    followed = _follow(router, route, response, status)
    stats = router.cluster.stats
    if followed:
        stats.upstream_internal_redirect_succeeded_total.value += 1
    else:
        stats.upstream_internal_redirect_failed_total.value += 1
    return followed


def _follow(router: Router, route: Any, response: HeaderMap, status: int) -> bool:
    policy = route.internalRedirect
    stats = router.settings.stats
    headers = router.headers
    stream: Any = router.stream
    location = response.get(b"location")
    if not stream.requestEnded or router.body is None or location is None:
        return False
    target = _target(location)
    if target is None:
        stats.passthrough_internal_redirect_bad_location.value += 1
        return False
    isHTTPS = (headers.get(b":scheme") or headers.get(b"x-forwarded-proto")) == b"https"
    toHTTPS = target[0] == b"https"
    if isHTTPS is not toHTTPS and not policy.allowCrossScheme:
        stats.passthrough_internal_redirect_unsafe_scheme.value += 1
        return False
    count = _count(router.info)
    if count >= policy.most:
        stats.passthrough_internal_redirect_too_many_redirects.value += 1
        return False
    again = _redirected(headers, response, policy.headersToCopy, target)
    if not _accepted(router, route, again, isHTTPS, toHTTPS):
        return False
    body = b"".join(router.body)
    if status == 303 and headers.get(b":method") not in (b"GET", b"HEAD"):
        again.set(b":method", b"GET")
        again.remove(b"content-length")
        body = b""
    old = b"https" if isHTTPS else b"http"
    again.set(
        _ORIGINAL,
        b"%s://%s%s" % (old, headers.get(b":authority", b""), headers.get(b":path", b"")),
    )
    if not stream.recreate(again, body):
        return False
    stream.requestHeaders = router.info.requestHeaders = again  # for the log, as in Envoy
    router.info.filterState.set(_COUNT, Uint64Object(count + 1))
    return True


def _redirected(
    headers: HeaderMap,
    response: HeaderMap,
    copied: tuple[bytes, ...],
    target: tuple[bytes, bytes, bytes],
) -> HeaderMap:
    """The request's headers for the target, with those of the response that are copied."""
    again = headers.copy()
    for name in copied:
        again.remove(name)
        for value in response.every(name):
            again.add(name, value)
    again.set(b":scheme", target[0])
    again.set(b":authority", target[1])
    again.set(b":path", target[2])
    return again


def _count(info: Any) -> int:
    found = info.filterState.get(_COUNT)
    return found.number if isinstance(found, Uint64Object) else 0


def _target(location: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Scheme, host with port, path with query of an absolute http(s) URL; None for another."""
    try:
        parts = urlsplit(location.decode("latin-1"))
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme.encode(), parts.netloc.encode("latin-1"), path.encode("latin-1")


def _accepted(router: Router, route: Any, again: HeaderMap, isHTTPS: bool, toHTTPS: bool) -> bool:
    """Whether the new headers have a route, and every predicate agrees to it."""
    stats = router.settings.stats
    stream: Any = router.stream
    before = stream.requestHeaders
    stream.requestHeaders = again
    stream.clearRouteCache()
    target = stream.route
    problem = None
    if target is None:
        problem = stats.passthrough_internal_redirect_no_route
    else:
        name = target.name
        for accepts in route.internalRedirect.predicates:
            if not accepts(router.info, route.name, name, isHTTPS, toHTTPS):
                problem = stats.passthrough_internal_redirect_predicate
                break
    stream.requestHeaders = before
    if problem is None:
        return True
    stream.route = router.info.route = route
    if target is None:  # Envoy has forgotten where it was
        upstream = router.info.upstream
        upstream.clusterName, upstream.cluster, router.info.routeName = "", None, ""
    else:
        router.info.routeName = route.name
    problem.value += 1
    return False
