"""Records to every log."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.network.records import writeRecord
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
