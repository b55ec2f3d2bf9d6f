"""The factory of direct_response: the answer is read once, at start-up."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.network.direct_response.filter import DirectResponse
from twisted_envoy.formatter.data_source import readDataSource
from twisted_envoy.interfaces.network import INetworkFilterFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(INetworkFilterFactory)
class DirectResponseFactory:
    """Builds the maker of DirectResponse links."""

    typeURL = "envoy.extensions.filters.network.direct_response.v3.Config"
    category = "filters.network"
    descriptors = b""
    terminal = True

    def build(self, config: View, context: Any) -> Callable[[], DirectResponse]:
        source = config.response
        return partial(DirectResponse, b"" if source is None else readDataSource(source))
