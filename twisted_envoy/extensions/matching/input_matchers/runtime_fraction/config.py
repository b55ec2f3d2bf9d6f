"""
The factory of input_matchers.runtime_fraction.

Envoy: source/extensions/matching/input_matchers/runtime_fraction
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.fraction import buildFraction
from twisted_envoy.network.matching.predicates import INPUT_MATCHERS
from twisted_envoy.network.xxhash import xxHash64


@implementer(IExtensionFactory)
class RuntimeFractionFactory:
    """The same text is always in the share or never."""

    typeURL = "envoy.extensions.matching.input_matchers.runtime_fraction.v3.RuntimeFraction"
    category = INPUT_MATCHERS

    def build(self, config: Any, context: Any) -> Callable[[object], bool]:
        seed: int = config.seed
        within = buildFraction(config.runtime_fraction, context.runtime)
        return lambda value: (
            isinstance(value, str)
            and within(xxHash64(value.encode("utf-8", "surrogateescape"), seed))
        )
