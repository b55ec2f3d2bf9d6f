"""Splits a format string into literal text and commands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from twisted_envoy.values import dataclass

_COMMAND = re.compile(r"%([A-Z0-9_]+)(?:\(([^\n]*?)\))?(?::([0-9]+))?%")
_MAX_LENGTH = 2**64 - 1


class FormatError(ValueError):
    """A format that cannot be obeyed; its text is Envoy's."""


@dataclass(frozen=True, slots=True)
class Command:
    """
    One `%NAME(arguments):length%`.

    Attributes:
        arguments: what stands in the brackets, "" when there are none.
        length: at most this many characters are printed; None when there is no bound.
    """

    name: str
    arguments: str = ""
    length: int | None = None


def parse(source: str) -> list[str | Command]:
    """
    Split a format; `%%` is a percent sign.

    Returns:
        Literal texts and commands in their order; neighbouring literals are one.
    Raises:
        FormatError: a percent sign that starts no command.
    """
    return list(parts(source))


def parts(source: str) -> Iterator[str | Command]:
    """
    The same, one at a time: what is wrong with a command comes before what is wrong behind it.

    Raises:
        FormatError: a percent sign that starts no command.
    """
    literal: list[str] = []
    position = 0
    while position < len(source):
        percent = source.find("%", position)
        if percent < 0:
            literal.append(source[position:])
            break
        literal.append(source[position:percent])
        if source.startswith("%%", percent):
            literal.append("%")
            position = percent + 2
            continue
        command, position = _command(source, percent)
        if text := "".join(literal):
            yield text
        literal.clear()
        yield command
    if text := "".join(literal):
        yield text


def _command(source: str, start: int) -> tuple[Command, int]:
    found = _COMMAND.match(source, start)
    length = int(found[3]) if found is not None and found[3] is not None else None
    if found is None or (length is not None and length > _MAX_LENGTH):
        raise FormatError(
            f"Incorrect configuration: {source}. "
            f"Couldn't find valid command at position {len(source[:start].encode())}"
        )
    return Command(found[1], found[2] or "", length), found.end()
