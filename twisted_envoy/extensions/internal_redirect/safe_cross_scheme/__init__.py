"""Internal redirects never go from http to https."""

from twisted_envoy.extensions.internal_redirect.safe_cross_scheme.config import (
    SafeCrossSchemeFactory,
)

factories = (SafeCrossSchemeFactory(),)
