"""
The factory of input_matchers.metadata.

Envoy: source/extensions/matching/input_matchers/metadata
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zope.interface import implementer

from twisted_envoy.extensions.common.matching.metadata import MetadataValue
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.matchers import buildValueMatch
from twisted_envoy.network.matching.predicates import INPUT_MATCHERS


@implementer(IExtensionFactory)
class MetadataFactory:
    """What is no value of metadata matches nothing, inverted or not."""

    typeURL = "envoy.extensions.matching.input_matchers.metadata.v3.Metadata"
    category = INPUT_MATCHERS

    def build(self, config: Any, context: Any) -> Callable[[object], bool]:
        match = buildValueMatch(config.value)
        invert: bool = config.invert
        return lambda value: (
            isinstance(value, MetadataValue)
            and (value.isThere and match(value.value)) is not invert
        )
