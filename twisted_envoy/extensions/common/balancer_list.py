"""
A list of load balancing policies, of which the first that is known is taken.

Envoy: config.cluster.v3.LoadBalancingPolicy
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.errors import ConfigError, UnsupportedExtension
from twisted_envoy.extensions.common.priorities import prioritized
from twisted_envoy.interfaces.upstream import ILoadBalancerMaker

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_UNKNOWN = "Didn't find a registered implementation for"


def buildFirst(typed: View, owner: str, context: Any) -> ILoadBalancerMaker:
    """
    Build the first policy of the list that is implemented, as Envoy does.

    Priorities and health are looked at before, unless its maker has `looksAtHealth`.

    Args:
        owner: whose list it is, as an error names it.
    Raises:
        ConfigError: none is, or the one that is has an error.
    """
    unsupported: list[ConfigError] = []
    names: list[str] = []
    found: Any = None
    for policy in typed.policies:
        extension = policy.typed_extension_config
        if found is not None:
            policy.moot("typed_extension_config", "an earlier policy was taken")
            continue
        names.append("" if extension is None else extension.name)
        if extension is None:
            continue
        try:
            found = context.build(extension, "load_balancing_policies")
        except UnsupportedExtension as problem:
            unsupported.append(problem)
        except ConfigError as problem:
            if not problem.problem.startswith(_UNKNOWN):
                raise
            extension.take()
    if found is not None:
        if getattr(found, "looksAtHealth", False):
            return found  # type: ignore[no-any-return]
        return prioritized(found, context.random)
    if unsupported:
        raise unsupported[0]
    raise typed.error(
        "cluster: didn't find a registered load balancer factory implementation for "
        f"{owner} with names from [{', '.join(names)}]"
    )
