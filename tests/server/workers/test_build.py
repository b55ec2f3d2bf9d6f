"""Tests for `twisted_envoy.server.workers.build`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.server.workers.crew import text
from twisted_envoy.errors import ConfigError
from twisted_envoy.server.log_setup import LogSetup
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.server.workers.build import buildWorkers, placeOf
from twisted_envoy.server.workers.process import LogPlace


class BuildWorkersTests(SynchronousTestCase):
    """From options to a manager."""

    def build(self, **fields: Any) -> Any:
        """Of two workers."""
        options = ServerOptions(concurrency=2, **fields)
        reactor: Any = Clock()
        reactor.addReader = reactor.removeReader = lambda reader: None
        return buildWorkers(options, reactor, LogSetup(options, None))

    def test_file(self) -> None:
        """The config file is read once, and told to workers."""
        path = Path(self.mktemp() + ".yaml")
        path.write_text(text(), "utf-8")
        manager = self.build(configPath=str(path))
        self.assertEqual(manager._text.content, text())
        self.assertEqual(len(manager.workers), 2)
        self.assertEqual(manager._folder, os.getcwd())

    def test_noFile(self) -> None:
        """A text of the command line is in the options."""
        self.assertIsNone(self.build(configYAML=text())._text)

    def test_mistakes(self) -> None:
        """They are found here, before anything is started."""
        self.assertRaises(ConfigError, self.build, configPath="nowhere.yaml")
        self.assertRaises(ConfigError, self.build, configYAML="{static_resources: 1}")

    def test_logs(self) -> None:
        """Workers log where the first process does."""
        path = os.path.abspath(self.mktemp())
        inFile = LogSetup(ServerOptions(logPath=path), None)
        self.addCleanup(inFile.stop)
        self.assertEqual(placeOf(inFile), LogPlace(path, 2))
        self.assertEqual(placeOf(LogSetup(ServerOptions(), None)), LogPlace("", 2))
        stdout: Any = {"logfile": "-"}
        self.assertEqual(placeOf(LogSetup(ServerOptions(), stdout)), LogPlace("", 1))
        syslog: Any = {"syslog": True}
        self.assertEqual(placeOf(LogSetup(ServerOptions(), syslog)), LogPlace("", None))
