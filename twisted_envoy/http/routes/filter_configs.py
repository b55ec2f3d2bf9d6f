"""
typed_per_filter_config: what single HTTP filters are told by a route, its virtual host and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FILTER_CONFIG = "envoy.config.route.v3.FilterConfig"
_CATEGORY = "filters.http"


class FilterConfigs:
    """
    The configs of all levels down to one.

    Args:
        kinds: filter name -> the messages that filters of that name take; others are ignored, as
            in Envoy. A name that is not there takes any.

    Attributes:
        configs: filter name -> what buildRoute made, the least specific first.
        disabled: filter name -> what the most specific level says.
    """

    __slots__ = ("_kinds", "configs", "disabled")

    def __init__(self, kinds: Mapping[str, frozenset[str]] | None = None) -> None:
        self._kinds = {} if kinds is None else kinds
        self.configs: dict[str, tuple[object, ...]] = {}
        self.disabled: dict[str, bool] = {}

    def below(self, views: Mapping[str, Any], owner: Any, context: Any) -> FilterConfigs:
        """
        With those of the next, more specific level.

        Args:
            views: filter name -> AnyView. owner: the View that has them.
        Raises:
            ConfigError: a filter that is not known, or has no such config.
        """
        if not views:
            return self
        found = FilterConfigs(self._kinds)
        found.configs.update(self.configs)
        found.disabled.update(self.disabled)
        for name, holder in views.items():
            found._add(name, holder, owner, context)
        return found

    def _add(self, name: str, holder: Any, owner: Any, context: Any) -> None:
        optional = disabled = False
        if holder.typeName == _FILTER_CONFIG:
            holder, optional, disabled = unwrapped(holder.open(), name)
        self.disabled[name] = disabled
        if holder is None:
            return
        factory = context.extensions.routeFactory(holder, name, _CATEGORY, owner, optional)
        if factory is None:
            return
        built = factory[0].buildRoute(factory[1], context)
        kind: str = factory[0].routeTypeURL
        if kind in self._kinds.get(name, (kind,)):
            self.configs[name] = (*self.configs.get(name, ()), built)
        else:
            owner.warn(f"the filter '{name}' is of another type: it ignores a {kind}")


def unwrapped(config: Any, name: str) -> tuple[Any, bool, bool]:
    """
    Read a FilterConfig: what is in it (None for nothing), is_optional, disabled.

    Raises:
        ConfigError: nothing is in it, and it does not switch the filter off.
    """
    optional, disabled = config.is_optional, config.disabled
    holder = config.config
    if holder is None and not disabled:
        raise config.error(f"Empty route/virtual host per filter configuration for {name} filter")
    return holder, optional, disabled
