"""The factory of the listener filter set_filter_state."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.filter_state.values import compileValues
from twisted_envoy.extensions.filters.listener.set_filter_state.filter import SetFilterState
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class SetFilterStateFactory:
    """Builds the maker of SetFilterState listener filters."""

    typeURL = "envoy.extensions.filters.listener.set_filter_state.v3.Config"
    category = "filters.listener"
    descriptors = b""

    def build(self, config: View, context: Any) -> Callable[[], SetFilterState]:
        values = compileValues(config.on_accept, context)
        return partial(SetFilterState, values, context.reactor.seconds)
