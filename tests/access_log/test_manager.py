"""Tests for twisted_envoy.access_log.manager."""

from __future__ import annotations

import os

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from twisted_envoy.access_log.file import AccessLogError
from twisted_envoy.access_log.manager import AccessLogManager, MemoryAccessLogManager
from twisted_envoy.interfaces.access_log import IAccessLogFile, IAccessLogManager
from twisted_envoy.stats.scope import Store


class AccessLogManagerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.store = Store()
        self.manager = AccessLogManager(self.clock, self.store, 2.0)
        self.addCleanup(self.manager.close)
        self.path = self.mktemp()

    def content(self) -> str:
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def test_interfaces(self) -> None:
        """Both are what they say."""
        verifyObject(IAccessLogManager, self.manager)
        verifyObject(IAccessLogFile, self.manager.open(self.path))

    def test_onePathIsOneFile(self) -> None:
        """Two loggers of one path write in order."""
        first, second = self.manager.open(self.path), self.manager.open(self.path)

        first.write("1\n")
        second.write("2\n")
        first.write("3\n")
        self.clock.advance(2.0)

        self.assertIs(first, second)
        self.assertEqual(self.content(), "1\n2\n3\n")

    def test_flush(self) -> None:
        """Everything is written now."""
        file = self.manager.open(self.path)
        file.write("1\n")
        file.write("2\n")

        self.manager.flush()

        self.assertEqual(self.content(), "1\n2\n")

    def test_reopen(self) -> None:
        """Files that were moved away are made anew."""
        self.manager.open(self.path).write("1\n")
        os.rename(self.path, self.path + ".old")

        self.manager.reopen()

        self.assertEqual(self.content(), "")

    def test_close(self) -> None:
        """All is flushed and no timer is left."""
        file = self.manager.open(self.path)
        file.write("1\n")
        file.write("2\n")

        self.manager.close()

        self.assertEqual((self.content(), self.clock.getDelayedCalls()), ("1\n2\n", []))

    def test_errorsAreRaisedAtOpen(self) -> None:
        """And nothing is kept of the path."""
        for _ in range(2):
            self.assertRaises(AccessLogError, self.manager.open, "/nope/x")


class MemoryAccessLogManagerTests(SynchronousTestCase):
    def test_linesAndRecords(self) -> None:
        """What was written comes back as lines, and as objects when it is JSON."""
        manager = MemoryAccessLogManager()
        file = manager.open("/a")

        file.write('{"a": 1}\n')
        file.write('{"a": 2}\n')

        self.assertEqual(manager.lines("/a"), ['{"a": 1}', '{"a": 2}'])
        self.assertEqual(manager.records("/a"), [{"a": 1}, {"a": 2}])
        self.assertEqual(manager.lines("/b"), [])
        verifyObject(IAccessLogManager, manager)
        verifyObject(IAccessLogFile, file)

    def test_recordsOfTexts(self) -> None:
        """A line that is no JSON is an error that names the log and the line."""
        manager = MemoryAccessLogManager()
        manager.open("/a").write('{"a": 1}\nGET 200\n')
        error = self.assertRaises(ValueError, manager.records, "/a")
        self.assertEqual(
            str(error), "/a: line 2 is no JSON (is its format a text format?): 'GET 200'"
        )

    def test_nothingElseHappens(self) -> None:
        """Flushing, reopening and closing change nothing."""
        manager = MemoryAccessLogManager()
        manager.open("/a").write("x\n")

        manager.flush()
        manager.reopen()
        manager.close()

        self.assertEqual(manager.lines("/a"), ["x"])
