"""Matches a share of all texts, by their hash."""

from twisted_envoy.extensions.matching.input_matchers.consistent_hashing.config import (
    ConsistentHashingFactory,
)

factories = (ConsistentHashingFactory(),)
"""The factory of this matcher."""
