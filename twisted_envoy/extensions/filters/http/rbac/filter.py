"""
RBAC for requests: asked when the headers come.

Envoy: source/extensions/filters/http/rbac/rbac_filter.cc
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.common.rbac.engine import Engine, Verdict, deniedDetails, note
from twisted_envoy.extensions.common.rbac.stats import RBACStats
from twisted_envoy.http.filter import NOTHING, HTTPFilter
from twisted_envoy.values import dataclass

NAMESPACE = "envoy.filters.http.rbac"

_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class Policies:
    """
    Of one config.

    Attributes:
        engine, shadowEngine: None where nothing decides.
        prefix, shadowPrefix: of the names in the metadata; a route without has the filter's.
        perPolicy: every policy is counted by itself.
    """

    engine: Engine | None = None
    shadowEngine: Engine | None = None
    prefix: str = ""
    shadowPrefix: str = ""
    perPolicy: bool = False


class RBAC(HTTPFilter):
    """Lets one request pass, or refuses it."""

    __slots__ = ("_policies", "_stats")

    def __init__(self, policies: Policies, stats: RBACStats) -> None:
        self._policies = policies
        self._stats = stats

    def watches(self, route: Any, name: str) -> frozenset[bytes] | None:
        policies = (route.routeConfigs.get(name) or (None,))[-1]
        if not isinstance(policies, Policies):
            policies = self._policies
        isIdle = policies.engine is None and policies.shadowEngine is None
        return NOTHING if isIdle else None

    def decodeHeaders(self, headers: HeaderMap, endStream: bool) -> None:
        stream = self.stream
        info = stream.streamInfo
        own = self._policies
        policies = stream.routeConfig(stream.nameOf(self))
        if not isinstance(policies, Policies):
            policies = own
        if policies.shadowEngine is not None:
            tried = policies.shadowEngine(info)
            self._stats.tried(tried, policies.perPolicy)
            prefix = policies.shadowPrefix or own.shadowPrefix
            note(info, NAMESPACE, _fields(f"{prefix}shadow_", tried))
        if policies.engine is None:
            return
        verdict = policies.engine(info)
        self._stats.decided(verdict, policies.perPolicy)
        prefix = policies.prefix or own.prefix
        note(info, NAMESPACE, _fields(f"{prefix}enforced_", verdict))
        if not verdict.allowed:
            details = deniedDetails(verdict.policy)
            self.sendLocalReply(_FORBIDDEN, b"RBAC: access denied", details)


def _fields(prefix: str, verdict: Verdict) -> dict[str, object]:
    fields: dict[str, object] = {}
    if verdict.policy:
        fields[f"{prefix}effective_policy_id"] = verdict.policy
    fields[f"{prefix}engine_result"] = "allowed" if verdict.allowed else "denied"
    return fields
