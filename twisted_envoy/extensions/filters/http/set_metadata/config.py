"""The set_metadata filter's factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.http.set_metadata.filter import (
    SetMetadata,
    TypedValue,
    Value,
    Values,
)
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.http import IHTTPFilterFactory
from twisted_envoy.stats.scope import Scope

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IHTTPFilterFactory)
class SetMetadataFactory:
    """Builds the maker of SetMetadata filters."""

    typeURL = "envoy.extensions.filters.http.set_metadata.v3.Config"
    routeTypeURL = typeURL
    category = "filters.http"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        return partial(SetMetadata, _values(config, context.scope))

    def buildRoute(self, config: View, context: Any) -> Values:
        """Set after the filter's own; counted under no connection manager, as in Envoy."""
        return _values(config, context.stats)


def _values(config: View, scope: Scope) -> Values:
    """The deprecated fields come first and may overwrite."""
    values = []
    typed = []
    namespace: str = config.metadata_namespace
    value = config.value
    if namespace and value is not None:
        values.append(Value(namespace, value, True))
    for entry in config.metadata:
        name = entry.metadata_namespace
        if entry.has("value"):
            values.append(Value(name, entry.value, entry.allow_overwrite))
            entry.moot("typed_value", "there is a value")
        elif entry.has("typed_value"):
            holder = entry.typed_value
            holder.take()
            typed.append(TypedValue(name, holder.message, entry.allow_overwrite))
        else:
            entry.moot("allow_overwrite", "there is no value")
    return Values(tuple(values), tuple(typed), scope.counter("set_metadata.overwrite_denied"))
