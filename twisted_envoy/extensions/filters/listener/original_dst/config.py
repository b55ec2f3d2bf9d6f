"""The factory of original_dst."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.listener.original_dst.filter import OriginalDst
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class OriginalDstFactory:
    """Builds the maker of OriginalDst filters; there is nothing to configure."""

    typeURL = "envoy.extensions.filters.listener.original_dst.v3.OriginalDst"
    category = "filters.listener"
    descriptors = b""

    def build(self, config: View, context: Any) -> Callable[[], OriginalDst]:
        return OriginalDst
