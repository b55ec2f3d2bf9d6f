"""
From `config.overload.v3.OverloadManager` to an OverloadManager.

Envoy: source/server/overload_manager_impl.cc
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted_envoy.errors import UnsupportedField
from twisted_envoy.network.overload import SHRINK_HEAP, STOP_REQUESTS, OverloadActions
from twisted_envoy.server.heap_shrinker import INTERVAL, HeapShrinker
from twisted_envoy.server.overload_manager import OverloadManager, ResourceMonitor, Trigger

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.server.context import FactoryContext

_REFRESH = 1.0
_PREFIX = "envoy.overload_actions."
_NOT_HERE = frozenset(
    _PREFIX + name
    for name in (
        *("disable_http_keepalive", "stop_accepting_connections", "reduce_timeouts"),
        *("reject_incoming_connections", "reset_high_memory_stream"),
    )
)


def buildOverloadManager(
    config: View, monitors: dict[str, ResourceMonitor], context: FactoryContext
) -> OverloadManager | None:
    """
    Read the actions.

    Args:
        monitors: by name, without the limit of connections.
    Returns:
        None when there is nothing to look at.
    Raises:
        ConfigError: in Envoy's words; or an action that is not implemented.
    """
    interval = config.refresh_interval
    actions = cast(OverloadActions, context.singleton("overload", OverloadActions))
    triggers: dict[str, tuple[Trigger, ...]] = {}
    for action in config.actions:
        name: str = action.name
        if name in triggers:
            raise action.error(f"Duplicate overload action {name}", "name")
        _check(action)
        triggers[name] = _triggers(action, monitors)
        if name == SHRINK_HEAP:
            actions.follow(name, _shrinker(action.typed_config, context).wanted)
    if not monitors:
        return None
    interval = _REFRESH if interval is None else interval
    return OverloadManager(interval, monitors, triggers, actions, context.reactor, context.stats)


def _check(action: View) -> None:
    name = action.name
    if name in _NOT_HERE:
        raise UnsupportedField(
            action.path, f"overload action {name} is not implemented", action.position("name")
        )
    if name not in (STOP_REQUESTS, SHRINK_HEAP):
        raise action.error(f"Unknown Overload Manager Action {name}", "name")
    if name != SHRINK_HEAP and action.has("typed_config"):
        raise action.error(
            f'Overload action "{name}" has an unexpected value for the typed_config field',
            "typed_config",
        )


def _triggers(action: View, monitors: dict[str, ResourceMonitor]) -> tuple[Trigger, ...]:
    found: dict[str, Trigger] = {}
    for view in action.triggers:
        name: str = view.name
        if name not in monitors:
            raise view.error(
                f"Unknown trigger resource {name} for overload action {action.name}", "name"
            )
        if name in found:
            raise view.error(f"Duplicate trigger resource for overload action {action.name}")
        if view.which("trigger_oneof") == "threshold":
            value = view.threshold.value
            found[name] = Trigger(name, value, value)
            continue
        begins, ends = view.scaled.scaling_threshold, view.scaled.saturation_threshold
        if begins >= ends:
            raise view.scaled.error("scaling_threshold must be less than saturation_threshold")
        found[name] = Trigger(name, begins, ends)
    return tuple(found.values())


def _shrinker(holder: Any, context: FactoryContext) -> HeapShrinker:
    config = None if holder is None else holder.open()
    interval = None
    if config is not None:
        interval = config.timer_interval
        config.moot("max_unfreed_memory_bytes", "no allocator keeps what is collected")
    count = context.stats.counter(f"overload.{SHRINK_HEAP}.shrink_count")
    return HeapShrinker(context.reactor, count, INTERVAL if interval is None else interval)
