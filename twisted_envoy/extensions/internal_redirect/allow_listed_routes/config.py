"""The factory of the predicate."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory


@implementer(IExtensionFactory)
class AllowListedRoutesFactory:
    """Builds a redirect predicate (http.routes.internal_redirect)."""

    typeURL = "envoy.extensions.internal_redirect.allow_listed_routes.v3.AllowListedRoutesConfig"
    category = "internal_redirect"

    def build(self, config: Any, context: Any) -> Any:
        allowed = frozenset(config.allowed_route_names)
        return lambda info, route, target, isTLS, targetIsTLS: target in allowed
