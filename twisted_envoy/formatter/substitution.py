"""`config.core.v3.SubstitutionFormatString`: the formatter that a config describes."""

from __future__ import annotations

from typing import Any

from twisted_envoy.formatter.data_source import readDataSource
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.operators import BUILT_IN
from twisted_envoy.formatter.operators.entry import Operators
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import Formatter, compileText

_BUILT_IN_FORMATTERS = (
    "envoy.extensions.formatter.metadata.v3.Metadata",
    "envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery",
)
"""Extensions whose commands Envoy 1.40 has built in, or which are only checked here."""


def compileSubstitution(
    view: Any, context: object = None, operators: Operators = BUILT_IN
) -> Formatter:
    """
    Make the formatter of a SubstitutionFormatString; a JSON one ends its text with a newline.

    `content_type` is left to who sends the text somewhere.

    Args:
        view: its View.
        context: an IFactoryContext; nothing of it is needed yet.
        operators: what commands mean; HTTP hands in its own.
    Raises:
        ConfigError: a format that cannot be obeyed.
    """
    omitEmpty: bool = view.omit_empty_values
    kind = view.which("format")
    view.moot("json_format_options", "Envoy 1.40 sorts the keys in any case")
    _readFormatters(view)
    try:
        if kind == "json_format":
            return compileJSON(view.json_format, omitEmpty, operators)
        if kind == "text_format":
            return compileText(view.text_format, omitEmpty, operators)
        if kind == "text_format_source":
            source = readDataSource(view.text_format_source).decode("utf-8", "replace")
            return compileText(source, omitEmpty, operators)
    except FormatError as error:
        raise view.error(str(error), kind) from error
    raise view.error('field: "format", reason: is required')


def _readFormatters(view: Any) -> None:
    """Read those that are obeyed without doing anything; others stay unread and are reported."""
    if not view.has("formatters"):
        return
    for formatter in view.formatters:
        config = formatter.typed_config
        if config is not None and config.typeURL.rpartition("/")[2] in _BUILT_IN_FORMATTERS:
            formatter.moot("name", "only the type counts")
            config.open()
