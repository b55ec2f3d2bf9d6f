"""
Errors that users meet: what is wrong with a config, and why a stream failed.

Start-up problems are `ConfigError`s: they end the program with one line and status 1.  Problems of
a running connection are `StreamError`s: they end in a response flag, a counter and a close.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """
    A place in a config text.

    Units: line and column count from 1; file is the name as the user gave it.
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class ConfigError(Exception):
    """
    A config that cannot be obeyed.

    Args:
        path: where in the config, as Envoy spells it (`static_resources.listeners[0].address`).
        problem: what was found and what is allowed, in Envoy's words where Envoy has some.
        position: file, line and column, when known.
    """

    def __init__(self, path: str, problem: str, position: Position | None = None) -> None:
        super().__init__(path, problem, position)
        self.path = path
        self.problem = problem
        self.position = position

    def __str__(self) -> str:
        where = [str(part) for part in (self.position, self.path) if part]
        return ": ".join([*where, self.problem])


class UnsupportedField(ConfigError):
    """An Envoy field that is set and that twisted_envoy does not obey."""


class UnsupportedExtension(ConfigError):
    """An extension that Envoy knows and twisted_envoy does not implement."""


class StreamError(Exception):
    """
    A fault of one running stream or connection.

    Args:
        flag: Envoy's response flag, short form (`UF`, `UH`, `UO`, ...).
        reason: the text of the access log (`%UPSTREAM_TRANSPORT_FAILURE_REASON%` and its like).
    """

    def __init__(self, flag: str, reason: str = "") -> None:
        super().__init__(flag, reason)
        self.flag = flag
        self.reason = reason
