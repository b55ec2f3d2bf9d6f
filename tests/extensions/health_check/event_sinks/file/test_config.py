"""The file sink."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf
from twisted_envoy.access_log.file import AccessLogError
from twisted_envoy.access_log.manager import MemoryAccessLogManager
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.health_check.event_sinks.file import factories


class FileSinkTests(SynchronousTestCase):
    def test_file(self) -> None:
        """One file a path, whoever writes."""
        (factory,) = factories
        logs = MemoryAccessLogManager()
        config = configOf(factory.typeURL, {"event_log_path": "/a"})
        factory.build(config, SimpleNamespace(accessLogs=logs)).write("x\n")
        self.assertEqual(logs.lines("/a"), ["x"])

    def test_cannotOpen(self) -> None:
        """A file that cannot be opened is an error of the config."""

        def refuse(path: str) -> None:
            raise AccessLogError(f"unable to open file '{path}'")

        (factory,) = factories
        config = configOf(factory.typeURL, {"event_log_path": "/a"})
        context = SimpleNamespace(accessLogs=SimpleNamespace(open=refuse))
        problem = self.assertRaises(ConfigError, factory.build, config, context)
        self.assertEqual(problem.problem, "unable to open file '/a'")
