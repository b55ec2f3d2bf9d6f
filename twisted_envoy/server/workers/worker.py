"""
A worker: a server without an admin interface of its own, told what to do over its channel.

    -> snapshot        what it has counted
    -> merge           end the histograms' interval; then as snapshot
    -> page            answer a page of the admin interface, or obey it
    -> reopen          open all logs anew
    -> stop            end in order
    <- ready           connections are let in
"""

from __future__ import annotations

import gc
import importlib
import os
import socket
from typing import TYPE_CHECKING, Any, cast

from twisted.logger import Logger, globalLogBeginner

from twisted_envoy.config.collector import collectorPaused
from twisted_envoy.server.late_tls import deferTLS
from twisted_envoy.server.log import DescriptorOutput, EnvoyLog, LogOutput, PathOutput
from twisted_envoy.server.tap import problemText, settleMemory
from twisted_envoy.server.workers.channel import Channel, Message, openChannel, receiveOne
from twisted_envoy.server.workers.hello import CHANNEL, Hello
from twisted_envoy.server.workers.snapshot import snapshotOf
from twisted_envoy.server.workers.sockets import AdoptingSockets, InheritedSockets

if TYPE_CHECKING:
    from twisted_envoy.server.admin.channel import AdminAnswers
    from twisted_envoy.server.server import Server

_log = Logger("main")

STDERR = 2


def main() -> int:
    """
    Serve until the first process says otherwise, or is gone.

    Returns:
        The status to exit with.
    """
    sock = socket.socket(fileno=CHANNEL)
    try:
        hello = Hello.of(receiveOne(sock))
    except EOFError:
        return 0
    with collectorPaused():
        deferTLS()
        importlib.import_module(hello.reactor).install()
        importlib.import_module("twisted_envoy.server.build")
        gc.freeze()  # what was imported stays; the rest is for settleMemory
    from twisted.internet import reactor

    return serve(hello, sock, reactor)


def serve(hello: Hello, sock: socket.socket, reactor: Any) -> int:
    """Build, and run the reactor to its end."""
    log = startLog(hello)
    try:
        server, pages = build(hello, reactor, log)
    except Exception as problem:
        _log.critical("worker {index}: {text}", index=hello.index, text=problemText(problem))
        return 1
    server.logControl = log.control
    worker = Worker(server, pages, log, reactor)
    openChannel(reactor, sock, worker.channel)
    reactor.addSystemEventTrigger("before", "shutdown", server.stopService)
    server.whenReady = worker.ready
    server.startService()
    for page in hello.pages:
        worker.page(*page)
    settleMemory()
    reactor.run(installSignalHandlers=False)
    return 0


def startLog(hello: Hello) -> EnvoyLog:
    """The log of this process: lines of the first process's kind, in the same place."""
    options = hello.options
    output: LogOutput = PathOutput(hello.logPath) if hello.logPath else DescriptorOutput(STDERR)
    log = EnvoyLog(options.logControl(), output, options.logFormat, options.logFormatEscaped)
    return log


def build(hello: Hello, reactor: Any, log: EnvoyLog) -> tuple[Server, AdminAnswers | None]:
    """
    The server, with its inherited sockets, and its pages.

    The first process has logged what there is to say of the config: this one logs from the end of
    the build on.

    Raises:
        ConfigError, OSError: what was there for the first process is not for this one.
    """
    from twisted_envoy.server.build import buildServer

    here = os.getcwd()
    os.chdir(hello.folder)
    try:
        server = buildServer(
            hello.options,
            reactor,
            setLogFormat=log.setFormat,
            text=hello.text,
            worker=hello.index,
        )
        admin, server.admin = server.admin, None
        server.listeners.sockets = InheritedSockets(
            cast(AdoptingSockets, server.sockets), list(hello.listening)
        )
        server.privilegedStartService()
    finally:
        os.chdir(here)
        globalLogBeginner.beginLoggingTo([log], discardBuffer=True, redirectStandardIO=False)
    return server, None if admin is None else admin.factory.router


class Worker:
    """
    Does what the channel says.

    Args:
        pages: of the admin interface; None without one.
    """

    def __init__(
        self, server: Server, pages: AdminAnswers | None, log: EnvoyLog, reactor: Any
    ) -> None:
        self._server = server
        self._pages = pages
        self._log = log
        self._reactor = reactor
        self._ending = False
        self.channel = Channel(self._heard, self._end)

    def ready(self) -> None:
        """Connections are let in."""
        self.channel.tell("ready")

    def page(self, method: str, uri: str, form: str) -> object:
        """A page's answer: text, status, content type."""
        assert self._pages is not None
        reply: Any = self._pages.answer(method, uri, form)
        return [reply.text(), reply.code, reply.contentType]

    def _heard(self, message: Message) -> object:
        what = message["what"]
        if what == "page":
            return self.page(message["method"], message["uri"], message["form"])
        if what == "reopen":
            self._log.reopen()
            self._server.reopenLogs()
        elif what == "stop":
            self._end()
        else:
            if what == "merge":
                self._server.store.merge()
            return snapshotOf(self._server)
        return None

    def _end(self) -> None:
        """The server ends, or the first process is gone."""
        if not self._ending:
            self._ending = True
            self._reactor.stop()
