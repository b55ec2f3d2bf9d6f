"""Matches a text that is an address in one of some ranges."""

from twisted_envoy.extensions.matching.input_matchers.ip.config import IPFactory

factories = (IPFactory(),)
"""The factory of this matcher."""
