"""The set_metadata filter's factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.http.set_metadata.filter import SetMetadata, Value
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.http import IHTTPFilterFactory

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
        denied = context.scope.counter("set_metadata.overwrite_denied")
        return partial(SetMetadata, _values(config), denied)

    def buildRoute(self, config: View, context: Any) -> tuple[Value, ...]:
        """Set after the filter's own."""
        return _values(config)


def _values(config: View) -> tuple[Value, ...]:
    """The deprecated fields come first and may overwrite."""
    values = []
    namespace: str = config.metadata_namespace
    value = config.value
    if namespace and value is not None:
        values.append(Value(namespace, value, True))
    for entry in config.metadata:
        if entry.has("value"):
            values.append(Value(entry.metadata_namespace, entry.value, entry.allow_overwrite))
        elif not entry.has("typed_value"):
            entry.moot("metadata_namespace", "there is no value")
            entry.moot("allow_overwrite", "there is no value")
    return tuple(values)
