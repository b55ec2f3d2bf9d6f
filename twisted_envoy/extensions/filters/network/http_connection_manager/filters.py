"""From `http_filters` to the plan of a chain of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted_envoy.config.extensions import buildFilter, openFilter
from twisted_envoy.http.filter_plan import FilterPlan

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


def buildFilters(configs: tuple[View, ...], context: Any, layer: str = "http") -> FilterPlan:
    """
    Build every filter of a chain.

    Args:
        layer: `http`, or `http upgrade` for the filters of an upgrade.

    Raises:
        ConfigError: the terminal filter is missing or not the last one, or a filter's own error.
    """
    makers: list[Callable[[], Any]] = []
    names: list[str] = []
    disabled: set[str] = set()
    last = len(configs) - 1
    for index, config in enumerate(configs):
        factory, inner = openFilter(config, context, layer, index == last)
        if config.has("is_optional"):
            config.moot("is_optional", "the filter is known")
        if config.disabled:
            if factory.terminal:
                raise config.error(
                    f"Error: the last (terminal) filter ({config.name}) in the chain cannot be "
                    "disabled by default."
                )
            disabled.add(config.name)
        makers.append(buildFilter(factory, inner, context, config))
        names.append(config.name)
    return FilterPlan(makers, names, frozenset(disabled))


def filterKinds(config: View, context: Any) -> dict[str, frozenset[str]]:
    """
    What filters take from routes: name -> messages; a name that may take any is left out.

    Args:
        config: of the connection manager.
    """
    kinds: dict[str, frozenset[str]] = {}
    chains = (config.http_filters, *(one.filters for one in config.upgrade_configs))
    for one in (one for chain in chains for one in chain):
        holder = one.typed_config
        factory = None if holder is None else context.extensions.factory(holder.typeName)
        kind: str = getattr(factory, "routeTypeURL", "")
        if kind:
            kinds[one.name] = kinds.get(one.name, frozenset()) | {kind}
    return kinds
