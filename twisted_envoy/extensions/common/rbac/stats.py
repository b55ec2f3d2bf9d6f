"""The counters of RBAC filters."""

from __future__ import annotations

from twisted_envoy.extensions.common.rbac.engine import Verdict
from twisted_envoy.stats.scope import Scope


class RBACStats:
    """
    `allowed`, `denied`, `shadow_allowed`, `shadow_denied`, and `policy.<name>.` the same.

    Args:
        scope: ends with `rbac.`. prefix, shadowPrefix: `rules_stat_prefix` and
            `shadow_rules_stat_prefix`; stats get a dot behind them.
    """

    __slots__ = ("_allowed", "_denied", "_scopes", "_shadowAllowed", "_shadowDenied")

    def __init__(self, scope: Scope, prefix: str, shadowPrefix: str) -> None:
        own = scope.store.scope(f"{scope.prefix}{_dotted(prefix)}")
        shadow = scope.store.scope(f"{scope.prefix}{_dotted(shadowPrefix)}")
        self._scopes = (own, shadow)
        self._allowed, self._denied = own.counter("allowed"), own.counter("denied")
        self._shadowAllowed = shadow.counter("shadow_allowed")
        self._shadowDenied = shadow.counter("shadow_denied")

    def decided(self, verdict: Verdict, perPolicy: bool) -> None:
        """Count what the rules decided; perPolicy: also under the policy's name."""
        counter = self._allowed if verdict.allowed else self._denied
        counter.value += 1
        if perPolicy and verdict.policy:
            kind = "allowed" if verdict.allowed else "denied"
            self._scopes[0].counter(f"policy.{verdict.policy}.{kind}").value += 1

    def tried(self, verdict: Verdict, perPolicy: bool) -> None:
        """Count what the shadow rules would have decided."""
        counter = self._shadowAllowed if verdict.allowed else self._shadowDenied
        counter.value += 1
        if perPolicy and verdict.policy:
            kind = "shadow_allowed" if verdict.allowed else "shadow_denied"
            self._scopes[1].counter(f"policy.{verdict.policy}.{kind}").value += 1


def _dotted(prefix: str) -> str:
    return prefix if not prefix or prefix.endswith(".") else f"{prefix}."
