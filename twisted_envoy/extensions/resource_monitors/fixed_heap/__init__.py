"""
Memory (`envoy.resource_monitors.fixed_heap`): what the process has of it, as a share of a limit.

Not supported: `max_heap_size_bytes_runtime`.
"""

from twisted_envoy.extensions.resource_monitors.fixed_heap.config import FixedHeapFactory

factories = (FixedHeapFactory(),)
