"""The factory of set_filter_state."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.filter_state.values import compileValues
from twisted_envoy.extensions.filters.network.set_filter_state.filter import (
    SetFilterState,
    SetFilterStateOnData,
)
from twisted_envoy.interfaces.network import INetworkFilterFactory
from twisted_envoy.network.link import Link

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(INetworkFilterFactory)
class SetFilterStateFactory:
    """Builds the maker of SetFilterState links."""

    typeURL = "envoy.extensions.filters.network.set_filter_state.v3.Config"
    category = "filters.network"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], Link]:
        seconds = context.reactor.seconds
        onNewConnection = compileValues(config.on_new_connection, context)
        onHandshake = compileValues(config.on_downstream_tls_handshake, context)
        onData = compileValues(config.on_downstream_data, context)
        if not onData:
            return partial(SetFilterState, seconds, onNewConnection, onHandshake)
        return partial(SetFilterStateOnData, seconds, onNewConnection, onHandshake, onData)
