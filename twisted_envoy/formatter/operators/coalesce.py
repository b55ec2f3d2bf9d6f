"""`%COALESCE({"operators": [...]})%`: the first of several operators that has a value."""

from __future__ import annotations

import json

from twisted_envoy.formatter.operators.entry import (
    Arguments,
    Entry,
    Operator,
    Operators,
    compileCommand,
    cut,
)
from twisted_envoy.formatter.parser import Command, FormatError
from twisted_envoy.state.stream_info import FormatContext


def _coalesce(command: Command, operators: Operators) -> Operator:
    choices = tuple(
        _choice(index, entry, operators)
        for index, entry in enumerate(_entriesOf(command.arguments))
    )

    def value(context: FormatContext) -> object:
        for choice in choices:
            found = choice.value(context)
            if found is not None:
                return found
        return None

    def text(context: FormatContext) -> str | None:
        for choice in choices:
            found = choice.text(context)
            if found is not None:
                return found
        return None

    return Operator(value, cut(text, command.length))


def _entriesOf(arguments: str) -> list[object]:
    try:
        config = json.loads(arguments)
    except ValueError as error:
        raise FormatError(
            f"COALESCE: failed to parse JSON configuration: JSON supplied is not valid. {error}"
        ) from error
    entries = config.get("operators") if isinstance(config, dict) else None
    if entries is None:
        raise FormatError("COALESCE: JSON configuration must contain 'operators' array")
    if not isinstance(entries, list):
        raise FormatError(
            "COALESCE: 'operators' must be an array: "
            "key 'operators' missing or not an array from lines 1-1"
        )
    if not entries:
        raise FormatError("COALESCE: 'operators' array must not be empty")
    return entries


def _choice(index: int, entry: object, operators: Operators) -> Operator:
    try:
        command = _commandOf(entry)
        if command.name not in operators:
            raise FormatError(f"unknown command: '{command.name}'")
        return compileCommand(command, operators)
    except FormatError as error:
        raise FormatError(
            f"COALESCE: failed to parse operator at index {index}: {error}"
        ) from error


def _commandOf(entry: object) -> Command:
    if isinstance(entry, str):
        return Command(entry)
    if not isinstance(entry, dict):
        raise FormatError(
            "operator entry must be either a string (command name) "
            "or an object with 'command' field"
        )
    name = entry.get("command")
    if not isinstance(name, str):
        raise FormatError(
            "operator object must have 'command' field: "
            "key 'command' missing or not a string from lines 1-1"
        )
    length = entry.get("max_length")
    return Command(name, str(entry.get("param", "")), length if isinstance(length, int) else None)


OPERATORS: Operators = {"COALESCE": Entry(_coalesce, Arguments.REQUIRED, length=True)}
