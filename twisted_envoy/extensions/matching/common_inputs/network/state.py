"""
Filter state and dynamic metadata.

Envoy: source/extensions/matching/network/common/inputs.h,
source/extensions/matching/http/metadata_input/meta_input.h
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zope.interface import implementer

from twisted_envoy.extensions.common.matching.metadata import NOWHERE, MetadataValue
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.matching.inputs import HTTP, NETWORK, Input
from twisted_envoy.state.stream_info import StreamInfo

_PACKAGE = "envoy.extensions.matching.common_inputs.network.v3."


@implementer(IExtensionFactory)
class FilterStateInputFactory:
    """The text of an object of the filter state, or of a field of it."""

    typeURL = f"{_PACKAGE}FilterStateInput"
    category = (NETWORK, HTTP)

    def build(self, config: Any, context: Any) -> Input:
        key: str = config.key
        field: str = config.field

        def plain(info: StreamInfo) -> str | None:
            value = info.filterState.get(key)
            return None if value is None else value.plainText()

        def ofField(info: StreamInfo) -> str | None:
            value = info.filterState.get(key)
            found = None if value is None else value.field(field)
            return None if found is None else str(found)

        return ofField if field else plain


@implementer(IExtensionFactory)
class DynamicMetadataInputFactory:
    """A value of the dynamic metadata, as input_matchers.metadata wants it."""

    typeURL = f"{_PACKAGE}DynamicMetadataInput"
    category = HTTP

    def build(self, config: Any, context: Any) -> Input:
        path = [config.filter, *(segment.key for segment in config.path_)]

        def get(info: StreamInfo) -> MetadataValue:
            value: object = info.dynamicMetadata
            for key in path:
                if not isinstance(value, Mapping) or key not in value:
                    return NOWHERE
                value = value[key]
            return MetadataValue(value)

        return get
