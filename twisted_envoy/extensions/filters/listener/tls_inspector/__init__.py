"""
The TLS inspector (`envoy.filters.listener.tls_inspector`): is it TLS, for which server name?

Not supported: `enable_ja3_fingerprinting`, `enable_ja4_fingerprinting`.
"""

from twisted_envoy.extensions.filters.listener.tls_inspector.config import TLSInspectorFactory

factories = (TLSInspectorFactory(),)
