"""
What configs say about headers of the PROXY protocol.

Envoy: config.core.v3.ProxyProtocolConfig
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.proxy_protocol import TLV
from twisted_envoy.state.stream_info import FormatContext

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

AddedTLV = tuple[int, Callable[[FormatContext], str] | bytes]
"""A type, and its value or what formats it."""


def readPassThrough(view: View | None) -> Callable[[int], bool]:
    """Whether an extension of a type goes on, of `pass_through_tlvs`; none does without it."""
    if view is None:
        return lambda kind: False
    kinds = frozenset(view.tlv_type)
    if view.match_type == "INCLUDE_ALL":
        return lambda kind: True
    return kinds.__contains__


def readAddedTLVs(views: Iterable[View], context: Any) -> tuple[AddedTLV, ...]:
    """
    `TlvEntry`s.

    Raises:
        ConfigError: neither a value nor a format, or both; or a format that cannot be obeyed.
    """
    return tuple((view.type, _valueOf(view, context)) for view in views)


def _valueOf(view: View, context: Any) -> Callable[[FormatContext], str] | bytes:
    format, value = view.format_string, view.value
    if value and format is not None:
        raise view.error(
            "Invalid TLV configuration: only one of 'value' or 'format_string' may be set."
        )
    if format is None:
        if not value:
            raise view.error(
                "Invalid TLV configuration: one of 'value' or 'format_string' must be set."
            )
        return bytes(value)
    from twisted_envoy.formatter.substitution import compileSubstitution

    format.moot("content_type", "the text is sent as it is")
    return compileSubstitution(format, context)


def valuesOf(added: Iterable[AddedTLV], context: FormatContext) -> tuple[TLV, ...]:
    """The extensions with the values of this moment."""
    return tuple(
        (kind, value if isinstance(value, bytes) else value(context).encode("utf-8", "replace"))
        for kind, value in added
    )
