"""From `application_log_config` to the format of the server's log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twisted_envoy.server.log_format import (
    DEFAULT_LOG_FORMAT,
    Formatter,
    LogFormatError,
    compileLogFormat,
)

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.server.options import ServerOptions

_NOT_IN_JSON = ("%v", "%_")
"""Tokens whose text could break the JSON around it."""


def buildLogFormat(bootstrap: View, options: ServerOptions) -> Formatter | None:
    """
    The format that the bootstrap asks for.

    Returns:
        None when it asks for none.
    Raises:
        ConfigError: in Envoy's words, or a token that is not known.
    """
    config = bootstrap.application_log_config
    if config is None or config.log_format is None:
        return None
    if options.logFormat != DEFAULT_LOG_FORMAT:
        raise config.error(
            "Only one of ApplicationLogConfig.log_format or CLI option --log-format can be "
            "specified.",
            "log_format",
        )
    form = config.log_format
    kind = form.which("log_format")
    pattern = form.text_format if kind == "text_format" else jsonPattern(form)
    try:
        return compileLogFormat(pattern)
    except LogFormatError as problem:
        raise form.error(str(problem), kind) from None


def jsonPattern(form: View) -> str:
    """
    The pattern of a `json_format`: its JSON, in which tokens stand.

    Raises:
        ConfigError: a token that does not quote what it prints.
    """
    pattern = json.dumps(
        form.json_format, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    )
    for token in _NOT_IN_JSON:
        if token in pattern:
            raise form.error(
                "setJsonLogFormat error: INVALID_ARGUMENT: "
                f"Usage of {token} is unavailable for JSON log formats",
                "json_format",
            )
    return pattern
