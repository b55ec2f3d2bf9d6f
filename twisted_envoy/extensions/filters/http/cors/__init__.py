"""CORS (`envoy.filters.http.cors`): what browsers ask before they let scripts of other sites in."""

from twisted_envoy.extensions.filters.http.cors.config import CorsFactory

factories = (CorsFactory(),)
"""The factory of cors."""
