"""From a method and a path to a page's answer; no transport is involved."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from urllib.parse import unquote

from twisted.logger import Logger

from twisted_envoy.server.admin.home import BY_PATH, notFound
from twisted_envoy.server.admin.json_text import MessageKit
from twisted_envoy.server.admin.reply import Query, Reply
from twisted_envoy.server.admin.target import AdminTarget

_log = Logger()
_SLASHES = re.compile(r"/{2,}")

PathMatcher = Callable[[str], bool]
"""Says whether a path with its query is allowed."""


class AdminRouter:
    """
    All pages of one server.

    Args:
        target: the server.
        kit: makes messages of the server's pool.
        allowed: `allow_paths`; None allows every path.
    """

    def __init__(
        self, target: AdminTarget, kit: MessageKit, allowed: PathMatcher | None = None
    ) -> None:
        self._target = target
        self._kit = kit
        self._allowed = allowed

    def serving(self, target: AdminTarget) -> AdminRouter:
        """The same pages for another target."""
        return AdminRouter(target, self._kit, self._allowed)

    def answer(self, method: str, uri: str, form: str = "") -> Reply:
        """
        The answer to one request.

        Args:
            uri: begins with a slash; may carry a query.
            form: a urlencoded body, "" when there is none.
        """
        raw, mark, text = uri.partition("?")
        path = normalPath(raw)
        if self._allowed is not None and not self._allowed(path + mark + text):
            _log.info("Request to admin interface path {path} is not allowed", path=path)
            return Reply(f"request to path {path} not allowed", 403)
        page = BY_PATH.get(path)
        if page is None:
            return notFound()
        if page.mutates and method != "POST":
            _log.error(
                'admin path "{path}" mutates state, method={method} rather than POST',
                path=path,
                method=method,
            )
            return Reply(f"Method {method} not allowed, POST required.", 405)
        _log.debug("request complete: path: {uri}", uri=uri)
        return page.handler(self._target, self._kit, Query(text, form))


def normalPath(path: str) -> str:
    """Escapes decoded, slashes merged, dots resolved; a slash at the end stays."""
    decoded = _SLASHES.sub("/", unquote(path))
    resolved = posixpath.normpath(decoded)
    return resolved + "/" if decoded.endswith("/") and resolved != "/" else resolved
