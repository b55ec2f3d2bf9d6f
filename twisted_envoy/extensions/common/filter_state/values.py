"""
The values that a `set_filter_state` filter sets: compiled at start-up, applied to streams.

Envoy: extensions.filters.common.set_filter_state.v3.FilterStateValue
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from twisted_envoy.extensions.common.filter_state.objects import OBJECT_FACTORIES, ObjectFactory
from twisted_envoy.formatter.substitution import compileSubstitution
from twisted_envoy.state.filter_state import LifeSpan, Sharing
from twisted_envoy.state.stream_info import FormatContext

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_log = Logger("filter")


class FilterStateValue:
    """
    One object to set.

    Args:
        key: the object's name. make: its factory. text: formats what the factory gets.
        sharing: whether upstream connections get it. skipIfEmpty: leave it out for an empty text.
    """

    __slots__ = ("_key", "_make", "_sharing", "_skipIfEmpty", "_text")

    def __init__(
        self,
        key: str,
        make: ObjectFactory,
        text: Callable[[FormatContext], str],
        sharing: Sharing = Sharing.NONE,
        skipIfEmpty: bool = False,
    ) -> None:
        self._key = key
        self._make = make
        self._text = text
        self._sharing = sharing
        self._skipIfEmpty = skipIfEmpty

    def apply(self, context: FormatContext, lifeSpan: LifeSpan) -> None:
        """Format, make and store; a text that the factory refuses changes nothing."""
        text = self._text(context)
        if not text and self._skipIfEmpty:
            return
        made = self._make(text)
        if made is None:
            _log.debug("no object {key} can be made of {text!r}", key=self._key, text=text)
            return
        state = context.streamInfo.filterState
        state.set(self._key, made, sharing=self._sharing, lifeSpan=lifeSpan)


def compileValues(views: Sequence[View], context: Any) -> tuple[FilterStateValue, ...]:
    """
    Make the values of a list of FilterStateValue messages.

    Raises:
        ConfigError: `'x' does not have an object factory`, or a format that cannot be obeyed.
    """
    return tuple(_compile(view, context) for view in views)


def _compile(view: View, context: Any) -> FilterStateValue:
    key: str = view.object_key
    factoryKey: str = view.factory_key or key
    make = OBJECT_FACTORIES.get(factoryKey)
    if make is None:
        field = "factory_key" if view.factory_key else "object_key"
        raise view.error(f"'{key}' does not have an object factory", field)
    view.moot("read_only", "Envoy deprecated it and lets later filters overwrite")
    format_string = view.format_string
    format_string.moot("content_type", "the text is sent nowhere")
    text = compileSubstitution(format_string, context)
    # A number without a name is accepted, and shares nothing.
    sharing = Sharing.__members__.get(view.shared_with_upstream, Sharing.NONE)
    return FilterStateValue(key, make, text, sharing, view.skip_if_empty)
