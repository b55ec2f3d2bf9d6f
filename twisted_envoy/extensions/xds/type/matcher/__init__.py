"""Matchers of whole trees: by ranges of addresses, and by domains."""

from twisted_envoy.extensions.xds.type.matcher.domain import ServerNameMatcherFactory
from twisted_envoy.extensions.xds.type.matcher.ip import IPMatcherFactory

factories = (IPMatcherFactory(), ServerNameMatcherFactory())
"""The factories of these matchers."""
