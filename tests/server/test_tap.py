"""Tests for `twisted_envoy.server.tap`."""

from __future__ import annotations

import gc
import io
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import SkipTest

from twisted.application.service import Application, IService, IServiceMaker
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.logger import ILogObserver
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.errors import ConfigError, Position
from twisted_envoy.server import tap
from twisted_envoy.server.log_setup import LogSetup, printNothing
from twisted_envoy.server.options import Options, ServerOptions
from twisted_envoy.server.tap import (
    EnvoyService,
    Start,
    problemText,
    settleMemory,
)
from twisted_envoy.sockets.listening import SocketOptionError


class RunningReactor:
    """Records what is asked of it; `run` plays the start."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.running: list[Any] = []
        self.after: list[Any] = []

    def callWhenRunning(self, function: Any) -> None:
        self.running.append(function)

    def addSystemEventTrigger(self, phase: str, event: str, function: Any) -> None:
        assert (phase, event) == ("after", "shutdown")
        self.after.append(function)

    def stop(self) -> None:
        self.said.append("stop")


class Server:
    """Records what is asked of it."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.said: list[str] = []
        self.problem = problem
        self.stopping: Deferred[None] = Deferred()
        self.shutdown: Any = None
        self.logControl: Any = None

    def privilegedStartService(self) -> None:
        self.said.append("bind")
        if self.problem is not None:
            raise self.problem

    def startService(self) -> None:
        self.said.append("start")

    def stopService(self) -> Deferred[None]:
        self.said.append("stop")
        return self.stopping

    def reopenLogs(self) -> None:
        self.said.append("reopen")


class StartTests(SynchronousTestCase):
    """From a command line to a service, or to one line and a status."""

    logFormat: Any = None

    def start(self, *arguments: str, build: Any = None, bind: Exception | None = None) -> IService:
        """Start with a log file and a made-up server."""
        self.server = Server(bind)
        self.reactor: Any = RunningReactor()
        self.logPath = self.mktemp()
        options = Options()
        options.parseOptions(["-l", "warning", *arguments, "--log-path", self.logPath])
        for name in ("stdout", "stderr"):
            self.patch(sys, name, io.StringIO())

        def made(options: ServerOptions, reactor: object, logs: LogSetup) -> Any:
            if self.logFormat is not None:
                logs.log.setFormat(self.logFormat)
            if build is not None:
                raise build
            return self.server

        return Start(options, self.reactor, made).service()

    def ends(self, code: int, *arguments: str, **problems: Any) -> tuple[str, str, str]:
        """Start, expect an end: (stdout, stderr, log)."""
        error = self.assertRaises(SystemExit, self.start, *arguments, **problems)
        self.assertEqual(error.code, code)
        try:
            with open(self.logPath, encoding="utf-8") as file:
                log = file.read()
        except FileNotFoundError:
            log = ""
        return sys.stdout.getvalue(), sys.stderr.getvalue(), log

    def test_logFormat(self) -> None:
        """The build may change the format of the log; an error has it already."""
        self.logFormat = lambda record: f"MADE {record.message}"
        _, _, log = self.ends(1, "-c", "f.yaml", build=ConfigError("", "bad"))
        self.assertEqual(log, "MADE error `bad` initializing config 'f.yaml'\n")

    def test_demo(self) -> None:
        """Without a configuration the demo runs, and stdout says first what to try."""
        service = self.start()

        assert isinstance(service, EnvoyService)
        self.addCleanup(service._logs.stop)
        self.assertEqual(self.server.said, ["bind"])
        self.assertIn("curl 127.0.0.1:10000", sys.stdout.getvalue())

    def test_demoThatCannotBind(self) -> None:
        """A demo whose ports are taken, or that does not serve, says nothing of what to try."""
        problem = CannotListenError("127.0.0.1", 9901, OSError(98, "Address already in use"))
        out, err, _ = self.ends(1, bind=problem)
        self.assertEqual((out, err.count("\n")), ("", 1))
        out, _, _ = self.ends(0, "--mode", "validate")
        self.assertEqual(out.count("\n"), 1)
        self.assertEqual(self.ends(0, "--mode", "init_only")[0], "")

    def test_makeService(self) -> None:
        """With the installed reactor and the real build."""
        options = Options()
        options.parseOptions(["--mode", "validate", "--config-yaml", "{}", "-l", "error"])
        self.patch(sys, "stdout", io.StringIO())
        error = self.assertRaises(SystemExit, tap.makeService, options)
        self.assertEqual((error.code, sys.stdout.getvalue()), (0, "configuration '' OK\n"))

    def test_validateOK(self) -> None:
        """Envoy's line on stdout, nothing bound, nothing logged."""
        found = self.ends(0, "-c", "f.yaml", "--mode", "validate")
        self.assertEqual(found, ("configuration 'f.yaml' OK\n", "", ""))
        self.assertEqual(self.server.said, [])

    def test_initOnly(self) -> None:
        """Everything is bound and given back, silently."""
        self.assertEqual(self.ends(0, "-c", "f.yaml", "--mode", "init_only"), ("", "", ""))
        self.assertEqual(self.server.said, ["bind", "stop"])

    def test_validateError(self) -> None:
        """Envoy's words around our position, in the log and on stderr."""
        problem = ConfigError("a.b", "wrong", Position("f.yaml", 3, 7))
        out, err, log = self.ends(1, "-c", "f.yaml", "--mode", "validate", build=problem)
        line = "error initializing configuration 'f.yaml': f.yaml:3:7: a.b: wrong\n"
        self.assertEqual((out, err), ("", line))
        self.assertRegex(log, r"^\[[^]]+\]\[\d+\]\[critical\]\[main\] \[\S+\] error initializing")
        self.assertTrue(log.endswith(line))

    def test_serveError(self) -> None:
        """The same when serving."""
        out, err, log = self.ends(1, "-c", "f.yaml", build=ConfigError("", "two\nlines"))
        self.assertEqual((out, err), ("", "error `two lines` initializing config 'f.yaml'\n"))
        self.assertEqual(log.count("\n"), 1)

    def test_bindError(self) -> None:
        """A port in use is one line in Envoy's words."""
        problem = CannotListenError("127.0.0.1", 80, OSError(98, "Address already in use"))
        _, err, _ = self.ends(1, "-c", "f.yaml", bind=problem)
        self.assertEqual(
            err,
            "error `cannot bind '127.0.0.1:80': Address already in use` "
            "initializing config 'f.yaml'\n",
        )

    def test_ourOwnFault(self) -> None:
        """A bug is one line, too; its traceback is in the log at debug."""
        _, err, log = self.ends(1, "-c", "f.yaml", build=KeyError("x"))
        self.assertIn("`internal error: KeyError: 'x'`", err)
        self.assertEqual(log.count("\n"), 1)
        _, _, log = self.ends(1, "-c", "f.yaml", "-l", "debug", build=KeyError("x"))
        self.assertIn("Traceback", log)

    def test_faultOfAFactory(self) -> None:
        """What a ConfigError was made of is in the log at debug."""
        problem = ConfigError("a", "raised KeyError")
        problem.__cause__ = KeyError("word")
        _, _, log = self.ends(1, "-c", "f.yaml", "-l", "debug", build=problem)
        self.assertIn("KeyError: 'word'\n", log)
        _, _, log = self.ends(1, "-c", "f.yaml", "-l", "debug", build=ConfigError("a", "b"))
        self.assertNotIn("Traceback", log)

    def test_logThatCannotBeOpened(self) -> None:
        """Envoy's words."""
        self.patch(self, "mktemp", lambda: "/nonexistent/log")
        _, err, _ = self.ends(1, "-c", "f.yaml")
        self.assertEqual(
            err, "Failed to open log-file '/nonexistent/log': No such file or directory\n"
        )

    def test_serves(self) -> None:
        """Sockets are bound at once; the service holds the server and its log levels."""
        service = self.start("-c", "f.yaml")
        assert isinstance(service, EnvoyService)
        self.addCleanup(service._logs.stop)
        self.assertEqual(self.server.said, ["bind"])
        self.assertIs(self.server.logControl, service._logs.log.control)

    def test_life(self) -> None:
        """Start, signals once the reactor runs, stop when the server has stopped."""
        service: Any = self.start("-c", "f.yaml", "-l", "info", "--log-format", "%v")
        self.addCleanup(service._logs.stop)
        self.patch(service._signals, "install", lambda: self.server.said.append("signals"))
        service.startService()
        self.assertEqual(self.server.said, ["bind", "start"])
        self.reactor.running[0]()
        self.server.shutdown()
        self.assertEqual(self.reactor.said, ["stop"])
        service._reopenLogs()
        stopped = service.stopService()
        self.assertNoResult(stopped)
        self.server.stopping.callback(None)
        self.successResultOf(stopped)
        self.reactor.after[0]()
        self.assertEqual(self.server.said, ["bind", "start", "signals", "reopen", "stop"])
        with open(self.logPath, encoding="utf-8") as file:
            self.assertEqual(
                file.read().splitlines(),
                [
                    "initializing epoch 0 (base id=0, hot restart version=disabled)",
                    "starting main dispatch loop",
                    "shutting down server instance",
                    "main dispatch loop exited",
                    "exiting",
                ],
            )

    def test_application(self) -> None:
        """twistd's application is given an observer that prints nothing."""
        service: Any = self.start("-c", "f.yaml")
        self.addCleanup(service._logs.stop)
        application = Application("envoy")
        service.setServiceParent(application)
        self.assertIs(application.getComponent(ILogObserver), printNothing)
        self.assertIs(service.parent, IService(application))


class ProblemTextTests(SynchronousTestCase):
    """What went wrong, in one line."""

    def test_texts(self) -> None:
        """Each kind of problem in its words."""
        inUse = OSError(98, "Address already in use")
        for problem, text in (
            (OSError(2, "No such file", "/x"), "/x: No such file"),
            (OSError("odd"), "odd"),
            (OSError("a\x1b[31m\x00\x9b\tb\udcff\né"), "a\\x1b[31m\\x00\\x9b\tb\\udcff é"),
            (CannotListenError("::1", 1, inUse), "cannot bind '[::1]:1': Address already in use"),
            (CannotListenError("", 1, inUse), "cannot bind '0.0.0.0:1': Address already in use"),
            (CannotListenError(None, "/s", inUse), "cannot bind '/s': Address already in use"),
            (CannotListenError("a", "b", "taken"), "cannot bind 'b': taken"),
            (
                CannotListenError("a", 1, SocketOptionError(92, "no such option")),
                "ListenSocket: Setting socket options failed: no such option",
            ),
        ):
            self.assertEqual(problemText(problem), text)


class PluginTests(SynchronousTestCase):
    """`twistd envoy` is found."""

    def test_plugin(self) -> None:
        """The plugin names this module and its options are Envoy's."""
        self.addCleanup(gc.unfreeze)
        (found,) = [one for one in getPlugins(IServiceMaker) if one.tapname == "envoy"]
        self.assertEqual(found.module, "twisted_envoy.server.tap")
        self.assertIs(found.options, Options)


class SettleMemoryTests(SynchronousTestCase):
    def test_collectsRarely(self) -> None:
        """What is there at the start is not looked at again, and young objects seldom."""
        self.addCleanup(gc.set_threshold, *gc.get_threshold())
        self.addCleanup(gc.unfreeze)
        before = gc.get_freeze_count()

        settleMemory()

        self.assertGreater(gc.get_freeze_count(), before)
        self.assertGreater(gc.get_threshold()[0], 10_000)

    def test_keepsWhatLargeReadsNeed(self) -> None:
        """Where it was freed before, memory for reads comes without a fault for each page."""
        if platform.libc_ver()[0] != "glibc":
            raise SkipTest("it is glibc that is told so")
        done = subprocess.run(
            [sys.executable, "-c", _FAULTS],
            env={**os.environ, "PYTHONPATH": str(Path(tap.__file__).parents[2])},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        without, kept = map(int, done.stdout.split())

        self.assertLess(kept * 10, without)


_FAULTS = """
import resource

from twisted_envoy.server.tap import settleMemory


def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        pieces = [b"x" * 262144 for _ in range(8)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


first = faults()
settleMemory()
faults()
print(first, faults())
"""
