"""The factory of echo; its message has no fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.network.echo.filter import Echo
from twisted_envoy.interfaces.network import INetworkFilterFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(INetworkFilterFactory)
class EchoFactory:
    """Builds the maker of Echo links."""

    typeURL = "envoy.extensions.filters.network.echo.v3.Echo"
    category = "filters.network"
    descriptors = b""
    terminal = True

    def build(self, config: View, context: Any) -> Callable[[], Echo]:
        return Echo
