"""A WorkerManager whose workers are servers in this process, or only said to be."""

from __future__ import annotations

import errno
import json
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, echo, listener, tcpProxy
from twisted_envoy.internal.registry import getRegistry
from twisted_envoy.server.build import buildServer
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.server.server import Server
from twisted_envoy.server.workers.hello import Hello
from twisted_envoy.server.workers.manager import WorkerManager
from twisted_envoy.server.workers.process import LogPlace
from twisted_envoy.server.workers.worker import Worker
from twisted_envoy.testing import MemorySockets

ADMIN = {
    "address": {"socket_address": {"address": "127.0.0.1", "port_value": 1}},
    "allow_paths": [{"prefix": "/"}],
}


def text() -> str:
    """A listener, a cluster of one host, a runtime that can be changed, an admin interface."""
    made = bootstrap(
        [
            listener("echo", "127.0.0.1:0", echo(), traffic_direction="INBOUND"),
            listener("tcp", "127.0.0.1:0", tcpProxy()),
        ],
        [cluster("origin", "127.0.0.1:9")],
    )
    values = json.loads(made) if isinstance(made, str) else made
    values["admin"] = ADMIN
    values["layered_runtime"] = {"layers": [{"name": "admin", "admin_layer": {}}]}
    return json.dumps(values, indent=1)


def build(clock: Clock, concurrency: int = 2) -> Server:
    """A server in memory, not started."""
    options = ServerOptions(configYAML=text(), concurrency=concurrency)
    sockets = MemorySockets(getRegistry(clock).turn)  # type: ignore[arg-type]
    return buildServer(options, clock, sockets)


class Said:
    """Both ends of a channel to a server in this process; what it says has gone through JSON."""

    def __init__(self, process: FakeProcess) -> None:
        self._process = process
        self.told: list[str] = []
        self.silent = False

    def ask(self, what: str, **words: object) -> Deferred[Any]:
        if self._process.gone:
            return fail(ConnectionDone())
        if self.silent:
            return Deferred()
        answer = self._process.worker._heard({"what": what, **words})
        return succeed(json.loads(json.dumps(answer)))

    def tell(self, what: str, **words: object) -> None:
        self.told.append(what)


class FakeProcess:
    """A worker's process, as the manager sees it."""

    def __init__(self, index: int, ready: Any, ended: Any) -> None:
        self.index = index
        self.isReady = self.gone = self.killed = False
        self.pid = 100 + index
        self.channel = Said(self)
        self._ready, self._ended = ready, ended
        self.server = build(Clock())
        pages: Any = self.server.admin.factory.router if self.server.admin else None
        self.worker = Worker(self.server, pages, None, None)  # type: ignore[arg-type]

    def start(self, reactor: Clock, hello: Hello, place: LogPlace) -> None:
        self.hello, self.place = hello, place
        for page in hello.pages:
            self.worker.page(*page)

    def becomeReady(self) -> None:
        self.isReady = True
        self._ready(self)

    def end(self, how: str = "signal 9") -> None:
        self.gone = True
        self._ended(self, how)

    def kill(self) -> None:
        self.killed = True


def lacking(*arguments: object) -> None:
    """As spawnProcess, when there is no memory."""
    raise OSError(errno.ENOMEM, "Cannot allocate memory")


class CrewTestCase(SynchronousTestCase):
    """
    A manager of two.

    Attributes:
        made: every process that was started, in order.
        failing: none can be started.
    """

    failing = False

    def setUp(self) -> None:
        self.clock = Clock()
        self.server = build(self.clock)
        self.made: list[FakeProcess] = []
        self.manager = WorkerManager(self.server, None, LogPlace(), self._make)
        self.addCleanup(self.server.listeners.stopListening)

    def _make(self, *arguments: Any) -> Any:
        made = FakeProcess(*arguments)
        if self.failing:
            made.start = lacking  # type: ignore[method-assign]
        self.made.append(made)
        return made

    def start(self) -> None:
        """All are ready."""
        self.manager.startService()
        for one in self.made:
            one.becomeReady()

    def ask(self, uri: str, method: str = "GET") -> Any:
        """A page of the admin interface."""
        assert self.server.admin is not None
        answered: Any = self.server.admin.factory.router.answer(method, uri)
        return self.successResultOf(answered)
