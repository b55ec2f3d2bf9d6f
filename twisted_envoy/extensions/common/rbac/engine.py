"""
What decides: policies in the order of their names, or a matcher tree.

Envoy: source/extensions/filters/common/rbac/engine_impl.cc
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from twisted_envoy.extensions.common.rbac.rules import RuleBuilder
from twisted_envoy.network.matching.actions import openAction
from twisted_envoy.network.matching.inputs import HTTP
from twisted_envoy.network.matching.tree import Limits, buildMatcher
from twisted_envoy.state.stream_info import StreamInfo

ALLOW, DENY, LOG = "ALLOW", "DENY", "LOG"

_ACTION = "envoy.config.rbac.v3.Action"
_COMMON = "envoy.common"
_HINT = "access_log_hint"
_NETWORK_INPUTS = frozenset(
    f"envoy.extensions.matching.common_inputs.{name}"
    for name in (
        "network.v3.DestinationIPInput",
        "network.v3.DestinationPortInput",
        "network.v3.SourceIPInput",
        "network.v3.SourcePortInput",
        "network.v3.DirectSourceIPInput",
        "network.v3.ServerNameInput",
        "network.v3.FilterStateInput",
        "network.v3.NetworkNamespaceInput",
        "environment_variable.v3.Config",
    )
)
_HTTP_INPUTS = _NETWORK_INPUTS | {
    "envoy.extensions.matching.common_inputs.network.v3.DynamicMetadataInput",
    "envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
}
_WHERE = "requirement violation while creating RBAC match tree: INVALID_ARGUMENT: "
NETWORK_LIMITS = Limits(_NETWORK_INPUTS, _WHERE, "RBAC network filter cannot match '{}'")
HTTP_LIMITS = Limits(_HTTP_INPUTS, _WHERE, "RBAC HTTP filter cannot match on '{}'")


class Verdict(NamedTuple):
    """allowed: may it pass? policy: the name of the one that decided; "" for none."""

    allowed: bool
    policy: str


Engine = Callable[[StreamInfo], Verdict]


def buildEngine(config: Any, context: Any, shadow: bool, hasHeaders: bool) -> Engine | None:
    """
    Build what decides for an RBAC filter.

    Args:
        config: the filter's View.
        shadow: the engine that only tries; else the one that decides.
        hasHeaders: it is about requests.
    Returns:
        None when there is neither a matcher nor rules.
    Raises:
        ConfigError: in Envoy's words.
    """
    fields = ("shadow_matcher", "shadow_rules") if shadow else ("matcher", "rules")
    if config.has(fields[0]):
        if config.has(fields[1]):
            kind = "shadow " if shadow else ""
            config.warn(f"RBAC {kind}rules are ignored when {kind}matcher is configured", fields[1])
            config.moot(fields[1], "the matcher decides")
        limits = HTTP_LIMITS if hasHeaders else NETWORK_LIMITS
        return _matcherEngine(getattr(config, fields[0]), context, limits, not shadow)
    rules = getattr(config, fields[1])
    if rules is None:
        return None
    return _rulesEngine(rules, RuleBuilder(context, hasHeaders), not shadow)


def _rulesEngine(view: Any, builder: RuleBuilder, hints: bool) -> Engine:
    view.moot("audit_logging_options", "Envoy's filters do not write such logs")
    policies = tuple((name, builder.policy(each)) for name, each in sorted(view.policies.items()))
    action = view.action
    logs = action == LOG and hints
    whenMatched, otherwise = action != DENY, action != ALLOW
    default = Verdict(otherwise, "")
    verdicts = tuple((rule, Verdict(whenMatched, name)) for name, rule in policies)

    def decide(info: StreamInfo) -> Verdict:
        found = default
        for rule, verdict in verdicts:
            if rule(info):
                found = verdict
                break
        if logs:
            note(info, _COMMON, {_HINT: found is not default})
        return found

    return decide


def _matcherEngine(view: Any, context: Any, limits: Limits, hints: bool) -> Engine:
    actions: list[str] = []

    def readAction(config: Any) -> tuple[str, Verdict]:
        action = openAction(config, _ACTION)
        actions.append(action.action)
        return action.action, Verdict(action.action != DENY, action.name)

    match = buildMatcher(view, context, HTTP, readAction, limits)
    logs = LOG in actions and hints
    default = Verdict(False, "")

    def decide(info: StreamInfo) -> Verdict:
        found: tuple[str, Verdict] | None = match(info)
        if found is None:
            return default
        if logs:
            note(info, _COMMON, {_HINT: found[0] == LOG})
        return found[1]

    return decide


def note(info: StreamInfo, namespace: str, fields: dict[str, object]) -> None:
    """Add fields to a namespace of the dynamic metadata."""
    metadata = info.dynamicMetadata
    old = metadata.get(namespace)
    metadata[namespace] = fields if old is None else {**old, **fields}


def deniedDetails(policy: str) -> str:
    """What logs say about a denial."""
    name = "_".join(policy.split(" ")) if policy else "none"
    return f"rbac_access_denied_matched_policy[{name}]"
