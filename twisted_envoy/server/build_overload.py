"""What a bootstrap says about the server as a whole: its limit, its managers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.network.limits import ConnectionLimit
from twisted_envoy.server.build_overload_manager import buildOverloadManager
from twisted_envoy.server.context import FactoryContext
from twisted_envoy.server.overload_manager import OverloadManager, ResourceMonitor

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_MONITOR = "envoy.resource_monitors.global_downstream_max_connections"
_BOOTSTRAP = "envoy.config.bootstrap.v3."
_METRICS = "envoy.config.metrics.v3."
_RE2 = "envoy.extensions.regex_engines.v3.GoogleRE2"
_RUNTIME_KEY = "overload.global_downstream_max_connections"


def buildOverload(
    bootstrap: View, context: FactoryContext
) -> tuple[ConnectionLimit | None, OverloadManager | None]:
    """
    The limit of all connections, and what looks at resources; None where there is none.

    Raises:
        ConfigError: a monitor that nobody knows, or one given twice; an action, likewise.
    """
    config = bootstrap.overload_manager
    limit: Any = None
    manager = None
    if config is not None:
        names: set[str] = set()
        monitors: dict[str, ResourceMonitor] = {}
        for monitor in config.resource_monitors:
            made: Any = _monitor(monitor, names, context)
            if isinstance(made, ConnectionLimit):
                limit = made
                own = context.scope.scope(f"overload.{_MONITOR}.")
                limit.refusals = own.counter("failed_updates")
                own.gauge("pressure")
            else:
                monitors[monitor.name] = made
        manager = buildOverloadManager(config, monitors, context)
    if limit is None and context.runtime.integer(_RUNTIME_KEY) is not None:
        limit = ConnectionLimit()
        context.runtime.follow(_RUNTIME_KEY, limit.change)
    return limit, manager


def _monitor(monitor: View, names: set[str], context: FactoryContext) -> object:
    """One resource monitor; Envoy finds that of connections by its name only."""
    if monitor.name in names:
        raise monitor.error(f"Duplicate resource monitor {monitor.name}", "name")
    names.add(monitor.name)
    made = context.build(monitor, "resource_monitors")
    if isinstance(made, ConnectionLimit) and monitor.name != _MONITOR:
        kind = monitor.typed_config.typeName
        raise monitor.error(
            f"Didn't find a registered implementation for '{monitor.name}' with type URL: '{kind}'"
        )
    return made


def checkRegexEngine(bootstrap: View, context: FactoryContext) -> None:
    """
    RE2 is what there is.

    Raises:
        ConfigError: another engine, known to Envoy or not.
    """
    engine = bootstrap.default_regex_engine
    if engine is not None:
        kind = "" if engine.typed_config is None else engine.typed_config.typeName
        if kind == _RE2:
            engine.take()
        else:
            context.build(engine, "regex_engines")


def checkSinks(bootstrap: View, context: FactoryContext) -> None:
    """
    Stats are not sent anywhere.

    Raises:
        ConfigError: a sink, known to Envoy or not.
    """
    for sink in bootstrap.stats_sinks:
        kind = "" if sink.typed_config is None else sink.typed_config.typeName
        context.build(sink, "config.metrics" if kind.startswith(_METRICS) else "stat_sinks")


def checkManagers(bootstrap: View) -> None:
    """
    Read what asks for parts that are always the same here.

    Raises:
        ConfigError: a listener manager that nobody knows.
    """
    manager = bootstrap.listener_manager
    if manager is not None:
        kind = "" if manager.typed_config is None else manager.typed_config.typeName
        if not (kind.startswith(_BOOTSTRAP) and kind.endswith("ListenerManager")):
            raise manager.error(
                f"Didn't find a registered implementation for '{manager.name}' with type URL: "
                f"'{kind}'"
            )
        manager.take()
    for field in ("watchdog", "watchdogs", "memory_allocator_manager"):
        bootstrap.moot(field, "there are no threads to watch and no allocator to tell")


def checkLocalCluster(bootstrap: View, context: FactoryContext) -> None:
    """
    The local cluster is one of the clusters.

    Raises:
        ConfigError: it is not.
    """
    if bootstrap.cluster_manager is None:
        return
    message: Any = bootstrap.message
    name: str = message.cluster_manager.local_cluster_name
    if name and context.clusters.get(name) is None:
        raise bootstrap.error(f"local cluster '{name}' must be defined", "cluster_manager")
