"""Operators about the machine and the process: read once, when the format is compiled."""

from __future__ import annotations

import os
import socket

from twisted_envoy.formatter.operators.entry import (
    Arguments,
    Entry,
    Operator,
    Operators,
    constant,
)
from twisted_envoy.formatter.parser import Command, FormatError


def _hostname(command: Command, operators: Operators) -> Operator:
    return constant(socket.gethostname() or "-")


def _environment(command: Command, operators: Operators) -> Operator:
    value = os.environ.get(command.arguments, "-")
    return constant(value[: command.length])


def _notHere(command: Command, operators: Operators) -> Operator:
    raise FormatError(
        f"{command.name}: known to Envoy 1.40, not implemented by twisted_envoy in a format"
    )


OPERATORS: Operators = {
    "HOSTNAME": Entry(_hostname),
    "ENVIRONMENT": Entry(_environment, Arguments.REQUIRED, length=True),
    "CEL": Entry(_notHere, Arguments.OPTIONAL, length=True),
    "XFCC_VALUE": Entry(_notHere, Arguments.OPTIONAL, length=True),
}
