"""
The HTTP connection manager: a codec, routes and HTTP filters for each client connection.

Not supported: HTTP/3, RDS and scoped routes, tracing, client certificates.
"""

from twisted_envoy.extensions.filters.network.http_connection_manager.config import ManagerFactory

factories = (ManagerFactory(),)
