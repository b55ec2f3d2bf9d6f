"""Text formats: compiled into one line and the functions that fill its holes."""

from __future__ import annotations

from twisted_envoy.formatter.line import Formatter, Hole, Line
from twisted_envoy.formatter.operators import BUILT_IN
from twisted_envoy.formatter.operators.entry import Operators, compileCommand
from twisted_envoy.formatter.parser import Command, parts
from twisted_envoy.formatter.sameness import EACH, samenessOf

__all__ = ["DEFAULT_FORMAT", "Formatter", "compileText", "samenessIn"]

DEFAULT_FORMAT = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" '
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
    '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" '
    '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n'
)
"""Envoy's own access log line, for HTTP and TCP."""


def compileText(source: str, omitEmpty: bool = False, operators: Operators = BUILT_IN) -> Line:
    """
    Make the formatter of a text format.

    Args:
        omitEmpty: an unset value prints nothing instead of `-`.
        operators: what commands mean.
    Raises:
        FormatError: the format cannot be obeyed.
    """
    made: list[str | Hole] = []
    for part in parts(source):
        if isinstance(part, str):
            made.append(part)
        else:
            said = compileCommand(part, operators)
            quotes = "" if said.isID else None
            sameness = samenessIn(operators, part)
            made.append(Hole(said.text, sameness, said.moment, said.isLate, quotes))
    return Line(made, "" if omitEmpty else "-")


def samenessIn(operators: Operators, command: Command) -> int:
    """How long a command's text stays the same, if it means what it does in BUILT_IN."""
    name = command.name
    return samenessOf(command) if operators.get(name) is BUILT_IN.get(name) else EACH
