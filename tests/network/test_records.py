"""Records to every log."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.records import AlikeRecords, logAlike, writeRecord
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

    def alike(self, context: FormatContext, sameness: int) -> Any:
        self.learnt.append((context, sameness))
        if self.problem is not None:
            raise self.problem
        return self.log


class AlikeTests(SynchronousTestCase):
    """Records that are like one."""

    def test_learnt(self) -> None:
        """What can learn does with the second record, when there is one; all get each."""
        learns, keeps, fails = Learns(), Keeps(), Keeps(ValueError("full"))
        odd = Learns()
        odd.problem = ValueError("odd")
        logs: list[Any] = [learns, odd, fails, keeps]
        one, two, three = (FormatContext(StreamInfo(0.0)) for _ in range(3))
        records = AlikeRecords(logs, 2)

        records.write(one)
        self.assertEqual(learns.learnt, [])
        records.write(two)
        records.write(three)

        self.assertEqual(learns.learnt, [(two, 2)])
        self.assertEqual([log.records for log in logs], [[one, two, three]] * 4)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 6)

    def test_others(self) -> None:
        """A log that knows nothing of it is asked as ever."""
        keeps: Any = Keeps()
        self.assertEqual(logAlike(keeps, FormatContext(StreamInfo(0.0)), 1), keeps.log)
