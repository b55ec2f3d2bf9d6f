"""
What is odd in a bootstrap that Envoy accepts: warnings of `--mode validate`.

Each is a mistake that people make with internal listeners and the state that crosses them, and that
shows only in a log that stays empty. What cannot be known from the bootstrap is not warned about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.server.lint.model import readModel
from twisted_envoy.server.lint.names import connectDomains, missingClusters, missingListeners
from twisted_envoy.server.lint.state import staleState, stoppedState
from twisted_envoy.server.lint.tunnels import emptyHostnames
from twisted_envoy.server.lint.yaml_traps import yamlTraps

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.errors import ConfigError


def lint(bootstrap: View, runtime: Any) -> list[ConfigError]:
    """
    Look at a bootstrap that was built; its fields count as read from now on.

    Args:
        runtime: whose switches change what is a mistake.
    Returns:
        In the order of the text, each once.
    """
    model = readModel(bootstrap)
    isolated = runtime.boolean("twisted_envoy.http.isolate_shared_state", False)
    passesAll = runtime.boolean("twisted_envoy.internal.pass_dynamic_metadata", False)
    found = [
        *missingListeners(model),
        *missingClusters(model),
        *connectDomains(model),
        *stoppedState(model),
        *(() if isolated else staleState(model)),
        *emptyHostnames(model, passesAll),
        *yamlTraps(bootstrap),
    ]
    unique = {str(one): one for one in found}
    return sorted(unique.values(), key=_place)


def _place(problem: ConfigError) -> tuple[str, int, int]:
    position = problem.position
    return ("", 0, 0) if position is None else (position.file, position.line, position.column)
