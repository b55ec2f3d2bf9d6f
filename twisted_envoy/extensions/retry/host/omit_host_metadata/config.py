"""The factory of the predicate, and the predicate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory


class HasMetadata:
    """Shall another host be chosen: has this one all these `envoy.lb` values?"""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, object]) -> None:
        self._values = values

    def __call__(self, host: Any, tried: Sequence[Any]) -> bool:
        own = host.metadata.get("envoy.lb", {})
        if not self._values:
            return False
        return all(name in own and own[name] == value for name, value in self._values.items())


@implementer(IExtensionFactory)
class OmitHostMetadataFactory:
    """Builds a HasMetadata."""

    typeURL = "envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig"
    category = "retry.host"

    def build(self, config: Any, context: Any) -> HasMetadata:
        match = config.metadata_match
        return HasMetadata({} if match is None else match.filter_metadata.get("envoy.lb") or {})
