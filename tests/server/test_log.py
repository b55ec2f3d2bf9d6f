"""Tests for `twisted_envoy.server.log`."""

from __future__ import annotations

import os
import sys
import warnings

from twisted.logger import LogBeginner, Logger, LogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.log import DescriptorOutput, EnvoyLog, PathOutput
from twisted_envoy.server.log_levels import LogControl


class MemoryOutput:
    """Lines in a list."""

    def __init__(self) -> None:
        self.text = ""
        self.reopened = 0

    def write(self, text: str) -> None:
        self.text += text

    def reopen(self) -> None:
        self.reopened += 1


class EnvoyLogTests(SynchronousTestCase):
    """Events become lines."""

    def log(self, pattern: str = "[%l][%n] [%g] %v", escaped: bool = False) -> Logger:
        """A logger whose lines are in self.output."""
        self.output = MemoryOutput()
        self.observer = EnvoyLog(LogControl("info"), self.output, pattern, escaped)
        return Logger(namespace="twisted_envoy.server.x", observer=self.observer)

    def test_line(self) -> None:
        """Level, logger, the file that logged, and the text."""
        self.log().warn("hello {who}", who="you")
        self.assertEqual(self.output.text, "[warning][main] [test_log.py] hello you\n")

    def test_lineNumberAndFunction(self) -> None:
        """The place is where the event was logged, not the machinery."""
        log = self.log("%! %#")
        log.info("x")
        function, line = self.output.text.split()
        self.assertEqual(function, "test_lineNumberAndFunction")
        self.assertGreater(int(line), 1)

    def test_levelFilters(self) -> None:
        """What the level hides is not printed; raising the level shows it."""
        log = self.log()
        log.debug("hidden")
        self.observer.control.setAll("debug")
        log.debug("shown")
        self.assertNotIn("hidden", self.output.text)
        self.assertIn("shown", self.output.text)

    def test_failure(self) -> None:
        """A failure's traceback follows its text."""
        self.log().failure("broken", failure=Failure(ValueError("why")))
        self.assertTrue(self.output.text.startswith("[critical][main]"))
        self.assertIn("ValueError: why", self.output.text)

    def test_escaped(self) -> None:
        """Control characters cannot forge a line."""
        self.log(escaped=True).info("a\nb{x}", x="\x1b[0m")
        self.assertTrue(self.output.text.endswith("a\\nb\\033[0m\n"), self.output.text)
        self.assertEqual(self.output.text.count("\n"), 1)

    def test_escapedLine(self) -> None:
        """The whole line, as Envoy writes it."""
        self.log("a'b\"c%v\\\u00e9\t", escaped=True).info("x\r")
        self.assertEqual(self.output.text, "a\\'b\\\"cx\\\\\\303\\251\\t\n")

    def test_setFormat(self) -> None:
        """Later lines have the other format."""
        log = self.log("%v")
        log.info("one")
        self.observer.setFormat(lambda record: f"[{record.message}]")
        log.info("two")
        self.assertEqual(self.output.text, "one\n[two]\n")

    def test_replayedEventsAreNotPrintedTwice(self) -> None:
        """A runner that begins to log late replays its history to every observer."""
        publisher = LogPublisher()
        beginner = LogBeginner(publisher, MemoryOutput(), sys, warnings)
        self.log()
        publisher.addObserver(self.observer)
        Logger(namespace="twisted_envoy.server.x", observer=publisher).info("once")
        beginner.beginLoggingTo([lambda event: None], redirectStandardIO=False)
        self.assertEqual(self.output.text.count("once"), 1)

    def test_reopen(self) -> None:
        """Reopening reaches the output."""
        self.log()
        self.observer.reopen()
        self.assertEqual(self.output.reopened, 1)

    def test_placeInThePackage(self) -> None:
        """Files of the package are shown from the package's name on."""
        self.log("%g")
        self.observer.reopen()
        from twisted_envoy.server.lifecycle import SignalHandlers

        seen: list[object] = []
        handlers = SignalHandlers(_Reactor(), lambda: seen.append(1))
        self.patch(
            __import__("twisted_envoy.server.lifecycle", fromlist=["_log"]),
            "_log",
            Logger(namespace="twisted_envoy.server.lifecycle", observer=self.observer),
        )
        handlers._reopen()
        self.assertEqual(self.output.text, "twisted_envoy/server/lifecycle.py\n")


class _Reactor:
    """Nothing is asked of it."""


class OutputTests(SynchronousTestCase):
    """Where lines go."""

    def test_pathAppends(self) -> None:
        """An old log is kept."""
        path = self.mktemp()
        for text in ("one\n", "two\n"):
            output = PathOutput(path)
            output.write(text)
            output.close()
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "one\ntwo\n")

    def test_pathReopens(self) -> None:
        """After a rotation lines go to the new file."""
        path = self.mktemp()
        output = PathOutput(path)
        self.addCleanup(output.close)
        output.write("old\n")
        os.rename(path, path + ".1")
        output.reopen()
        output.write("new\n")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "new\n")

    def test_reopenThatFailsKeepsTheOldFile(self) -> None:
        """Lines still go somewhere."""
        folder = self.mktemp()
        os.mkdir(folder)
        path = os.path.join(folder, "log")
        output = PathOutput(path)
        self.addCleanup(output.close)
        os.rename(folder, folder + ".moved")
        output.reopen()
        output.write("kept\n")
        with open(os.path.join(folder + ".moved", "log"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "kept\n")

    def test_pathThatCannotBeOpened(self) -> None:
        """The caller learns of it."""
        self.assertRaises(OSError, PathOutput, "/nonexistent/folder/log")

    def test_descriptorThatIsGone(self) -> None:
        """A line that cannot be written is lost without noise."""
        reader, writer = os.pipe()
        os.close(reader)
        output = DescriptorOutput(writer)
        self.addCleanup(os.close, writer)
        output.write("x\n")
        output.reopen()

    def test_oddCharacters(self) -> None:
        """A lone surrogate does not break the log."""
        path = self.mktemp()
        output = PathOutput(path)
        output.write("\ud800\n")
        output.close()
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"\\ud800\n")
