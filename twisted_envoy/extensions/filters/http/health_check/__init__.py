"""
Health check (`envoy.filters.http.health_check`): answers those who ask whether this server is well.
"""

from twisted_envoy.extensions.filters.http.health_check.config import HealthCheckFactory

factories = (HealthCheckFactory(),)
"""The factory of health_check."""
