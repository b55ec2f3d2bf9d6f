"""Text formats: compiled into one template and the functions that fill it."""

from __future__ import annotations

from collections.abc import Callable

from twisted_envoy.formatter.operators import BUILT_IN
from twisted_envoy.formatter.operators.entry import Operators, compileCommand
from twisted_envoy.formatter.parser import parts
from twisted_envoy.state.stream_info import FormatContext

Formatter = Callable[[FormatContext], str]

DEFAULT_FORMAT = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" '
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
    '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" '
    '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n'
)
"""Envoy's own access log line, for HTTP and TCP."""


def compileText(source: str, omitEmpty: bool = False, operators: Operators = BUILT_IN) -> Formatter:
    """
    Make the formatter of a text format.

    Args:
        omitEmpty: an unset value prints nothing instead of `-`.
        operators: what commands mean.
    Raises:
        FormatError: the format cannot be obeyed.
    """
    template = []
    functions = []
    for part in parts(source):
        if isinstance(part, str):
            template.append(part.replace("%", "%%"))
        else:
            template.append("%s")
            functions.append(compileCommand(part, operators).text)
    empty = "" if omitEmpty else "-"
    if not functions:
        literal = "".join(template).replace("%%", "%")
        return lambda context: literal
    return _filler("".join(template), tuple(functions), empty)


def _filler(
    template: str, functions: tuple[Callable[[FormatContext], str | None], ...], empty: str
) -> Formatter:
    def format(context: FormatContext) -> str:
        return template % tuple(
            [empty if (text := function(context)) is None else text for function in functions]
        )

    return format
