"""
`redirect`: where a request is sent instead.

Envoy: RouteEntryImplBase::newUri
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.paths import PathRewrite, rewriteLength, rewriteWhole
from twisted_envoy.http.routes.rewrite import buildFormat, buildSubstitution
from twisted_envoy.state.request_info import RequestInfo

_CODES = {
    "MOVED_PERMANENTLY": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}


class Redirect:
    """
    Where a request is sent; what is not set stays as the request has it.

    Attributes:
        status: 301, 302, 303, 307 or 308.
        path: may have a query, which then takes the place of the request's. format: gives it.
        rewritePath: of prefix_rewrite and regex_rewrite.
    """

    __slots__ = ("format", "host", "path", "port", "rewritePath", "scheme", "status", "stripQuery")

    def __init__(self, status: int = 301) -> None:
        self.status = status
        self.scheme = b""
        self.host = b""
        self.port = b""
        self.path = b""
        self.stripQuery = False
        self.format: Callable[[RequestInfo], bytes] | None = None
        self.rewritePath: PathRewrite | None = None

    def newLocation(self, headers: HeaderMap, info: RequestInfo) -> tuple[int, bytes]:
        """The status and the `location` for a request."""
        scheme = self.scheme or headers.get(b":scheme", b"http")
        host = self.host or hostFor(headers, scheme, self.port)
        return self.status, b"%b://%b%b%b" % (scheme, host, self.port, self._newPath(headers, info))

    def _newPath(self, headers: HeaderMap, info: RequestInfo) -> bytes:
        path = headers.get(b":path", b"")
        fixed = self.path if self.format is None else self.format(info)
        if fixed:
            if not fixed.startswith(b"/"):
                fixed = b"/" + fixed
            if b"?" in fixed:
                return fixed
            query = path.find(b"?")
            path = fixed if query < 0 else fixed + path[query:]
        elif self.rewritePath is not None:
            path = self.rewritePath(path, info) or b""
        return path.partition(b"?")[0] if self.stripQuery else path

    def rewriteRequest(self, headers: HeaderMap, info: RequestInfo, tells: bool) -> None:
        """
        Give the request the new path, for what looks at it later: header edits, logs.

        Args:
            tells: `x-envoy-original-path` keeps the old one.
        """
        if self.rewritePath is None:
            return
        path = headers.get(b":path", b"")
        new = self.rewritePath(path, info)
        if new is not None:
            if tells:
                headers.set(b"x-envoy-original-path", path)
            headers.set(b":path", new)


REQUEST_URL = Redirect()
"""Gives the URL of the request itself: the `location` of a direct response with 201 or 3xx."""


def hostFor(headers: HeaderMap, scheme: bytes, port: bytes) -> bytes:
    """
    The host of the request, without its port if that is replaced or is the old scheme's own.

    Args:
        scheme: the new one. port: the new one, `:80`, or empty.
    """
    host = headers.get(b":authority", b"")
    end = host.rfind(b":")
    if host.startswith(b"["):
        end = host.rfind(b"]:") + 1 or -1
    if end < 0:
        return host
    old = headers.get(b"x-forwarded-proto", b"")
    if port or (scheme != old and (old, host[end:]) in ((b"https", b":443"), (b"http", b":80"))):
        return host[:end]
    return host


def buildRedirect(view: Any, match: Any, context: Any) -> Redirect:
    """
    Read a RedirectAction.

    Args:
        match: the route's PathMatch.
    Raises:
        ConfigError: a wrong pattern.
    """
    redirect = Redirect(_CODES[view.response_code])
    kind = view.which("scheme_rewrite_specifier")
    if kind == "https_redirect":
        redirect.scheme = b"https" if view.https_redirect else b""
    elif kind == "scheme_redirect":
        redirect.scheme = view.scheme_redirect.encode()
    redirect.host = view.host_redirect.encode()
    if view.port_redirect:
        redirect.port = b":%d" % view.port_redirect
    redirect.stripQuery = view.strip_query
    kind = view.which("path_rewrite_specifier")
    if kind == "path_redirect":
        redirect.path = view.path_redirect.encode()
    elif kind == "prefix_rewrite":
        text: bytes = view.prefix_rewrite.encode()
        length = match.prefixLength
        if text and match.template is not None:
            problem = "Cannot use redirect.prefix_rewrite with path_match_policy"
            raise view.error(problem, "prefix_rewrite")
        if text:
            redirect.rewritePath = (
                rewriteWhole(lambda path: text) if length is None else rewriteLength(length, text)
            )
    elif kind == "regex_rewrite":
        redirect.rewritePath = rewriteWhole(buildSubstitution(view.regex_rewrite))
    elif kind == "path_rewrite" and view.path_rewrite:
        redirect.format = buildFormat(view, "path_rewrite", context)
    return redirect
