"""
What connections of phones count: `http.<stat_prefix>.user_agent.<ios|android>.*`.

Envoy: source/common/http/user_agent.cc
"""

from __future__ import annotations

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.histogram import Histogram
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope

_KINDS = ((b"iOS", "ios"), (b"android", "android"))


class UserAgentStats:
    """Of one kind."""

    downstream_cx_destroy_remote_active_rq: Counter
    downstream_cx_length_ms: Histogram
    downstream_cx_total: Counter
    downstream_rq_total: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


class UserAgents:
    """
    Of one connection manager; a kind has stats once it has come.

    Args:
        scope: `http.<stat_prefix>.`.
    """

    __slots__ = ("_known", "_scope")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._known: dict[str, UserAgentStats] = {}

    def of(self, headers: HeaderMap) -> UserAgentStats | None:
        """What the connection counts whose first request has these headers; None for most."""
        value = headers.get(b"user-agent")
        if value is None:
            return None
        for word, name in _KINDS:
            if word in value:
                stats = self._known.get(name)
                if stats is None:
                    scope = self._scope.scope(f"user_agent.{name}.")
                    stats = self._known[name] = UserAgentStats(scope)
                stats.downstream_cx_total.value += 1
                return stats
        return None
