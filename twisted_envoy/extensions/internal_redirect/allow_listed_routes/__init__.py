"""Internal redirects go to the named routes only."""

from twisted_envoy.extensions.internal_redirect.allow_listed_routes.config import (
    AllowListedRoutesFactory,
)

factories = (AllowListedRoutesFactory(),)
