"""The fault filter's factory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.http.fault.filter import Fault, FaultConfig
from twisted_envoy.extensions.filters.http.fault.settings import FaultSettings, readSettings
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.interfaces.http import IHTTPFilterFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IHTTPFilterFactory)
class FaultFactory:
    """Builds the maker of Fault filters."""

    typeURL = "envoy.extensions.filters.http.fault.v3.HTTPFault"
    routeTypeURL = typeURL
    category = "filters.http"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        settings = _settings(config, context)
        return partial(Fault, FaultConfig(settings, context))

    def buildRoute(self, config: View, context: Any) -> FaultSettings:
        """Takes the place of the filter's own."""
        return _settings(config, context)


def _settings(config: View, context: Any) -> FaultSettings:
    settings = readSettings(config)
    for key in settings.runtimeKeys():
        context.runtime.integer(key)  # asked for, with each request
    return settings
