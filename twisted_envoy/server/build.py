"""
From options to a server: the only place that wires everything.

The order is Envoy's, so that the first of two mistakes is the same one: bootstrap, runtime,
extensions, overload manager, clusters, listeners, admin. Validating runs the very same code and
binds nothing; what validates starts.
"""

from __future__ import annotations

from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, cast

from twisted.logger import Logger

from twisted_envoy.access_log.logger import buildAccessLogs
from twisted_envoy.access_log.manager import AccessLogManager
from twisted_envoy.config.bootstrap import loadBootstrap
from twisted_envoy.config.extensions import Extensions
from twisted_envoy.config.load import Text
from twisted_envoy.config.unread import reportUnread
from twisted_envoy.errors import ConfigError, UnsupportedExtension, UnsupportedField
from twisted_envoy.interfaces.extensions import Node
from twisted_envoy.internal.registry import getRegistry
from twisted_envoy.network.limits import ConnectionLimit
from twisted_envoy.network.listener import Listener
from twisted_envoy.server.build_cluster import buildCluster
from twisted_envoy.server.build_eds import EDS_ROOTS
from twisted_envoy.server.build_listener import ListenerBuilder
from twisted_envoy.server.build_log import buildLogFormat
from twisted_envoy.server.build_overload import (
    buildOverload,
    checkLocalCluster,
    checkManagers,
    checkRegexEngine,
    checkSinks,
)
from twisted_envoy.server.build_stats import buildStore
from twisted_envoy.server.build_tracing import checkTracing
from twisted_envoy.server.context import FactoryContext
from twisted_envoy.server.dynamic_files import (
    DynamicFiles,
    FileSubscription,
    readDynamicFiles,
)
from twisted_envoy.server.lifecycle import DrainManager
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.server.runtime import buildRuntime
from twisted_envoy.server.server import ListenerManager, Server
from twisted_envoy.sockets.choosing import SWITCH, socketsFor
from twisted_envoy.state.addresses import addressText, portOf
from twisted_envoy.upstream.cluster_manager import ClusterManager
from twisted_envoy.upstream.resolve import HostResolver

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted_envoy.config.view import View
    from twisted_envoy.interfaces.access_log import IAccessLogger
    from twisted_envoy.interfaces.sockets import ISocketInterface
    from twisted_envoy.interfaces.upstream import IHostResolver
    from twisted_envoy.server.log_format import Formatter

_log = Logger("main")

_INTERNAL_LISTENER = "envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
_STATS_FLUSH = 5.0
_NO_LIMIT = (
    "There is no configured limit to the number of allowed active downstream connections. "
    "Configure a limit in `envoy.resource_monitors.global_downstream_max_connections` resource "
    "monitor."
)


def buildServer(
    options: ServerOptions,
    reactor: Any,
    sockets: ISocketInterface | None = None,
    accessLogs: Any = None,
    random: Random | None = None,
    resolver: IHostResolver | None = None,
    setLogFormat: Callable[[Formatter], None] | None = None,
    text: Text | None = None,
    worker: int | None = None,
) -> Server:
    """
    Read the config and build everything; nothing is bound.

    Args:
        sockets: where kernel sockets come from; None for what `sockets.choosing` chooses.
        accessLogs: an IAccessLogManager; None for files.
        resolver: finds the addresses of names; None for the reactor's own.
        random: what balancers, weights and jitter ask; None for one of its own.
        text: that of options.configPath, when it has been read already.
        worker: the number of this process, when it is one of several: they append to the same
            access logs, and no two give a connection the same number.
        setLogFormat: takes the format of `application_log_config`; None where the log is not ours.
    Raises:
        ConfigError: the first thing that cannot be obeyed.
    """
    extensions = Extensions()
    paths = [text or options.configPath] if options.configPath else []
    inline = Text(options.configName, options.configYAML) if options.configYAML else ""
    bootstrap, warnings = loadBootstrap(paths, inline, extensions.findType)
    _useLogFormat(bootstrap, options, setLogFormat)
    registry = getRegistry(reactor)
    store = buildStore(bootstrap.stats_config)
    runtime = buildRuntime(bootstrap.layered_runtime, store)
    context = FactoryContext(
        reactor=reactor,
        stats=store,
        scope=store,
        clusters=ClusterManager(),
        registry=registry,
        sockets=sockets or socketsFor(reactor, registry.turn, runtime.boolean(SWITCH, False)),
        extensions=extensions,
        accessLogs=accessLogs
        or AccessLogManager(reactor, store, options.fileFlushInterval, isShared=worker is not None),
        drain=DrainManager(
            reactor, options.drainTime, immediate=options.drainStrategy == "Immediate"
        ),
        runtime=runtime,
        resolver=resolver or HostResolver(reactor),
        random=random or Random(),
        validating=options.validating,
        node=_node(bootstrap, options),
        warnings=warnings,
        nextID=count(1 + (worker or 0), 1 if worker is None else options.concurrency).__next__,
    )
    builder = _Builder(bootstrap, options, context)
    server = builder.server()
    _report(bootstrap, options, context, builder.files)
    return server


def _useLogFormat(
    bootstrap: View, options: ServerOptions, setLogFormat: Callable[[Formatter], None] | None
) -> None:
    """Hand on the format that the bootstrap wants for the log."""
    logFormat = buildLogFormat(bootstrap, options)
    if logFormat is None:
        return
    if setLogFormat is None:
        bootstrap.warn("the log belongs to the application", "application_log_config")
    else:
        setLogFormat(logFormat)


def _node(bootstrap: View, options: ServerOptions) -> Node:
    """The command line goes before the bootstrap."""
    message: Any = bootstrap.message
    node = message.node
    return Node(
        options.serviceNode or node.id,
        options.serviceCluster or node.cluster,
        options.serviceZone or node.locality.zone,
    )


class _Builder:
    """The build of one server, step by step."""

    def __init__(self, bootstrap: View, options: ServerOptions, context: FactoryContext) -> None:
        self._bootstrap = bootstrap
        self._options = options
        self._context = context
        self._unimplemented: list[ConfigError] = []
        self._adminLogs: tuple[IAccessLogger, ...] = ()
        self.files = DynamicFiles()

    def server(self) -> Server:
        bootstrap = self._bootstrap
        context = self._context
        self._node()
        interval = self._statsInterval()
        checkRegexEngine(bootstrap, context)
        hasAdmin = bootstrap.admin is not None and bootstrap.admin.address is not None
        if hasAdmin:
            from twisted_envoy.server.admin.listener import readAddress

            readAddress(bootstrap.admin)
        extensions = [context.build(one, "bootstrap") for one in bootstrap.bootstrap_extensions]
        limit, overload = buildOverload(bootstrap, context)
        if hasAdmin or (bootstrap.admin is not None and context.validating):  # as in Envoy
            self._adminLogs = buildAccessLogs(bootstrap.admin.access_log, context)
        checkTracing(bootstrap)
        self.files = readDynamicFiles(bootstrap, context)
        resources = bootstrap.static_resources
        if resources is not None:
            self._secrets(resources)
            if bootstrap.cluster_manager is not None:
                from twisted_envoy.server.build_outlier import buildOutlierLog

                buildOutlierLog(bootstrap, context)
        self._clusters(() if resources is None else resources.clusters)
        if resources is not None:
            checkLocalCluster(bootstrap, context)
        listeners = self._listeners(
            () if resources is None else resources.listeners,
            _INTERNAL_LISTENER in extensions,
            limit,
        )
        checkSinks(bootstrap, context)
        if resources is not None and resources.secrets:
            from twisted_envoy.extensions.common.tls.secrets import warnOfUnused

            warnOfUnused(context)
        server = Server(bootstrap, self._options, context, listeners, interval)
        server.admin = self._admin(server)
        server.overload = overload
        if self._unimplemented:
            raise self._unimplemented[0]
        if limit is None:
            _log.warn(_NO_LIMIT)
        return server

    def _secrets(self, resources: View) -> None:
        count = 0
        if resources.secrets:
            from twisted_envoy.extensions.common.tls.secrets import keepStaticSecrets

            count = keepStaticSecrets(resources.secrets, self._context)
        _log.info("loading {count} static secret(s)", count=count)

    def _node(self) -> None:
        if self._bootstrap.node is not None:
            self._bootstrap.node.take()
        self._bootstrap.moot("node_context_params", "there is no xDS server to tell")
        checkManagers(self._bootstrap)

    def _statsInterval(self) -> float:
        """Seconds between two merges of the histograms, 0 for merging when the admin asks."""
        bootstrap = self._bootstrap
        if bootstrap.which("stats_flush") == "stats_flush_on_admin":
            return 0.0 if bootstrap.stats_flush_on_admin else _STATS_FLUSH
        interval: float | None = bootstrap.stats_flush_interval
        return _STATS_FLUSH if interval is None else interval

    def _clusters(self, configs: tuple[View, ...]) -> None:
        context = self._context
        _log.info("loading {count} cluster(s)", count=len(configs))
        manager = context.clusters
        for config in configs:
            if manager.get(config.name) is not None:
                raise config.error(f"cluster manager: duplicate cluster '{config.name}'", "name")
            self._addCluster(config)
        refused = self._discover(self.files.clusters, self._addDynamicCluster)
        scope = context.stats.scope("cluster_manager.")
        count = len(list(manager.names()))
        scope.gauge("active_clusters").value = count
        scope.gauge("warming_clusters").value = 0
        scope.counter("cluster_added").value += count + refused  # as Envoy counts them
        for name in (
            *("cluster_modified", "cluster_removed", "cluster_updated"),
            *("cluster_updated_via_merge", "update_merge_cancelled", "update_out_of_merge_window"),
        ):
            scope.counter(name)

    def _listeners(
        self, configs: tuple[View, ...], internal: bool, limit: ConnectionLimit | None
    ) -> ListenerManager:
        context = self._context
        _log.info("loading {count} listener(s)", count=len(configs))
        manager = ListenerManager(context.stats, context.sockets, context.registry)
        builder = ListenerBuilder(context, internal, limit, context.nextID)
        for config in configs:
            if manager.get(config.name) is not None:
                config.warn(f"listener name '{config.name}' is given twice: the first one wins")
                config.take()
            else:
                self._addListener(config, builder, manager)
        self._discover(
            self.files.listeners,
            lambda config: self._addListener(config, builder, manager),
        )
        return manager

    def _addCluster(self, config: View) -> None:
        manager = self._context.clusters
        try:
            manager.add(buildCluster(config, self._context))
        except (UnsupportedExtension, UnsupportedField) as problem:
            self._unimplemented.append(problem)  # what Envoy would say comes first
            manager.leaveOut(config.name)

    def _addDynamicCluster(self, config: View) -> None:
        manager = self._context.clusters
        if manager.isKnown(config.name):
            config.take()  # a static one stays as it is
            return
        self._addCluster(config)
        cluster: Any = manager.get(config.name)
        if cluster is not None:
            cluster.addedViaAPI = True

    def _addListener(
        self, config: View, builder: ListenerBuilder, manager: ListenerManager
    ) -> None:
        if manager.get(config.name) is not None:
            config.take()
            return
        try:
            listener, options = builder.build(config)
        except (UnsupportedExtension, UnsupportedField) as problem:
            self._unimplemented.append(problem)
            return
        _refuseDuplicate(config, listener, manager)
        manager.add(listener, options)

    def _discover(self, files: FileSubscription | None, add: Callable[[View], None]) -> int:
        """
        Use what a file has; what is refused there leaves all else as it is.

        Returns:
            How many were refused.
        """
        if files is None:
            return 0
        problems: list[ConfigError] = []
        for config in files.resources():
            try:
                add(config)
            except (UnsupportedExtension, UnsupportedField):
                raise
            except ConfigError as problem:
                problems.append(problem)
        files.used(problems)
        return len(problems)

    def _admin(self, server: Server) -> Any:
        config = self._bootstrap.admin
        if config is None:
            return None
        from twisted_envoy.server.admin.listener import buildAdmin

        return buildAdmin(
            config, cast(Any, server), cast(Any, self._context), lambda *_: self._adminLogs
        )


def _refuseDuplicate(config: View, listener: Listener, others: ListenerManager) -> None:
    """
    Two listeners cannot share an address, whatever the kernel would let them do.

    Raises:
        ConfigError: an address, of those with a port that is known, is another listener's.
    """
    taken = {addressText(address) for other in others for address in other.settings.addresses}
    addresses = listener.settings.addresses
    for address in addresses:
        if portOf(address) != 0 and addressText(address) in taken:
            where = ",".join(addressText(one) for one in addresses)
            raise config.error(
                f"error adding listener: '{listener.name}' has duplicate address '{where}' as "
                "existing listener, to check if the listener has duplicated addresses with other "
                "listeners or 'enable_reuse_port' is set to 'false' for the listener",
                "address",
            )


def _report(
    bootstrap: View, options: ServerOptions, context: FactoryContext, files: DynamicFiles
) -> None:
    """Say what was odd, and refuse what nobody obeys."""
    for key in context.runtime.unasked():
        context.warn(f"runtime key '{key}' has no effect in twisted_envoy")
    unsupported: list[Any] = list(reportUnread(bootstrap))
    for root in (*files.roots(), *cast("list[Any]", context.singleton(EDS_ROOTS, list))):
        unsupported += reportUnread(root)
    odd: list[ConfigError] = []
    if context.validating and not unsupported:
        from twisted_envoy.server.lint import lint

        odd = lint(bootstrap, context.runtime)
    if unsupported and not options.allowUnsupported:
        first = unsupported[0]
        more = len(unsupported) - 1
        if more:
            others = ", ".join(f"{one.path} ({one.position})" for one in unsupported[1:6])
            text = f"{first.problem} (and {more} more: {others})"
            raise type(first)(first.path, text, first.position)
        raise first
    for problem in [*context.warnings, *unsupported, *odd]:
        _log.warn("{problem}", problem=problem)
