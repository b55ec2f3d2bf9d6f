"""
CSRF (`envoy.filters.http.csrf`): requests that change something must come from the host that they
go to, or from one that is named.
"""

from twisted_envoy.extensions.filters.http.csrf.config import CSRFFactory

factories = (CSRFFactory(),)
