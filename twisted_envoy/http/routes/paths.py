"""
Paths and queries of requests, and the rewriting of a path.

A path is bytes as the request has it: nothing is decoded, the query and a fragment are part of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from twisted_envoy.state.request_info import RequestInfo

PathRewrite = Callable[[bytes, RequestInfo], "bytes | None"]
"""The new path of a path, both with their query; None to leave it."""


_PARAMETERS = re.compile(rb";[^/]*")


def withoutQuery(path: bytes) -> bytes:
    """The path up to its query or fragment."""
    at = path.find(b"?")
    if at >= 0:
        path = path[:at]
    at = path.find(b"#")
    return path if at < 0 else path[:at]


def withoutParameters(path: bytes) -> bytes:
    """Of a path without its query: every segment up to its first semicolon."""
    return _PARAMETERS.sub(b"", path) if b";" in path else path


def queryParameters(path: bytes) -> dict[bytes, bytes]:
    """The first value of each parameter of the query; nothing is decoded."""
    _, question, query = path.partition(b"?")
    found: dict[bytes, bytes] = {}
    if question:
        for pair in query.partition(b"#")[0].split(b"&"):
            name, _, value = pair.partition(b"=")
            found.setdefault(name, value)
    return found


def decodedParameters(path: bytes) -> dict[bytes, bytes]:
    """The same with names and values decoded; a percent sign that begins nothing stays."""
    found: dict[bytes, bytes] = {}
    for name, value in queryParameters(path).items():
        found.setdefault(unquote_to_bytes(name), unquote_to_bytes(value))
    return found


class QueryCache:
    """
    The parameters of the path that was asked last: many routes ask about one request.

    Args:
        read: what reads them.
    """

    __slots__ = ("_parameters", "_path", "_read")

    def __init__(self, read: Callable[[bytes], dict[bytes, bytes]] = queryParameters) -> None:
        self._read = read
        self._path = b""
        self._parameters: dict[bytes, bytes] = {}

    def of(self, path: bytes) -> dict[bytes, bytes]:
        """As queryParameters."""
        if path is not self._path:
            self._parameters = self._read(path)
            self._path = path
        return self._parameters


def rewriteLength(length: int, replacement: bytes) -> PathRewrite:
    """Replace so many bytes at the beginning."""
    return lambda path, info: replacement + path[length:]


def rewriteWhole(rewrite: Callable[[bytes], bytes]) -> PathRewrite:
    """Rewrite all but the query."""

    def rewritten(path: bytes, info: RequestInfo) -> bytes:
        plain = withoutQuery(path)
        return rewrite(plain) + path[len(plain) :]

    return rewritten
