"""
Buffer (`envoy.filters.http.buffer`): a request goes on when all of it has come.

What is larger than `max_request_bytes` is answered with 413. Tunnels are let through: they have no
end to wait for.
"""

from twisted_envoy.extensions.filters.http.buffer.config import BufferFactory

factories = (BufferFactory(),)
"""The factory of buffer."""
