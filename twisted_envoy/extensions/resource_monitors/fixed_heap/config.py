"""The factory of the memory monitor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.resource_monitors.fixed_heap.monitor import FixedHeap
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class FixedHeapFactory:
    """Builds FixedHeap."""

    typeURL = "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig"
    category = "resource_monitors"

    def build(self, config: View, context: Any) -> FixedHeap:
        most = config.max_heap_size_bytes
        if not most:
            raise config.error("fixed_heap: max heap size must be greater than 0")
        return FixedHeap(most)
