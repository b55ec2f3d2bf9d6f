"""
Compares where a request comes from with where it goes to.

Envoy: extensions.filters.http.csrf.v3.CsrfPolicy
"""

from __future__ import annotations

import re
from collections.abc import Callable

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.network.fraction import Fraction
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope
from twisted_envoy.values import dataclass

_CHANGING = frozenset((b"POST", b"PUT", b"DELETE", b"PATCH"))
_HOST = re.compile(rb"(?:[^:/?#]*://)?(?:[^/?#@]*@)?([^/?#]*)")


class CSRFStats:
    """`http.<stat_prefix>.csrf.*`"""

    missing_source_origin: Counter
    request_invalid: Counter
    request_valid: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


@dataclass(frozen=True, slots=True, eq=False)
class CSRFPolicy:
    """
    What the config says, or a route.

    Attributes:
        isEnabled, isShadowed: of random values; a shadowed request is counted only.
        origins: that are allowed besides the host itself.
    """

    isEnabled: Fraction
    isShadowed: Fraction
    origins: tuple[Callable[[bytes], bool], ...]


class CSRF(HTTPFilter):
    """One request's."""

    __slots__ = ("_policy", "_stats")

    def __init__(self, policy: CSRFPolicy, stats: CSRFStats) -> None:
        self._policy = policy
        self._stats = stats

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        if headers.get(b":method") not in _CHANGING:
            return
        stream = self.stream
        policy: CSRFPolicy = stream.routeConfig(stream.nameOf(self)) or self._policy
        bits = stream.settings.random.getrandbits
        isEnabled = policy.isEnabled(bits(64))
        if not isEnabled and not policy.isShadowed(bits(64)):
            return
        stats = self._stats
        source = _source(headers)
        if not source:
            stats.missing_source_origin.value += 1
        elif source == headers.get(b":authority") or any(one(source) for one in policy.origins):
            stats.request_valid.value += 1
            return
        else:
            stats.request_invalid.value += 1
        if isEnabled:
            self.sendLocalReply(403, b"Invalid origin", "csrf_origin_mismatch")


def _source(headers: HeaderMap) -> bytes:
    """The host that a request comes from, with its port; empty when it does not tell."""
    text = headers.get(b"origin") or headers.get(b"referer") or b""
    if text == b"null":
        return b""
    found = _HOST.match(text)
    return b"" if found is None else found[1]
