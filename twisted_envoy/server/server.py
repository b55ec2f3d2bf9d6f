"""
A running server: everything that was built from one bootstrap, and its life.

    privilegedStartService   bind every socket, listen under every internal name
    startService             the clock of the stats starts
    stopService              accept no more, close what is open, flush the logs
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, cast

from twisted.application.service import Service
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IStreamServerEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_envoy.interfaces.extensions import CERTIFICATES, POLLED, SECRETS, STOPPED
from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.internal.endpoints import InternalServerEndpoint
from twisted_envoy.internal.registry import Registry
from twisted_envoy.network.listener import Listener, firstProblem
from twisted_envoy.server.context import FactoryContext
from twisted_envoy.server.lifecycle import DrainManager
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.server.server_stats import ServerStats
from twisted_envoy.state.addresses import hostText, portOf

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.interfaces.sockets import ListenOptions
    from twisted_envoy.server.admin.listener import Admin
    from twisted_envoy.server.overload_manager import OverloadManager
    from twisted_envoy.stats.scope import Store

_log = Logger("main")

_ANY: dict[type, str] = {IPv4Address: "0.0.0.0", IPv6Address: "::"}
GRACE = 1.0
"""Seconds that open connections have to send what they were given when the server stops."""

_POLL = 1.0
"""Seconds between two looks at files that may change."""


class ListeningSockets(Protocol):
    """ISocketInterface, as far as listening goes."""

    def serverEndpoint(self, address: IAddress, options: ListenOptions) -> IStreamServerEndpoint:
        """An endpoint whose `listen` binds at once."""


class ListenerManager:
    """
    All listeners, in the order of the config.

    Args:
        store: for `listener_manager.*`.
        sockets: makes the endpoints of kernel addresses.
        registry: of internal listeners.

    Attributes:
        sockets: may be exchanged before `listen`.
    """

    def __init__(self, store: Store, sockets: ListeningSockets, registry: Registry) -> None:
        scope = store.scope("listener_manager.")
        self._added = scope.counter("listener_added")
        self._created = scope.counter("listener_create_success")
        self._stopped = scope.counter("listener_stopped")
        self._active = scope.gauge("total_listeners_active")
        self._started = scope.gauge("workers_started")
        for name in (
            "listener_create_failure",
            "listener_in_place_updated",
            "listener_modified",
            "listener_removed",
            "workers_pinned",
        ):
            scope.counter(name)
        scope.gauge("total_listeners_warming").value = 0
        for name in ("total_listeners_draining", "total_filter_chains_draining"):
            scope.gauge(name)
        self.sockets = sockets
        self._registry = registry
        self._listeners: dict[str, tuple[Listener, tuple[ListenOptions, ...]]] = {}

    def add(self, listener: Listener, options: tuple[ListenOptions, ...]) -> None:
        """
        One more, not yet listening.

        Args:
            options: of its addresses; without any nothing will be bound.
        """
        self._listeners[listener.name] = (listener, options)
        if listener.settings.handsOff:
            listener.byAddress = self.byAddress
        self._added.value += 1
        self._active.value = len(self._listeners)

    def get(self, name: str) -> Listener | None:
        """The listener of that name."""
        found = self._listeners.get(name)
        return None if found is None else found[0]

    def byAddress(self, address: IAddress | None) -> Listener | None:
        """The listener of an address, or else one of its port on every address."""
        fallback = None
        for listener in self:
            for own in (listener.address, *listener.additionalAddresses):
                if own == address:
                    return listener
                if hostText(own) == _ANY.get(type(address)) and portOf(own) == portOf(address):
                    fallback = listener
        return fallback

    def __iter__(self) -> Iterator[Listener]:
        return iter([listener for listener, _ in self._listeners.values()])

    def __len__(self) -> int:
        return len(self._listeners)

    def listen(self) -> Deferred[None]:
        """
        Bind every address of every listener.

        Raises:
            (Deferred) CannotListenError: the first that could not be bound.
        """
        listening = []
        for listener, options in self._listeners.values():
            endpoints = [
                self._endpoint(address, each, listener.settings.pipeSize)
                for address, each in zip(listener.settings.addresses, options, strict=False)
            ]
            listening.append(listener.listen(endpoints).addCallback(self._bound))
        gathered = gatherResults(listening, consumeErrors=True).addErrback(firstProblem)
        return gathered.addCallback(self._all)

    def _bound(self, result: None) -> None:
        self._created.value += 1

    def _all(self, result: object) -> None:
        self._started.value = 1

    def _endpoint(
        self, address: IAddress, options: ListenOptions, pipeSize: int | None
    ) -> IStreamServerEndpoint:
        if isinstance(address, InternalAddress):
            return InternalServerEndpoint(cast(Any, None), address.name, self._registry, pipeSize)
        return self.sockets.serverEndpoint(address, options)

    def stopListening(self, inboundOnly: bool = False) -> Deferred[None]:
        """Accept no more connections; open ones stay."""
        stopping = []
        for listener in self:
            if not inboundOnly or listener.trafficDirection == "INBOUND":
                if listener.ports:
                    self._stopped.value += 1
                stopping.append(listener.stopListening())
        return gatherResults(stopping, consumeErrors=True).addCallback(lambda _: None)

    @property
    def openConnections(self) -> int:
        """Connections of all listeners."""
        return sum(len(listener.connections) for listener in self)


class Server(Service):
    """
    Everything of one bootstrap.

    Args:
        bootstrap: its View.
        options: the command line's.
        context: what everything was built with.
        listeners: not yet listening.
        statsInterval: seconds between two merges of the histograms; 0 for none.

    Attributes:
        shutdown: ends the program; the service that runs the server sets it.
        logControl: the log levels that `/logging` changes; set likewise.
        initializing: clusters look for their hosts and check them.
        statsInterval: as given.
        whenReady: called once connections are let in.
    """

    def __init__(
        self,
        bootstrap: View,
        options: ServerOptions,
        context: FactoryContext,
        listeners: ListenerManager,
        statsInterval: float,
    ) -> None:
        self.bootstrap = bootstrap
        self.options = options
        self.reactor = context.reactor
        self.store = context.stats
        self.clusters = context.clusters
        self.accessLogs = context.accessLogs
        self.sockets = context.sockets
        self.runtime = context.runtime
        self.drain = cast(DrainManager, context.drain)
        self.listeners = listeners
        self.admin: Admin | None = None
        self.logControl: Any = options.logControl()
        self.shutdown: Callable[[], object] = self.stopService
        self.startTime: float = context.reactor.seconds()
        self.statsInterval = statsInterval
        self._statsTimer: IDelayedCall | None = None
        self.certificates = cast(list[Any], context.singleton(CERTIFICATES, list))
        self.secrets = cast(list[Any], context.singleton(SECRETS, list))
        self._polled = cast(list[Any], context.singleton(POLLED, list))
        self._stopped = cast(list[Any], context.singleton(STOPPED, list))
        self._pollTimer: IDelayedCall | None = None
        self.overload: OverloadManager | None = None
        self._listening: Deferred[None] | None = None
        self._stopping: Deferred[None] | None = None
        self.initializing = False
        self.whenReady: Callable[[], object] = bool
        ServerStats(self)

    # Life.

    def privilegedStartService(self) -> Deferred[None]:
        """
        Bind everything.

        Raises:
            CannotListenError, OSError: an address that cannot be bound, when that is known at once.
        """
        if self._listening is None:
            if self.admin is not None:
                _raised(maybeDeferred(self.admin.listen))
            self._listening = self.listeners.listen()
            _raised(self._listening)
        return self._listening

    def startService(self) -> None:
        super().startService()  # type: ignore[no-untyped-call]
        self.privilegedStartService()
        for listener in self.listeners:
            listener.hold()
        self.initializing = True
        ready = self.clusters.start(self._found)
        ready.addCallback(self._initialized)
        self._scheduleMerge()
        self._schedulePoll()
        if self.overload is not None:
            self.overload.start()

    def _found(self) -> None:
        """Every cluster has had an answer: let health checks reach internal listeners."""
        for listener in self.listeners:
            if listener.isInternal:
                listener.release()

    def _initialized(self, result: None) -> None:
        """Every host that was found has been checked: let connections in."""
        self.initializing = False
        _log.info("cm init: all clusters initialized", component="upstream")
        _log.info("all dependencies initialized. starting workers", component="config")
        for listener in self.listeners:
            listener.release()
        self.whenReady()

    def stopService(self) -> Deferred[None]:
        """
        Stop everything.

        Returns:
            Fires when no connection is left and every log is written.
        """
        if self._stopping is None:
            super().stopService()  # type: ignore[no-untyped-call]
            self._stopping = self._stop()
        return self._stopping

    def _stop(self) -> Deferred[None]:
        self.drain.stop()
        if self.overload is not None:
            self.overload.stop()
        if self._statsTimer is not None and self._statsTimer.active():
            self._statsTimer.cancel()
        if self._pollTimer is not None and self._pollTimer.active():
            self._pollTimer.cancel()
        self.clusters.stop()
        for stop in self._stopped:
            stop()
        ended = [self.listeners.stopListening()]
        if self.admin is not None:
            ended.append(maybeDeferred(self.admin.stop))
        # Hops first, for what comes in over a hop that its caller leaves is reset.
        for listener in sorted(self.listeners, key=lambda one: not one.isInternal):
            listener.closeConnections()
        ended.append(self._drained())
        return gatherResults(ended, consumeErrors=True).addBoth(self._flush)

    def _drained(self) -> Deferred[None]:
        """Fires when the last connection is gone; what stays too long is reset."""
        done: Deferred[None] = Deferred()
        began = self.reactor.seconds()

        def look() -> None:
            if not self.listeners.openConnections:
                done.callback(None)
                return
            if self.reactor.seconds() - began >= GRACE:
                for listener in self.listeners:
                    listener.abortConnections()
            self.reactor.callLater(0.01, look)

        look()
        return done

    def _flush(self, result: object) -> None:
        close = getattr(self.sockets, "close", None)
        if close is not None:
            close()
        self.accessLogs.close()

    def _scheduleMerge(self) -> None:
        if self.statsInterval:
            self._statsTimer = self.reactor.callLater(self.statsInterval, self._merge)

    def _merge(self) -> None:
        self.store.merge()
        self._scheduleMerge()

    def _schedulePoll(self) -> None:
        if self._polled:
            self._pollTimer = self.reactor.callLater(_POLL, self._poll)

    def _poll(self) -> None:
        for look in self._polled:
            try:
                look()
            except Exception:
                _log.failure("a look at files failed")
        self._schedulePoll()

    # What the admin interface asks for.

    @property
    def state(self) -> str:
        """As `/ready` and `/server_info` name it."""
        if not self.drain.healthy:
            return "DRAINING"
        if self.initializing:
            return "PRE_INITIALIZING"
        listening = self._listening is not None and self._listening.called
        return "LIVE" if listening else "INITIALIZING"

    def healthCheckFail(self) -> None:
        """Be unhealthy from now on."""
        self.drain.healthy = False

    def healthCheckOk(self) -> None:
        """Be healthy again."""
        self.drain.healthy = True

    def reopenLogs(self) -> None:
        """Open all access logs anew."""
        self.accessLogs.reopen()

    def memory(self) -> tuple[int, int]:
        """(resident, data segment) of this process in bytes."""
        from twisted_envoy.server.admin.server_info import memorySizes

        return memorySizes()

    def seconds(self) -> float:
        """The time of the server's reactor."""
        return cast(float, self.reactor.seconds())

    def soon(self, function: Callable[[], object]) -> None:
        """Call it in the next turn."""
        self.reactor.callLater(0, function)


def _raised(deferred: Deferred[Any]) -> None:
    """Raise now what a Deferred has failed with already; a later failure stays in it."""
    problems: list[Failure] = []
    now = True

    def failed(failure: Failure) -> Failure | None:
        if not now:
            return failure
        problems.append(failure)
        return None

    deferred.addErrback(failed)
    now = False
    if problems:
        problems[0].raiseException()
