"""The factory of the predicate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory


def isCanary(host: Any, tried: Sequence[Any]) -> bool:
    """Shall another host be chosen: is this one a canary?"""
    return bool(host.metadata.get("envoy.lb", {}).get("canary"))


@implementer(IExtensionFactory)
class OmitCanaryHostsFactory:
    """Builds `isCanary`."""

    typeURL = "envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate"
    category = "retry.host"

    def build(self, config: Any, context: Any) -> Any:
        return isCanary
