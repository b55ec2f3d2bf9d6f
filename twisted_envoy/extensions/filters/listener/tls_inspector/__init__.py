"""
The TLS inspector (`envoy.filters.listener.tls_inspector`): is it TLS, for which server name?
"""

from twisted_envoy.extensions.filters.listener.tls_inspector.config import TLSInspectorFactory

factories = (TLSInspectorFactory(),)
