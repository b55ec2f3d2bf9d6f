"""
The router: takes a request to a cluster, brings the response back.

Envoy: envoy.extensions.filters.http.router.v3.Router. Not supported: hedging,
upstream_http_filters.
"""

from twisted_envoy.extensions.filters.http.router.config import RouterFactory

factories = (RouterFactory(),)
