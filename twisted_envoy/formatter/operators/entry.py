"""The words that operators are described in: Operator, Entry, and short ways to make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

from twisted_envoy.formatter.json_text import plainText
from twisted_envoy.formatter.parser import Command, FormatError
from twisted_envoy.state.stream_info import FormatContext
from twisted_envoy.values import dataclass

Value = Callable[[FormatContext], object]
Text = Callable[[FormatContext], "str | None"]
Moment = Callable[[float], str]


class Operator(NamedTuple):
    """
    One compiled command.

    Attributes:
        value: the typed value for JSON; None when it is unset.
        text: the value for a text format; None when it is unset.
        moment: both, by the seconds of when the request came; the same for all of a millisecond.
            None: they tell more.
        isLate: that is by the seconds of when its record is made.
        isID: both are the x-request-id, if it is a request.
    """

    value: Value
    text: Text
    moment: Moment | None = None
    isLate: bool = False
    isID: bool = False


class Arguments(Enum):
    """Whether a command takes arguments in brackets."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Entry:
    """
    How a command is compiled.

    Args:
        make: gets the command and the table that it was found in.
        length: whether `:LENGTH` is allowed.
    """

    make: Callable[[Command, Operators], Operator]
    arguments: Arguments = Arguments.NONE
    length: bool = False


Operators = Mapping[str, Entry]


def compileCommand(command: Command, operators: Operators) -> Operator:
    """
    Make the operator of one command.

    Raises:
        FormatError: no such command, or not with these arguments.
    """
    entry = operators.get(command.name)
    if entry is None:
        raise FormatError(f"Not supported field in StreamInfo: {command.name}")
    if entry.arguments is Arguments.NONE and not entry.length:
        if command.arguments or command.length is not None:
            raise FormatError(f"{command.name} does not take any parameters or length")
    if entry.arguments is Arguments.REQUIRED and not command.arguments:
        raise FormatError(f"{command.name} requires parameters")
    if command.length is not None and not entry.length:
        raise FormatError(f"{command.name} does not allow length to be specified.")
    return entry.make(command, operators)


def cut(function: Text, length: int | None) -> Text:
    """The same text, at most `length` characters long."""
    if length is None:
        return function

    def shortened(context: FormatContext) -> str | None:
        text = function(context)
        return None if text is None else text[:length]

    return shortened


def typed(function: Value, length: int | None = None) -> Operator:
    """Of a function that gives any JSON-like value; only the text is cut to a length."""
    return Operator(function, cut(lambda context: plainText(function(context)), length))


def text(function: Text) -> Entry:
    """A command without arguments that gives a text."""
    operator = Operator(function, function)
    return Entry(lambda command, operators: operator)


def number(function: Callable[[FormatContext], int | None]) -> Entry:
    """A command without arguments that gives a whole number."""

    def asText(context: FormatContext) -> str | None:
        found = function(context)
        return None if found is None else str(found)

    operator = Operator(function, asText)
    return Entry(lambda command, operators: operator)


def constant(value: object) -> Operator:
    """Always the same value."""
    asText = plainText(value)
    return Operator(lambda context: value, lambda context: asText)


def unset(command: Command, operators: Operators) -> Operator:
    """The operator of a command that has no value here."""
    return UNSET


UNSET = constant(None)
"""Never a value."""
