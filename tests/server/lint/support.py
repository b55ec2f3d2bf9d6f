"""What the linter says of a bootstrap."""

from __future__ import annotations

from twisted_envoy.config.bootstrap import loadBootstrap
from twisted_envoy.config.extensions import Extensions
from twisted_envoy.errors import ConfigError
from twisted_envoy.server.lint import lint
from twisted_envoy.server.runtime import buildRuntime
from twisted_envoy.stats.scope import Store


def linted(text: str) -> list[ConfigError]:
    """The warnings; the bootstrap is read but not built."""
    bootstrap, _ = loadBootstrap((), text, Extensions().findType)
    return lint(bootstrap, buildRuntime(bootstrap.layered_runtime, Store()))


def problems(text: str) -> list[str]:
    """Their texts alone."""
    return [one.problem for one in linted(text)]


def at(text: str, problem: ConfigError) -> str:
    """The line that a warning points at, from its column on."""
    assert problem.position is not None
    return text.splitlines()[problem.position.line - 1][problem.position.column - 1 :]
