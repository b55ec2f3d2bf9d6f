"""The factory of the predicate, and the predicate."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.state.filter_state import StringObject

_KEY = "envoy.internal_redirect.previous_routes_predicate_state."


def isNew(info: Any, route: str, target: str, isTLS: bool, targetIsTLS: bool) -> bool:
    """Was there no redirect from this route to that one yet? From now on there was."""
    key = _KEY + route
    before = info.filterState.get(key)
    seen = () if before is None else tuple((before.plainText() or "").split("\n"))
    if target in seen:
        return False
    info.filterState.set(key, StringObject("\n".join((*seen, target))))
    return True


@implementer(IExtensionFactory)
class PreviousRoutesFactory:
    """Builds `isNew`."""

    typeURL = "envoy.extensions.internal_redirect.previous_routes.v3.PreviousRoutesConfig"
    category = "internal_redirect"

    def build(self, config: Any, context: Any) -> Any:
        return isNew
