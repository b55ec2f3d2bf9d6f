"""
Rewriting of the path and host of a request.

Envoy: RouteEntryImplBase::finalizeRequestHeaders, Http::Utility::updateAuthority
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import compileText
from twisted_envoy.http.routes.paths import (
    PathRewrite,
    rewriteLength,
    rewriteWhole,
    withoutQuery,
)
from twisted_envoy.network.matchers import fieldName
from twisted_envoy.network.regex import buildRegex
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import FormatContext

HostRewrite = Callable[[HeaderMap, RequestInfo], "bytes | None"]
"""The new host for a request; None to leave it."""


def updateAuthority(headers: HeaderMap, host: bytes, appendForwardedHost: bool) -> None:
    """Give a request another host; the old one is kept in x-envoy-original-host."""
    old = headers.get(b":authority", b"")
    headers.set(b"x-envoy-original-host", old)
    if appendForwardedHost and old:
        forwarded = headers.joined(b"x-forwarded-host")
        if not forwarded:
            headers.set(b"x-forwarded-host", old)
        elif forwarded.rpartition(b",")[2] != old:
            headers.set(b"x-forwarded-host", forwarded + b"," + old)
    headers.set(b":authority", host)


def buildSubstitution(view: Any) -> Callable[[bytes], bytes]:
    """
    Build a RegexMatchAndSubstitute: every match is replaced; `\\1` is a group, `\\0` the match.

    Raises:
        ConfigError: a wrong pattern.
    """
    return buildRegex(view.pattern).substitution(view.substitution)


def buildHostRewrite(route: Any, context: Any) -> HostRewrite | None:
    """
    Read the host_rewrite_specifier of a RouteAction; auto_host_rewrite is the router's.

    Raises:
        ConfigError: a wrong pattern.
    """
    kind = route.which("host_rewrite_specifier")
    if kind == "host_rewrite_literal":
        literal: bytes = route.host_rewrite_literal.encode()
        return (lambda headers, info: literal) if literal else None
    if kind == "host_rewrite_header":
        name = fieldName(route.host_rewrite_header)
        return lambda headers, info: headers.get(name) or None
    if kind == "host_rewrite_path_regex":
        substitute = buildSubstitution(route.host_rewrite_path_regex)
        return lambda headers, info: substitute(withoutQuery(headers.get(b":path", b"")))
    if kind == "host_rewrite" and route.host_rewrite:
        format = buildFormat(route, "host_rewrite", context)
        return lambda headers, info: format(info) or None
    return None


def buildPathFormat(view: Any, context: Any) -> PathRewrite:
    """
    Build the path_rewrite of a RouteAction or RedirectAction.

    Raises:
        ConfigError: a wrong format.
    """
    format = buildFormat(view, "path_rewrite", context)

    def rewritten(path: bytes, info: RequestInfo) -> bytes | None:
        text = format(info)
        return text + path[len(withoutQuery(path)) :] if text else None

    return rewritten


def buildFormat(view: Any, field: str, context: Any) -> Callable[[RequestInfo], bytes]:
    """
    Build a field that is a format: `path_rewrite` or `host_rewrite`.

    Raises:
        ConfigError: it is wrong.
    """
    seconds = context.reactor.seconds
    what = field.partition("_")[0]
    try:
        format = compileText(getattr(view, field), omitEmpty=what == "path")
    except FormatError as problem:
        raise view.error(
            f"Failed to create {what} rewrite formatter: INVALID_ARGUMENT: {problem}", field
        ) from None
    return lambda info: format(FormatContext(info, now=seconds())).encode(
        "utf-8", "surrogateescape"
    )


def buildPathRewrite(route: Any, match: Any, context: Any) -> PathRewrite | None:
    """
    Read the path rewriting of a RouteAction.

    Args:
        match: the route's PathMatch.
    Raises:
        ConfigError: more than one of them, a wrong pattern.
    """
    prefix: bytes = route.prefix_rewrite.encode()
    asked = (
        bool(prefix),
        route.has("regex_rewrite"),
        route.has("path_rewrite_policy"),
        bool(route.path_rewrite),
    )
    if sum(asked) > 1:
        raise route.error(
            "Specify only one of prefix_rewrite, regex_rewrite or path_rewrite_policy"
        )
    if prefix and match.template is not None:
        raise route.error("Cannot use prefix_rewrite with matcher extension", "prefix_rewrite")
    if prefix:
        length = match.prefixLength
        if length is None:
            return rewriteWhole(lambda path: prefix)
        return rewriteLength(length, prefix)
    if asked[1]:
        return rewriteWhole(buildSubstitution(route.regex_rewrite))
    if asked[3]:
        return buildPathFormat(route, context)
    if asked[2]:
        return _policy(route, match, context)
    return None


def _policy(route: Any, match: Any, context: Any) -> PathRewrite:
    policy = context.build(route.path_rewrite_policy, "path.rewrite")
    problem = policy.incompatible(match.template)
    if problem:
        raise route.error(problem, "path_rewrite_policy")
    return rewriteWhole(lambda path: policy.rewrite(path, match.template))
