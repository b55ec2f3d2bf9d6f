"""Internal redirects go to no route that one from the same route went to before."""

from twisted_envoy.extensions.internal_redirect.previous_routes.config import PreviousRoutesFactory

factories = (PreviousRoutesFactory(),)
