"""Records to every log."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.records import AlikeRecords, loggerAlike, stampOf, writeRecord
from twisted_envoy.state.stream_info import FormatContext, StreamInfo


class Keeps:
    """A log that keeps its records, and may raise."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.records: list[FormatContext] = []
        self.problem = problem

    def log(self, context: FormatContext) -> None:
        self.records.append(context)
        if self.problem is not None:
            raise self.problem


class WriteRecordTests(SynchronousTestCase):
    def test_everyLogGetsIt(self) -> None:
        """One that raises is told of, and those after it get the record as those before it."""
        logs: list[Any] = [Keeps(), Keeps(ValueError("full")), Keeps()]
        context = FormatContext(StreamInfo(0.0))

        writeRecord(logs, context)

        self.assertEqual([log.records for log in logs], [[context]] * 3)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)


class Learns(Keeps):
    """One that can do the same for less."""

    def __init__(self) -> None:
        super().__init__()
        self.learnt: list[Any] = []

    def alike(self, *arguments: Any) -> Any:
        self.learnt.append(arguments)
        if self.problem is not None:
            raise self.problem
        return self


class AlikeTests(SynchronousTestCase):
    """Records that are like one."""

    def test_learnt(self) -> None:
        """What can learn does with the second record, when there is one; all get each."""
        learns, keeps, fails = Learns(), Keeps(), Keeps(ValueError("full"))
        odd = Learns()
        odd.problem = ValueError("odd")
        logs: list[Any] = [learns, odd, fails, keeps]
        one, two, three = (FormatContext(StreamInfo(0.0)) for _ in range(3))
        records = AlikeRecords(logs, 2, True)

        records.write(one)
        self.assertEqual((learns.learnt, records.loggers), ([], ()))
        records.write(two)
        records.write(three)

        self.assertEqual(learns.learnt, [(two, 2, True)])
        self.assertEqual(records.loggers, tuple(logs))
        self.assertEqual([log.records for log in logs], [[one, two, three]] * 4)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 6)

    def test_others(self) -> None:
        """A log that knows nothing of it is asked as ever."""
        keeps: Any = Keeps()
        self.assertIs(loggerAlike(keeps, FormatContext(StreamInfo(0.0)), 1, False), keeps)

    def test_moreAlike(self) -> None:
        """What writes those that are still more alike is asked of who writes these."""
        context = FormatContext(StreamInfo(0.0))
        stamps = Stamps()
        logs: list[Any] = [stamps]
        records = AlikeRecords(logs, 1, False)
        self.assertIsNone(records.stamp(context, 2))
        for _ in range(2):
            records.write(context)

        self.assertEqual(records.stamp(context, 2), stamps.write)
        self.assertEqual(stamps.asked, [(context, 2, False)])
        stamps.asked = None  # type: ignore[assignment]
        self.assertIsNone(records.stamp(context, 2))


class Stamps(Keeps):
    """One that may need no record."""

    def __init__(self, problem: Exception | None = None, needs: bool = False) -> None:
        super().__init__(problem)
        self.needs = needs
        self.asked: list[Any] = []
        self.written: list[Any] = []

    def stamp(self, *arguments: Any) -> Any:
        self.asked.append(arguments)
        return None if self.needs else self.write

    def write(self, *arguments: Any) -> None:
        self.written.append(arguments)
        if self.problem is not None:
            raise self.problem


class StampTests(SynchronousTestCase):
    """Records of which time and id are all that is told."""

    def test_all(self) -> None:
        """Every log gets them, also behind one that raises."""
        context = FormatContext(StreamInfo(0.0))
        logs: list[Any] = [Stamps(), Stamps(ValueError("full")), Stamps()]
        write = stampOf(logs, context, 2, True)
        assert write is not None

        write(1.5, b"id")

        self.assertEqual([log.asked for log in logs], [[(context, 2, True)]] * 3)
        self.assertEqual([log.written for log in logs], [[(1.5, b"id")]] * 3)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(stampOf(logs[:1], context, 2, True), logs[0].write)

    def test_needed(self) -> None:
        """One log that needs the record, and all get it."""
        context = FormatContext(StreamInfo(0.0))
        for other in (Stamps(needs=True), Keeps()):
            logs: list[Any] = [Stamps(), other]
            self.assertIsNone(stampOf(logs, context, 2, False))
