"""
HTTP filters that a matcher tree may skip (`ExtensionWithMatcher`), and what matching extensions
share.

Not supported: the deprecated `matcher`, ExtensionWithMatcherPerRoute, terminal and composite
filters.
"""

from twisted_envoy.extensions.common.matching.config import ExtensionWithMatcherFactory

factories = (ExtensionWithMatcherFactory(),)
"""The factory of filters with a matcher."""
