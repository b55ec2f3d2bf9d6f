"""
The last edits of a request before it goes upstream, and of a response before it goes back.

Envoy: RouteEntryImplBase::finalizeRequestHeaders
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.entry import noRequestEdits, noResponseEdits
from twisted_envoy.http.routes.header_edits import HeaderEdits
from twisted_envoy.http.routes.paths import PathRewrite
from twisted_envoy.http.routes.rewrite import HostRewrite, updateAuthority
from twisted_envoy.state.request_info import RequestInfo

RequestEdit = Callable[..., None]
ResponseEdit = Callable[[HeaderMap, RequestInfo], None]


class Levels:
    """
    The edits of a route configuration, of a virtual host and of a route, those that are there.

    Args:
        mostSpecificWins: the route's come last.
    """

    __slots__ = ("_edits", "_mostSpecificWins")

    def __init__(self, mostSpecificWins: bool, edits: tuple[HeaderEdits, ...] = ()) -> None:
        self._mostSpecificWins = mostSpecificWins
        self._edits = edits

    def below(self, edits: HeaderEdits | None) -> Levels:
        """With those of the next, more specific level."""
        if edits is None:
            return self
        return Levels(self._mostSpecificWins, (*self._edits, edits))

    @property
    def inOrder(self) -> tuple[HeaderEdits, ...]:
        """As they are to be made."""
        return self._edits if self._mostSpecificWins else self._edits[::-1]


def requestEdit(
    edits: Sequence[HeaderEdits],
    hostRewrite: HostRewrite | None,
    appendForwardedHost: bool,
    pathRewrite: PathRewrite | None,
) -> RequestEdit:
    """Make a RouteEntry's finalizeRequest."""
    each = tuple(edits)
    if hostRewrite is None and pathRewrite is None:
        return _onlyEdits(each) if each else noRequestEdits

    def finalize(headers: HeaderMap, info: RequestInfo, originalPathHeader: bool = True) -> None:
        for edit in each:
            edit(headers, info)
        if hostRewrite is not None:
            host = hostRewrite(headers, info)
            if host is not None:
                updateAuthority(headers, host, appendForwardedHost)
        if pathRewrite is not None:
            path = headers.get(b":path")
            if path is not None:
                rewritten = pathRewrite(path, info)
                if rewritten is None:
                    return
                if originalPathHeader:
                    headers.set(b"x-envoy-original-path", path)
                headers.set(b":path", rewritten)

    return finalize


def _onlyEdits(edits: tuple[HeaderEdits, ...]) -> RequestEdit:
    def finalize(headers: HeaderMap, info: RequestInfo, originalPathHeader: bool = True) -> None:
        for edit in edits:
            edit(headers, info)

    return finalize


def responseEdit(edits: Sequence[HeaderEdits]) -> ResponseEdit:
    """Make a RouteEntry's finalizeResponse."""
    each = tuple(edits)
    if len(each) < 2:
        return each[0] if each else noResponseEdits

    def finalize(headers: HeaderMap, info: RequestInfo) -> None:
        for edit in each:
            edit(headers, info)

    return finalize
