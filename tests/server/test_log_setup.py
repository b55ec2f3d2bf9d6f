"""Tests for `twisted_envoy.server.log_setup`."""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.logger import Logger, textFileLogObserver
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.log import DescriptorOutput, PathOutput
from twisted_envoy.server.log_setup import LogSetup, printNothing
from twisted_envoy.server.options import ServerOptions


class LogSetupTests(SynchronousTestCase):
    """Where the log goes under twistd and twist."""

    def setup(self, runner: dict[str, Any] | None, **options: Any) -> LogSetup:
        """A setup in an empty folder."""
        folder = self.mktemp()
        os.mkdir(folder)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder)
        made = LogSetup(ServerOptions(**options), runner)
        if isinstance(made.output, PathOutput):
            self.addCleanup(made.output.close)
        return made

    def test_stderr(self) -> None:
        """Without a runner, and under `twistd -n`."""
        for runner in (None, {"nodaemon": 1, "logfile": None}, {"nodaemon": 0, "debug": True}):
            self.assertTrue(self.setup(runner).onStderr)

    def test_daemon(self) -> None:
        """A daemon has no terminal: twistd.log."""
        self.assertFalse(self.setup({"nodaemon": 0, "logfile": None}).onStderr)
        self.assertTrue(os.path.exists("twistd.log"))

    def test_logPathWins(self) -> None:
        """--log-path comes before twistd's --logfile."""
        self.setup({"nodaemon": 1, "logfile": "theirs"}, logPath="ours")
        self.assertEqual(os.listdir("."), ["ours"])

    def test_twistdsLogfile(self) -> None:
        """twistd's --logfile is honoured, `-` is stdout."""
        self.setup({"nodaemon": 1, "logfile": "theirs"})
        self.assertEqual(os.listdir("."), ["theirs"])
        output = self.setup({"nodaemon": 1, "logfile": "-"}).output
        assert isinstance(output, DescriptorOutput)
        self.assertEqual(output.descriptor, 1)

    def test_twistsLogFile(self) -> None:
        """twist's --log-file is honoured, its default is not; it prints nothing of its own."""
        with open(self.mktemp(), "w", encoding="utf-8") as stream:
            runner = {"logFile": stream, "fileLogObserverFactory": textFileLogObserver}
            output = self.setup(runner).output
            assert isinstance(output, DescriptorOutput)
            self.assertEqual(output.descriptor, stream.fileno())
            silent: Any = runner["fileLogObserverFactory"]
            silent(stream)({"log_format": "x"})
        default = {"logFile": sys.stdout, "fileLogObserverFactory": textFileLogObserver}
        self.assertTrue(self.setup(default).onStderr)

    def test_syslogAndLoggerAreTwisteds(self) -> None:
        """twistd's --syslog and --logger keep Twisted's observer."""
        for runner in ({"syslog": True}, {"logger": printNothing}):
            made = self.setup(runner)
            self.assertFalse(made.replacesTwisted)
            made.start()
            made.stop()

    def test_startAndStop(self) -> None:
        """In between, every event is printed."""
        made = self.setup(None, logPath="log", logFormat="%v")
        log = Logger(namespace="twisted_envoy.server.x")
        log.info("before")
        made.start()
        log.info("between")
        made.log.reopen()
        made.stop()
        log.info("after")
        with open("log", encoding="utf-8") as file:
            self.assertEqual(file.read(), "between\n")

    def test_printNothing(self) -> None:
        """It prints nothing."""
        self.assertIsNone(printNothing({"log_format": "x"}))
