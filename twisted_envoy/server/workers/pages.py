"""
The admin interface of several workers: each page is of all of them.

What changes something is done by every worker and here, and again by a worker that is started
later. What shows live objects is asked of one worker, figures are asked of all and added up, and
the rest is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from twisted_envoy.server.admin.home import BY_PATH
from twisted_envoy.server.admin.reply import Reply
from twisted_envoy.server.admin.router import AdminRouter, normalPath
from twisted_envoy.server.admin.target import Configured, ShownClusters, ShownListeners, ShownSecret
from twisted_envoy.server.lifecycle import DrainManager
from twisted_envoy.server.log_levels import LogControl
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.server.runtime import Runtime
from twisted_envoy.server.workers.hosts import SummedClusters
from twisted_envoy.stats.scope import Store

if TYPE_CHECKING:
    from twisted_envoy.server.workers.manager import WorkerManager

_RESET = "/reset_counters"
_QUIT = "/quitquitquit"
_ONCE = frozenset((_RESET, "/reopen_logs"))
"""What a worker that is started later need not do."""
_LIVE = frozenset(("/certs", "/config_dump"))


class WorkerPages:
    """
    AdminAnswers of a WorkerManager.

    Args:
        router: of the first process's own server.
    Attributes:
        changes: pages that have changed something: method, uri, form.
    """

    def __init__(self, manager: WorkerManager, router: Any) -> None:
        self._manager = manager
        self._router: AdminRouter = router
        self.changes: list[tuple[str, str, str]] = []

    def answer(self, method: str, uri: str, form: str = "") -> Deferred[Reply]:
        """The answer to one request, when the workers have said what it needs."""
        path = normalPath(uri.partition("?")[0])
        page = BY_PATH.get(path)
        mutates = page is not None and page.mutates and method == "POST" and path != _QUIT
        words = {"method": method, "uri": uri, "form": form}
        if mutates:
            gathered = self._manager.gather("page", **words)
            return gathered.addCallback(lambda _: self._changed(path, method, uri, form))
        if path in _LIVE:
            gathered = self._manager.gather("page", **words)
            return gathered.addCallback(
                lambda found: Reply(*found[0]) if found else self._router.answer(method, uri, form)
            )
        gathered = self._manager.gather("snapshot")
        return gathered.addCallback(
            lambda found: self._router.serving(Summed(self._manager, found)).answer(
                method, uri, form
            )
        )

    def _changed(self, path: str, method: str, uri: str, form: str) -> Reply:
        reply = self._router.answer(method, uri, form)
        if path == _RESET and reply.code == 200:
            self._manager.totals.resetCounters()
        if path not in _ONCE and reply.code == 200:
            change = (method, uri, form)
            if change in self.changes:  # only the last of equal ones matters
                self.changes.remove(change)
            self.changes.append(change)
        return reply


class Summed:
    """
    An AdminTarget: the first process's server with the figures of all workers.

    Args:
        said: their snapshots.
    """

    def __init__(self, manager: WorkerManager, said: Sequence[Mapping[str, Any]]) -> None:
        server: Any = manager.server
        self._server = server
        self._said = said
        self.bootstrap: Configured = server.bootstrap
        self.options: ServerOptions = server.options
        self.store: Store = manager.totals.store()
        self.clusters: ShownClusters = SummedClusters(
            server.clusters, [one["clusters"] for one in said]
        )
        self.listeners: ShownListeners = server.listeners
        self.logControl: LogControl = server.logControl
        self.drain: DrainManager = server.drain
        self.runtime: Runtime = server.runtime
        self.certificates: Sequence[Callable[[], Mapping[str, object]]] = server.certificates
        self.secrets: Sequence[ShownSecret] = server.secrets
        self.startTime: float = server.startTime
        self.shutdown: Callable[[], object] = server.shutdown

    @property
    def state(self) -> str:
        """Of the whole server."""
        state: str = self._server.state
        return state

    def memory(self) -> tuple[int, int]:
        """(resident, data segment) in bytes, of all processes."""
        sizes = [self._server.memory(), *(one["memory"] for one in self._said)]
        return sum(size[0] for size in sizes), sum(size[1] for size in sizes)

    def healthCheckFail(self) -> None:
        """As the server."""
        self._server.healthCheckFail()

    def healthCheckOk(self) -> None:
        """As the server."""
        self._server.healthCheckOk()

    def reopenLogs(self) -> None:
        """As the server."""
        self._server.reopenLogs()

    def seconds(self) -> float:
        """The time of the server's reactor."""
        seconds: float = self._server.seconds()
        return seconds

    def soon(self, function: Callable[[], object]) -> None:
        """As the server."""
        self._server.soon(function)
