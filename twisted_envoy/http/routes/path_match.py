"""
The path specifier of a RouteMatch.

Envoy: RouteEntryBase and its subclasses in source/common/router/config_impl.cc
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.entry import Condition
from twisted_envoy.http.routes.paths import withoutParameters, withoutQuery
from twisted_envoy.network.matchers import BytesMatch
from twisted_envoy.network.regex import buildRegex
from twisted_envoy.state.request_info import RequestInfo

EXACT, PREFIX, SEPARATED, CONNECT, OTHER = range(5)


class PathMatch:
    """
    How a route matches paths.

    Attributes:
        kind: EXACT, PREFIX, SEPARATED (a prefix that ends with a segment), CONNECT or OTHER.
        text: the path or prefix; lower-case when case does not matter.
        ignoreCase: of those.
        condition: what is asked of an OTHER or a CONNECT.
        template: the object that a path_match_policy's factory built, else None.
    """

    __slots__ = ("condition", "ignoreCase", "kind", "template", "text")

    def __init__(self, kind: int, text: bytes = b"", ignoreCase: bool = False) -> None:
        self.kind = kind
        self.text = text.lower() if ignoreCase else text
        self.ignoreCase = ignoreCase
        self.condition: Condition | None = None
        self.template: Any = None

    @property
    def prefixLength(self) -> int | None:
        """How many bytes of a path prefix_rewrite replaces; None: all but its query."""
        return None if self.kind in (CONNECT, OTHER) else len(self.text)


def buildPathMatch(match: Any, context: Any, ignoresParameters: bool = False) -> PathMatch:
    """
    Read the path specifier.

    Args:
        ignoresParameters: see Routes; for regular expressions and policies.
    Raises:
        ConfigError: a wrong pattern, an unknown policy.
    """
    kind = match.which("path_specifier")
    ignoreCase = match.case_sensitive is False
    if kind == "prefix":
        return PathMatch(PREFIX, match.prefix.encode(), ignoreCase)
    if kind == "path":
        return PathMatch(EXACT, match.path_.encode(), ignoreCase)
    if kind == "path_separated_prefix":
        return PathMatch(SEPARATED, match.path_separated_prefix.encode(), ignoreCase)
    if kind == "connect_matcher":
        match.connect_matcher  # noqa: B018  it has no fields
        found = PathMatch(CONNECT)
        found.condition = _isConnect
        return found
    found = PathMatch(OTHER)
    if kind == "path_match_policy":
        found.template = context.build(match.path_match_policy, "path.match")
        found.condition = _pathCondition(found.template.matches, ignoresParameters)
        return found
    found.condition = _pathCondition(buildRegex(match.safe_regex).fullmatch, ignoresParameters)
    return found


def _pathCondition(matches: BytesMatch, ignoresParameters: bool) -> Condition:
    if ignoresParameters:
        return lambda headers, info, randomValue: matches(
            withoutParameters(withoutQuery(headers.get(b":path", b"")))
        )
    return lambda headers, info, randomValue: matches(withoutQuery(headers.get(b":path", b"")))


def _isConnect(headers: HeaderMap, info: RequestInfo, randomValue: int) -> bool:
    return headers.get(b":method") == b"CONNECT" or (
        headers.get(b"upgrade", b"").lower() == b"connect-udp"
    )
