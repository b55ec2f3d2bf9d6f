"""
TLS, downstream and upstream (`envoy.transport_sockets.tls`).

Not supported: OCSP staples, private key providers, custom validators, handshakers and selectors,
ticket keys that are configured, secrets from a server, compliance policies.
"""

from twisted_envoy.extensions.transport_sockets.tls.config import (
    DownstreamTLSFactory,
    UpstreamTLSFactory,
)

factories = (DownstreamTLSFactory(), UpstreamTLSFactory())
