"""
The factory of input_matchers.consistent_hashing.

Envoy: source/extensions/matching/input_matchers/consistent_hashing
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.matching.predicates import INPUT_MATCHERS
from twisted_envoy.network.xxhash import xxHash64


@implementer(IExtensionFactory)
class ConsistentHashingFactory:
    """A hash modulo `modulo` has to reach the threshold."""

    typeURL = "envoy.extensions.matching.input_matchers.consistent_hashing.v3.ConsistentHashing"
    category = INPUT_MATCHERS

    def build(self, config: Any, context: Any) -> Callable[[object], bool]:
        threshold: int = config.threshold
        modulo: int = config.modulo
        seed: int = config.seed
        return lambda value: (
            isinstance(value, str)
            and xxHash64(value.encode("utf-8", "surrogateescape"), seed) % modulo >= threshold
        )
