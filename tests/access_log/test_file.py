"""Tests for twisted_envoy.access_log.file."""

from __future__ import annotations

import os

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.access_log import file as module
from twisted_envoy.access_log.file import FLUSH_SIZE, AccessLogError, AccessLogFile, FileStats
from twisted_envoy.stats.scope import Store


class AccessLogFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.store = Store()
        self.path = self.mktemp()

    def open(self, path: str | None = None, isShared: bool = False) -> AccessLogFile:
        stats = FileStats.make(self.store)
        file = AccessLogFile(path or self.path, self.clock, 10.0, stats, isShared)
        self.addCleanup(file.close)
        return file

    def content(self, path: str | None = None) -> str:
        with open(path or self.path, encoding="utf-8") as file:
            return file.read()

    def stats(self) -> dict[str, int]:
        return {one.name.removeprefix("filesystem."): one.value for one in self.store.numbers()}

    def test_theFirstLineGoesOutAtOnce(self) -> None:
        """As in Envoy; the next one waits."""
        file = self.open()

        file.write("one\n")
        file.write("two é\n")

        self.assertEqual(self.content(), "one\n")
        self.assertEqual(self.stats()["write_total_buffered"], len("two é\n".encode()))

    def test_bytes(self) -> None:
        """Bytes and texts go out in their order, and count alike."""
        file = self.open()
        for number in range(3):
            file.write(f"{number} é\n")
            file.append(b"%d \xc3\xa9\n" % number)
        stats = self.stats()
        file.close()
        file.append(b"later\n")

        self.assertEqual(self.content(), "".join(f"{one} é\n" * 2 for one in range(3)))
        self.assertEqual((stats["write_buffered"], stats["write_total_buffered"]), (6, 25))

    def test_sharedPipe(self) -> None:
        """A pipe that others write to gets whole lines, as many at once as it keeps together."""
        os.mkfifo(self.path)
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        pieces: list[bytes] = []
        write = os.write

        def written(descriptor: int, data: bytes) -> int:
            pieces.append(bytes(data))
            return write(descriptor, data)

        file = self.open(isShared=True)
        self.patch(os, "write", written)
        lines = ["first\n", *(f"{number:0999}\n" for number in range(9)), "x" * 5000 + "\n", "last"]
        for line in lines:
            file.write(line)
        file.flush()

        self.assertEqual(b"".join(pieces).decode(), "".join(lines))
        self.assertEqual([len(piece) for piece in pieces], [6, 4000, 4000, 1000, 5001, 4])

    def test_sharedFile(self) -> None:
        """The system keeps each piece of a file together, however long it is."""
        file = self.open(isShared=True)
        pieces: list[int] = []
        write = os.write
        self.patch(os, "write", lambda fd, data: pieces.append(len(data)) or write(fd, data))
        for _ in range(10):
            file.write("x" * 999 + "\n")
        file.flush()
        self.assertEqual(pieces, [1000, 9000])

    def test_oddBytes(self) -> None:
        """Bytes that are no UTF-8 go out as they came; what never was a byte is spelt out."""
        file = self.open()

        file.write(b"a\xe9\xc3\xa9\n".decode("utf-8", "surrogateescape"))
        file.write("\ud800\n")
        file.flush()

        with open(self.path, "rb") as content:
            self.assertEqual(content.read(), b"a\xe9\xc3\xa9\n\\ud800\n")

    def test_theTimerFlushes(self) -> None:
        """After the interval everything is in the file, and no timer is left."""
        file = self.open()
        for line in ("1\n", "2\n", "3\n"):
            file.write(line)

        self.clock.advance(9.9)
        before = self.content()
        self.clock.advance(0.2)

        self.assertEqual((before, self.content()), ("1\n", "1\n2\n3\n"))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(
            self.stats(),
            {
                "write_buffered": 3,
                "write_completed": 2,
                "write_failed": 0,
                "flushed_by_timer": 1,
                "reopen_failed": 0,
                "write_total_buffered": 0,
            },
        )

    def test_aFullBufferIsWritten(self) -> None:
        """At 64 KiB nobody waits for the timer."""
        file = self.open()
        file.write("first\n")
        line = "x" * 999 + "\n"

        for _ in range(FLUSH_SIZE // 1000):
            file.write(line)
        before = os.path.getsize(self.path)
        file.write(line)

        self.assertEqual(before, 6)
        self.assertEqual(os.path.getsize(self.path), 6 + 1000 * (FLUSH_SIZE // 1000 + 1))

    def test_closeFlushes(self) -> None:
        """What is buffered is written, what comes later is dropped."""
        file = self.open()
        file.write("1\n")
        file.write("2\n")

        file.close()
        file.write("3\n")
        file.close()

        self.assertEqual(self.content(), "1\n2\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_appends(self) -> None:
        """A file that is there keeps its lines."""
        with open(self.path, "w", encoding="utf-8") as present:
            present.write("old\n")

        self.open().write("new\n")

        self.assertEqual(self.content(), "old\nnew\n")

    def test_emptyTextIsNothing(self) -> None:
        """No write is counted."""
        self.open().write("")

        self.assertEqual(self.stats()["write_buffered"], 0)

    def test_reopenAfterARename(self) -> None:
        """Buffered lines go to the old file, later ones to a new one."""
        file = self.open()
        file.write("1\n")
        file.write("2\n")
        os.rename(self.path, self.path + ".old")

        file.reopen()
        file.write("3\n")
        file.flush()

        self.assertEqual((self.content(self.path + ".old"), self.content()), ("1\n2\n", "3\n"))

    def test_reopenMayFail(self) -> None:
        """Lines are lost and counted until the path can be opened again."""
        file = self.open()
        file.write("1\n")
        os.rename(self.path, self.path + ".old")
        os.mkdir(self.path)

        file.reopen()
        file.write("2\n")
        self.clock.advance(10)
        failed = self.stats()
        os.rmdir(self.path)
        file.write("3\n")
        self.clock.advance(10)

        self.assertEqual((failed["reopen_failed"], failed["write_failed"]), (2, 1))
        self.assertEqual(self.content(), "3\n")

    def test_aFullDiskIsSurvived(self) -> None:
        """A failed write is counted, the next one is tried again."""
        file = self.open("/dev/full")

        file.write("1\n")
        file.write("2\n")
        file.flush()

        self.assertEqual(self.stats()["write_failed"], 2)
        self.assertEqual(self.stats()["write_total_buffered"], 0)

    def test_whatCannotBeOpened(self) -> None:
        """Envoy's words."""
        texts = {
            "/nope/x.log": "unable to open file '/nope/x.log': No such file or directory",
            "/tmp": "unable to open file '/tmp': Is a directory",
        }
        for path, text in texts.items():
            self.assertEqual(str(self.assertRaises(AccessLogError, self.open, path)), text)


class StreamTests(SynchronousTestCase):
    """`/dev/stdout`, standing for a pipe that belongs to the test."""

    def setUp(self) -> None:
        self.readEnd, self.writeEnd = os.pipe()
        os.set_blocking(self.readEnd, False)
        os.set_blocking(self.writeEnd, False)
        self.addCleanup(os.close, self.readEnd)
        self.addCleanup(os.close, self.writeEnd)
        self.patch(module, "_STREAMS", {"/dev/stdout": self.writeEnd})
        self.clock = Clock()
        self.store = Store()
        self.file = AccessLogFile("/dev/stdout", self.clock, 10.0, FileStats.make(self.store))

    def read(self) -> int:
        total = 0
        while True:
            try:
                total += len(os.read(self.readEnd, 1 << 20))
            except BlockingIOError:
                return total

    def test_neitherReopenedNorClosed(self) -> None:
        """The process's streams stay as they are."""
        self.file.write("1\n")

        self.file.reopen()
        self.file.close()

        os.write(self.writeEnd, b"still open")
        self.assertEqual(self.read(), len("1\nstill open"))

    def test_aFullPipeKeepsTheRest(self) -> None:
        """What the pipe does not take now goes out later, nothing is lost."""
        text = "x" * 99_999 + "\n"
        for _ in range(3):
            self.file.write(text)

        total = 0
        for _ in range(10):
            total += self.read()
            self.clock.advance(10)
        total += self.read()

        self.assertEqual(total, 300_000)
        self.assertEqual(self.store.value("filesystem.write_failed"), 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_aPipeThatNobodyReads(self) -> None:
        """Beyond the bound lines are dropped and counted."""
        self.patch(module, "KEEP_SIZE", 100_000)

        for _ in range(4):
            self.file.write("x" * 99_999 + "\n")

        self.assertGreater(self.store.value("filesystem.write_failed"), 0)
        self.assertLessEqual(self.store.value("filesystem.write_total_buffered"), 100_000)

    def test_closingWithAFullPipe(self) -> None:
        """The rest is given up, and no timer is left behind."""
        for _ in range(2):
            self.file.write("x" * 99_999 + "\n")

        self.file.close()

        self.assertEqual(self.store.value("filesystem.write_failed"), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])
