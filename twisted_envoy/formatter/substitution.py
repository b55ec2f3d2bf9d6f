"""`config.core.v3.SubstitutionFormatString`: the formatter that a config describes."""

from __future__ import annotations

from typing import Any

from twisted_envoy.formatter.data_source import readDataSource
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.operators import BUILT_IN
from twisted_envoy.formatter.operators.entry import Operators
from twisted_envoy.formatter.operators.path import REQ_WITHOUT_QUERY
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import Formatter, compileText

_FORMATTERS: dict[str, Operators] = {
    "envoy.extensions.formatter.metadata.v3.Metadata": {},
    "envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery": REQ_WITHOUT_QUERY,
}
"""Extensions by type, with the commands that Envoy 1.40 has only where they are named."""


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
    operators = withFormatters(view, operators)
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


def withFormatters(view: Any, operators: Operators) -> Operators:
    """The operators and those of the extensions; what is not known stays unread, is reported."""
    if not view.has("formatters"):
        return operators
    for formatter in view.formatters:
        config = formatter.typed_config
        name = "" if config is None else config.typeURL.rpartition("/")[2]
        if config is not None and name in _FORMATTERS:
            formatter.moot("name", "only the type counts")
            config.open()
            operators = {**operators, **_FORMATTERS[name]}
    return operators
