"""
Rewriting of the path and host of a request.

Envoy: RouteEntryImplBase::finalizeRequestHeaders, Http::Utility::updateAuthority
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.paths import (
    PathRewrite,
    rewriteLength,
    rewriteWhole,
    withoutQuery,
)
from twisted_envoy.network.regex import buildRegex

HostRewrite = Callable[[HeaderMap], "bytes | None"]
"""The new host for a request; None to leave it."""


def updateAuthority(headers: HeaderMap, host: bytes, appendForwardedHost: bool) -> None:
    """Give a request another host; the old one is kept in x-envoy-original-host."""
    old = headers.get(b":authority", b"")
    if appendForwardedHost and old:
        forwarded = headers.joined(b"x-forwarded-host")
        if not forwarded:
            headers.set(b"x-forwarded-host", old)
        elif forwarded.rpartition(b",")[2] != old:
            headers.set(b"x-forwarded-host", forwarded + b"," + old)
    headers.set(b"x-envoy-original-host", old)
    headers.set(b":authority", host)


def buildSubstitution(view: Any) -> Callable[[bytes], bytes]:
    """
    Build a RegexMatchAndSubstitute: every match is replaced; `\\1` is a group, `\\0` the match.

    Raises:
        ConfigError: a wrong pattern.
    """
    regex = buildRegex(view.pattern)
    try:
        return regex.substitution(view.substitution)
    except ValueError as error:
        raise view.error(str(error), "substitution") from error


def buildHostRewrite(route: Any) -> HostRewrite | None:
    """
    Read the host_rewrite_specifier of a RouteAction; auto_host_rewrite is the router's.

    Raises:
        ConfigError: a wrong pattern.
    """
    kind = route.which("host_rewrite_specifier")
    if kind == "host_rewrite_literal":
        literal: bytes = route.host_rewrite_literal.encode()
        return (lambda headers: literal) if literal else None
    if kind == "host_rewrite_header":
        name: bytes = route.host_rewrite_header.lower().encode()
        return lambda headers: headers.get(name) or None
    if kind == "host_rewrite_path_regex":
        substitute = buildSubstitution(route.host_rewrite_path_regex)
        return lambda headers: substitute(withoutQuery(headers.get(b":path", b"")))
    return None


def buildPathRewrite(route: Any, match: Any, context: Any) -> PathRewrite | None:
    """
    Read the path rewriting of a RouteAction.

    Args:
        match: the route's PathMatch.
    Raises:
        ConfigError: more than one of them, a wrong pattern.
    """
    prefix: bytes = route.prefix_rewrite.encode()
    asked = (bool(prefix), route.has("regex_rewrite"), route.has("path_rewrite_policy"))
    if sum(asked) > 1:
        raise route.error(
            "Specify only one of prefix_rewrite, regex_rewrite or path_rewrite_policy"
        )
    if prefix:
        length = match.prefixLength
        if length is None:
            return rewriteWhole(lambda path: prefix)
        return rewriteLength(length, prefix)
    if asked[1]:
        return rewriteWhole(buildSubstitution(route.regex_rewrite))
    if asked[2]:
        return _policy(route, match, context)
    return None


def _policy(route: Any, match: Any, context: Any) -> PathRewrite:
    policy = context.build(route.path_rewrite_policy, "path.rewrite")
    problem = policy.incompatible(match.template)
    if problem:
        raise route.error(problem, "path_rewrite_policy")
    return rewriteWhole(lambda path: policy.rewrite(path, match.template))
