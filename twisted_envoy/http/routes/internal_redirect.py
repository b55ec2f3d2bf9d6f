"""`config.route.v3.InternalRedirectPolicy`: redirects of the upstream that are followed here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted_envoy.state.request_info import RequestInfo

RedirectPredicate = Callable[[RequestInfo, str, str, bool, bool], bool]
"""(info, name of the route, name of the route that the target has, is the request https, is the
target https) -> may the redirect be followed?"""

_CODES = frozenset((301, 302, 303, 307, 308))


class InternalRedirect:
    """
    Which redirects are followed.

    Attributes:
        most: how many in a row. codes: of responses. allowCrossScheme: http <-> https.
        predicates: all have to agree. headersToCopy: lower-case names of response headers that the
            new request gets.
    """

    __slots__ = ("allowCrossScheme", "codes", "headersToCopy", "most", "predicates")

    def __init__(self, most: int = 1) -> None:
        self.most = most
        self.codes: frozenset[int] = frozenset((302,))
        self.allowCrossScheme = False
        self.predicates: tuple[RedirectPredicate, ...] = ()
        self.headersToCopy: tuple[bytes, ...] = ()


def buildInternalRedirect(route: Any, context: Any) -> InternalRedirect | None:
    """
    Read a RouteAction's internal_redirect_policy, or the fields that it has replaced.

    Raises:
        ConfigError: a header that must not be copied, an unknown predicate.
    """
    policy = route.internal_redirect_policy
    if policy is None:
        if not route.has("internal_redirect_action"):
            return None
        if route.internal_redirect_action != "HANDLE_INTERNAL_REDIRECT":
            return None
        most = route.max_internal_redirects
        return InternalRedirect(1 if most is None else most)
    for field in ("internal_redirect_action", "max_internal_redirects"):
        route.moot(field, "the policy is what counts")
    most = policy.max_internal_redirects
    settings = InternalRedirect(1 if most is None else most)
    codes = frozenset(policy.redirect_response_codes) & _CODES
    if codes or policy.has("redirect_response_codes"):
        settings.codes = codes or settings.codes
    settings.allowCrossScheme = policy.allow_cross_scheme_redirect
    settings.predicates = tuple(
        context.build(view, "internal_redirect") for view in policy.predicates
    )
    settings.headersToCopy = tuple(
        _copied(policy, name) for name in policy.response_headers_to_copy
    )
    return settings


def _copied(policy: Any, name: str) -> bytes:
    if name.startswith(":") or name.lower() == "host":
        raise policy.error(
            ":-prefixed headers or Hosts may not be specified here.", "response_headers_to_copy"
        )
    return name.lower().encode()
