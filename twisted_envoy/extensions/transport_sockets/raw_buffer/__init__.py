"""
Bytes as they are (`envoy.transport_sockets.raw_buffer`).

Nothing of it is unsupported.
"""

from twisted_envoy.extensions.transport_sockets.raw_buffer.config import RawBufferFactory

factories = (RawBufferFactory(),)
