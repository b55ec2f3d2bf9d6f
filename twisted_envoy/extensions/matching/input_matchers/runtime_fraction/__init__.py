"""Matches a share of all texts, which the runtime may change."""

from twisted_envoy.extensions.matching.input_matchers.runtime_fraction.config import (
    RuntimeFractionFactory,
)

factories = (RuntimeFractionFactory(),)
"""The factory of this matcher."""
