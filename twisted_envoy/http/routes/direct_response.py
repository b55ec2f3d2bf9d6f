"""`direct_response`: an answer without an upstream."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted_envoy.formatter.data_source import readDataSource
from twisted_envoy.formatter.substitution import compileSubstitution
from twisted_envoy.formatter.text import Formatter
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext


class DirectResponse:
    """
    An answer.

    Attributes:
        status: 200 to 599. body: as configured.
        contentType: of body_format; None: text/plain, as of any local reply.
    """

    __slots__ = ("_format", "_seconds", "body", "contentType", "status")

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body
        self.contentType: bytes | None = None
        self._format: Formatter | None = None
        self._seconds: Callable[[], float] | None = None

    @property
    def isStatic(self) -> bool:
        """The same for every request."""
        return self._format is None and self.contentType is None

    def makeBody(self, info: RequestInfo) -> bytes:
        """The body for one request; %LOCAL_REPLY_BODY% in its format is `body`."""
        if self._format is None or self._seconds is None:
            return self.body
        info.localReplyBody = self.body.decode("utf-8", "surrogateescape")
        return self._format(FormatContext(info, now=self._seconds())).encode(
            "utf-8", "surrogateescape"
        )


def buildDirectResponse(view: Any, context: Any, largest: int) -> DirectResponse:
    """
    Read a DirectResponseAction.

    Args:
        largest: bytes that a body may have.
    Raises:
        ConfigError: the body is larger or cannot be read.
    """
    body = b""
    if view.body is not None:
        source = view.body
        if source.which("specifier") == "filename" and not os.path.exists(source.filename):
            raise source.error(f"file {source.filename} does not exist", "filename")
        body = readDataSource(source)
        if len(body) > largest:
            raise view.error(
                f"response body size is {len(body)} bytes; maximum is {largest}", "body"
            )
    response = DirectResponse(view.status, body)
    if view.has("body_format"):
        shape = view.body_format
        response._format = compileSubstitution(shape, context)
        response._seconds = context.reactor.seconds
        if shape.content_type:
            response.contentType = shape.content_type.encode()
        elif shape.which("format") == "json_format":
            response.contentType = b"application/json"
    return response
