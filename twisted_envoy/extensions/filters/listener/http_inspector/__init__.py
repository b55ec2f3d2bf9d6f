"""
The HTTP inspector (`envoy.filters.listener.http_inspector`): is it HTTP, and which version?

Sets the application protocol that filter chains match: `http/1.0`, `http/1.1` or `h2c`.
"""

from twisted_envoy.extensions.filters.listener.http_inspector.config import HTTPInspectorFactory

factories = (HTTPInspectorFactory(),)
