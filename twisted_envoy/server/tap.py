"""
`twistd envoy` and `twist envoy`: from a command line to a running server.

Everything that can go wrong at start goes wrong in makeService: the config is read and the sockets
are bound there, before twistd turns into a daemon, so that each problem is one line on the
terminal and status 1.
"""

from __future__ import annotations

import gc
import re
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized

from twisted_envoy.config.collector import collectorPaused
from twisted_envoy.errors import ConfigError
from twisted_envoy.server.demo import builtinDemo, tellOfDemo
from twisted_envoy.server.late_tls import deferTLS
from twisted_envoy.server.lifecycle import RunningReactor, SignalHandlers, stopInOrder
from twisted_envoy.server.log_setup import LogSetup, printNothing
from twisted_envoy.server.options import Options, ServerOptions
from twisted_envoy.sockets.listening import SocketOptionError

if TYPE_CHECKING:
    from twisted_envoy.server.log_levels import LogControl

_log = Logger()


class RunnableServer(Protocol):
    """What is needed here of server.Server (an IService)."""

    shutdown: Callable[[], object]
    logControl: LogControl

    def privilegedStartService(self) -> object:
        """Bind all sockets."""

    def startService(self) -> object:
        """Accept connections."""

    def stopService(self) -> object:
        """Drain and flush; may return a Deferred."""

    def reopenLogs(self) -> None:
        """Open all access logs anew."""


BuildServer = Callable[[ServerOptions, RunningReactor, LogSetup], RunnableServer]


def makeService(options: Options) -> IService:
    """
    The service of one command line.

    Raises:
        SystemExit: status 0 when a config was only to be checked, 1 when it cannot be obeyed.
    """
    with collectorPaused():
        deferTLS()
        from twisted.internet import reactor

        from twisted_envoy.server.build import buildServer

        gc.freeze()  # what was imported stays; the rest is for settleMemory

        def build(
            options: ServerOptions,
            reactor: RunningReactor,
            logs: LogSetup,
        ) -> RunnableServer:
            if options.concurrency > 1 and not options.validating:
                from twisted_envoy.server.workers.build import buildWorkers

                return buildWorkers(options, reactor, logs)
            return buildServer(options, reactor, setLogFormat=logs.log.setFormat)

        service = Start(options, cast(RunningReactor, reactor), build).service()
        keepAll()
        return service


class Start:
    """
    One start of the server.

    Args:
        options: parsed.
        reactor: the installed one; not yet running.
        build: makes the server of the options: reads the config, binds nothing; its last argument
            is the log, whose format it may change.
    """

    def __init__(self, options: Options, reactor: RunningReactor, build: BuildServer) -> None:
        self._options = options.serverOptions
        self._runner = options.parent
        self._reactor = reactor
        self._build = build

    def service(self) -> IService:
        """
        Build, bind and wrap.

        Raises:
            SystemExit: as makeService.
        """
        isDemo = not (self._options.configPath or self._options.configYAML)
        if isDemo:
            self._options = builtinDemo(self._options)
        logs = self._startLog()
        if not self._options.validating:
            _log.info(
                "initializing epoch 0 (base id={baseID}, hot restart version=disabled)",
                baseID=self._options.baseID,
            )
        try:
            server = self._build(self._options, self._reactor, logs)
            if not self._options.validating:
                server.privilegedStartService()
        except Exception as problem:
            self._explain(problem, logs)
            logs.stop()
            raise SystemExit(1) from None
        if self._options.mode != "Serve":
            self._finish(server, logs)
        server.logControl = logs.log.control
        if isDemo:
            tellOfDemo()
        return EnvoyService(server, logs, self._reactor)

    def _startLog(self) -> LogSetup:
        try:
            serving = self._options.mode == "Serve"
            logs = LogSetup(self._options, self._runner if serving else None)
        except OSError as problem:
            path = problem.filename
            print(
                f"Failed to open log-file '{path}': {problem.strerror}",
                file=sys.stderr,
            )
            raise SystemExit(1) from None
        logs.start()
        return logs

    def _finish(self, server: RunnableServer, logs: LogSetup) -> None:
        if self._options.validating:
            print(f"configuration '{self._options.configPath}' OK")
        else:
            server.stopService()
        sys.stdout.flush()
        logs.stop()
        raise SystemExit(0)

    def _explain(self, problem: Exception, logs: LogSetup) -> None:
        """One line in the log, and on stderr when the log is elsewhere."""
        text = problemText(problem)
        if self._options.validating:
            line = f"error initializing configuration '{self._options.configPath}': {text}"
        else:
            line = f"error `{text}` initializing config '{self._options.configPath}'"
        log = Logger(namespace=__name__, observer=logs.log)  # not yet through Twisted's publisher,
        log.critical("{line}", line=line)  # which prints critical lines on stderr by itself
        isMeant = isinstance(problem, (ConfigError, OSError, CannotListenError))
        if not isMeant or problem.__cause__ is not None:
            log.debug("{trace}", trace="".join(traceback.format_exception(problem)))
        if not logs.onStderr or not logs.log.control.shows("main", CRITICAL):
            print(line, file=sys.stderr)


CRITICAL = 5
_YOUNG = 20_000
_KEPT = 8 * 1024 * 1024
"""Half of what may stay at the end of the heap."""


def problemText(problem: Exception) -> str:
    """What went wrong, for people, in one line."""
    if isinstance(problem, CannotListenError):
        text = _bindText(problem)
    elif isinstance(problem, ConfigError):
        text = str(problem)
    elif isinstance(problem, OSError):
        name = f"{problem.filename}: " if problem.filename else ""
        text = f"{name}{problem.strerror or problem}"
    else:
        text = f"internal error: {type(problem).__name__}: {problem}"
    return printable(" ".join(text.splitlines()))


def printable(text: str) -> str:
    """A text whose control characters are escaped: a terminal must not obey what a file says."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]")


def _bindText(problem: CannotListenError) -> str:
    reason = getattr(problem.socketError, "strerror", None) or str(problem.socketError)
    if isinstance(problem.socketError, SocketOptionError):
        return f"ListenSocket: Setting socket options failed: {reason}"
    if isinstance(problem.port, int):
        host = problem.interface
        host = f"[{host}]" if ":" in host else host or "0.0.0.0"
        return f"cannot bind '{host}:{problem.port}': {reason}"
    return f"cannot bind '{problem.port}': {reason}"


def keepAll() -> None:
    """What is there now stays: the garbage collector looks at it once, and never again."""
    gc.collect()
    gc.freeze()


def settleMemory() -> None:
    """
    Tell the garbage collector what this process is like.

    Modules and config are there to stay, so it need not look at them again; connections break
    their own cycles, so looking for some each 700 objects would only cost time. Nor shall what was
    freed by one large read be given back to the kernel, only to be asked for by the next.
    """
    keepAll()
    gc.set_threshold(_YOUNG, 20, 50)
    bytes(_KEPT)  # glibc sees it freed: now no large piece is mapped anew, and the heap's end stays


class EnvoyService(Service):
    """
    A server under twistd or twist: signals, log lines of the life cycle, an orderly end.

    Its sockets are bound already; startService lets connections in.
    """

    def __init__(self, server: RunnableServer, logs: LogSetup, reactor: RunningReactor) -> None:
        self.server = server
        self._logs = logs
        self._reactor = reactor
        self._signals = SignalHandlers(reactor, self._reopenLogs)
        server.shutdown = self._signals.shutDown

    def setServiceParent(self, parent: object) -> None:
        """twistd's application asks no further for a log observer."""
        if self._logs.replacesTwisted and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, printNothing)  # type: ignore[no-untyped-call]
        super().setServiceParent(parent)  # type: ignore[no-untyped-call]

    def startService(self) -> None:
        """Let connections in and look after signals as soon as the reactor runs."""
        super().startService()  # type: ignore[no-untyped-call]
        self.server.startService()
        settleMemory()
        self._reactor.callWhenRunning(self._running)
        self._reactor.addSystemEventTrigger("after", "shutdown", self._ended)

    def _running(self) -> None:
        self._signals.install()
        _log.info("starting main dispatch loop")

    def stopService(self) -> Deferred[None]:
        """
        End the server.

        Returns:
            Fires when it has drained and all logs are written.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        _log.info("shutting down server instance")
        return stopInOrder(self.server.stopService)

    def _ended(self) -> None:
        _log.info("main dispatch loop exited")
        _log.info("exiting")

    def _reopenLogs(self) -> None:
        self._logs.log.reopen()
        self.server.reopenLogs()
