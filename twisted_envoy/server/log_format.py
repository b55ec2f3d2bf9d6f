"""
Envoy's `--log-format`: spdlog's pattern language, compiled once into functions.

Follows spdlog's `pattern_formatter` and Envoy's own `%_` and `%j`
(https://www.envoyproxy.io/docs/envoy/latest/operations/cli#cmdoption-log-format).
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping

from twisted_envoy.values import dataclass

DEFAULT_LOG_FORMAT = "[%Y-%m-%d %T.%e][%t][%l][%n] [%g:%#] %v"


@dataclass(slots=True)
class LogRecord:
    """
    One line to be printed.

    Attributes:
        when: seconds since the epoch.
        level, component: names of Envoy's.
        message: may hold several lines.
        file, line, function: where it was logged; file is relative to the package.
    """

    when: float
    level: str
    component: str
    message: str
    file: str = ""
    line: int = 0
    function: str = ""


Formatter = Callable[[LogRecord], str]


class LogFormatError(ValueError):
    """A pattern that cannot be obeyed."""


def _strftime(spec: str) -> Formatter:
    return lambda record: time.strftime(spec, time.localtime(record.when))


def _fraction(digits: int) -> Formatter:
    """The clock tells microseconds: what is asked for beyond them is zeros."""

    def fraction(record: LogRecord) -> str:
        return f"{round(record.when * 1e6) % 1_000_000:06d}".ljust(digits, "0")[:digits]

    return fraction


def _zone(record: LogRecord) -> str:
    text = time.strftime("%z", time.localtime(record.when))
    return f"{text[:3]}:{text[3:]}"


def _escaped(record: LogRecord) -> str:
    return record.message.replace("\n", "\\n")


def _json(record: LogRecord) -> str:
    return json.dumps(record.message, ensure_ascii=False)[1:-1]


_TOKENS: Mapping[str, Formatter] = {
    **{letter: _strftime("%" + letter) for letter in "YymdHMSIpaAbBcTRDr"},
    "h": _strftime("%b"),
    "X": _strftime("%T"),
    "x": _strftime("%D"),
    "e": _fraction(3),
    "f": _fraction(6),
    "F": _fraction(9),
    "E": lambda record: str(int(record.when)),
    "z": _zone,
    "t": lambda record: str(threading.get_native_id()),
    "P": lambda record: str(os.getpid()),
    "l": lambda record: record.level,
    "L": lambda record: record.level[0].upper(),
    "n": lambda record: record.component,
    "g": lambda record: record.file,
    "s": lambda record: os.path.basename(record.file),
    "#": lambda record: str(record.line),
    "@": lambda record: f"{record.file}:{record.line}",
    "!": lambda record: record.function,
    "v": lambda record: record.message,
    "_": _escaped,
    "j": _json,
    "%": lambda record: "%",
    "^": lambda record: "",
    "$": lambda record: "",
}
"""Token -> function; colour marks (`%^`, `%$`) print nothing, as Envoy's do off a terminal."""

_TOKEN = re.compile(r"%(?:([-=]?)(\d+)(!?))?(.?)", re.DOTALL)


def compileLogFormat(pattern: str) -> Formatter:
    """
    Make one function of a pattern.

    Args:
        pattern: `%` tokens, each with an optional alignment (`-` left, `=` centre), width and `!`
            (cut to the width); all other text stands for itself.
    Raises:
        LogFormatError: a token that is not known; the text names it and those that are.
    """
    parts: list[Formatter] = []
    position = 0
    for match in _TOKEN.finditer(pattern):
        if match.start() > position:
            parts.append(_literal(pattern[position : match.start()]))
        parts.append(_token(match))
        position = match.end()
    if position < len(pattern):
        parts.append(_literal(pattern[position:]))
    return lambda record: "".join([part(record) for part in parts])


def _literal(text: str) -> Formatter:
    return lambda record: text


def _token(match: re.Match[str]) -> Formatter:
    align, digits, cut, letter = match.groups()
    function = _TOKENS.get(letter)
    if function is None:
        known = " ".join("%" + name for name in _TOKENS)
        raise LogFormatError(f"log format: unknown token '{match.group()}' (known: {known})")
    return _padded(function, align, int(digits), bool(cut)) if digits else function


def _padded(function: Formatter, align: str, width: int, cut: bool) -> Formatter:
    def padded(record: LogRecord) -> str:
        text = function(record)
        if cut:
            text = text[:width]
        if align == "-":
            return text.ljust(width)
        return text.center(width) if align == "=" else text.rjust(width)

    return padded
