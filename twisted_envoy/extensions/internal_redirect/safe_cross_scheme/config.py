"""The factory of the predicate."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory


def isSafe(info: Any, route: str, target: str, isTLS: bool, targetIsTLS: bool) -> bool:
    """Is the target no https, or was the request https too?"""
    return isTLS or not targetIsTLS


@implementer(IExtensionFactory)
class SafeCrossSchemeFactory:
    """Builds `isSafe`."""

    typeURL = "envoy.extensions.internal_redirect.safe_cross_scheme.v3.SafeCrossSchemeConfig"
    category = "internal_redirect"

    def build(self, config: Any, context: Any) -> Any:
        return isSafe
