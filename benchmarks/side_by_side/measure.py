"""
Measuring in turns: one, the other, the other, one; ratios within a pair, medians of them.

What counts is work done a second of CPU time (`capacity`): it is the same whether or not the load
keeps the proxy busy, and hardly changes when the machine has other work. The rate is shown too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.side_by_side.bootstraps import Place, origin
from benchmarks.side_by_side.certificate import makeCertificate
from benchmarks.side_by_side.contestants import Contestant
from benchmarks.side_by_side.loads import LoadFailed, run, tcpLoad
from benchmarks.side_by_side.processes import CannotStart, Program, freePort
from benchmarks.side_by_side.workloads import BIG, Settings, Workload

IDLE = 500
"""Connections that memory is measured with."""


@dataclass(frozen=True)
class Figure:
    """
    One load on one proxy.

    Attributes:
        rate: operations a second. capacity: operations a second of the proxy's CPU time.
        busy: the share of a processor that the proxy took.
    """

    rate: float
    capacity: float
    busy: float
    p50: float
    p99: float
    errors: int


@dataclass
class Row:
    """
    What a table says of one proxy; each figure is a median.

    Attributes:
        ratio: of capacity to the first contestant's, median of pairs. rateRatio: of the rate.
    """

    name: str
    rate: float
    capacity: float
    busy: float
    p50: float
    p99: float
    errors: int
    ratio: float
    rateRatio: float


@dataclass
class Result:
    """One workload; a problem says why a contestant has no row."""

    workload: Workload
    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Laboratory:
    """
    What all measurements share: servers behind the proxies, a certificate, folders.

    Args:
        envoyPath: Envoy is also the HTTP server behind.
        proxies: the processors of what is measured.
    """

    def __init__(
        self, folder: Path, envoyPath: str, settings: Settings, proxies: Sequence[int]
    ) -> None:
        self._folder = folder
        self._envoy = envoyPath
        self._settings = settings
        self._proxies = proxies
        self._behind: dict[str, tuple[int, Program]] = {}
        self._count = 0
        self._certificate = makeCertificate(folder)

    def close(self) -> None:
        """End the servers."""
        for _, program in self._behind.values():
            program.stop()

    def upstream(self, kind: str) -> int:
        """The port behind a kind of proxy."""
        what = "tcp" if kind in ("tcp", "internal") else "http"
        if what not in self._behind:
            port = freePort()
            if what == "tcp":
                words = tcpLoad("serve", port)
            else:
                words = [self._envoy, "--disable-hot-restart", "--concurrency", "1", "-l", "error"]
                words += ["-c", str(self._originFile(port))]
            program = Program(words, self._folder / f"{what}.log", self._settings.processors)
            self._behind[what] = (port, program)
            program.waitFor(port)
        return self._behind[what][0]

    def _originFile(self, port: int) -> Path:
        import json

        big, path = self._folder / "big", self._folder / "origin.json"
        big.write_bytes(b"0123456789abcdef" * (BIG // 16))
        path.write_text(json.dumps(origin(port, str(big), BIG)), "utf-8")
        return path

    def start(self, contestant: Contestant, kind: str) -> Running:
        """
        Start a contestant, and wait until it listens.

        Raises:
            CannotStart: it does not.
        """
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        place = Place(freePort(), self.upstream(kind), *self._certificate, freePort())
        programs: list[Program] = []
        took = 0.0
        try:
            for words, port in contestant.commands(kind, place, folder):
                programs.append(Program(words, folder / "log", self._proxies))
                took = max(took, programs[-1].waitFor(port))
        except CannotStart:
            for program in programs:
                program.stop()
            raise
        return Running(contestant.name, place.port, programs, took)

    def compare(self, workload: Workload, contestants: Sequence[Contestant], rounds: int) -> Result:
        """Measure all that can do it, in turns; the first is what the others are compared with."""
        result = Result(workload)
        running: list[Running] = []
        try:
            for one in contestants:
                if not one.can(workload):
                    continue
                try:
                    running.append(self.start(one, workload.kind))
                except CannotStart as problem:
                    result.problems.append(f"{one.name} did not start: {problem}")
            figures = self._inTurns(workload, running, rounds, result)
        finally:
            for each in running:
                each.stop()
        result.rows = rowsOf(figures)
        return result

    def _inTurns(
        self, workload: Workload, running: list[Running], rounds: int, result: Result
    ) -> dict[str, list[Figure | None]]:
        figures: dict[str, list[Figure | None]] = {one.name: [] for one in running}
        for one in running:  # once without counting
            self._once(workload, one, result)
        for number in range(rounds):
            for one in running if number % 2 == 0 else reversed(running):
                figures[one.name].append(self._once(workload, one, result))
        return figures

    def _once(self, workload: Workload, running: Running, result: Result) -> Figure | None:
        before, began = running.processor(), time.monotonic()
        try:
            done = workload.load(running.port, self._settings)
        except LoadFailed as problem:
            result.problems.append(f"{running.name}: {problem}")
            return None
        taken = running.processor() - before
        if not done.operations or not taken:
            return None
        return Figure(
            done.operations / done.seconds,
            done.operations / taken,
            taken / (time.monotonic() - began),
            done.p50,
            done.p99,
            done.errors,
        )

    def memory(self, contestant: Contestant, kind: str, rounds: int) -> tuple[float, float, float]:
        """
        Seconds to start, KiB at rest, KiB for a connection that has been used.

        Args:
            kind: of proxy; over http and tls each connection has made one request.
        """
        found = [self._memoryOnce(contestant, kind) for _ in range(rounds)]
        starts, rests, each = zip(*found, strict=True)
        return median(starts), median(rests), median(each)

    def _memoryOnce(self, contestant: Contestant, kind: str) -> tuple[float, float, float]:
        import subprocess

        running = self.start(contestant, kind)
        try:
            words = kind if kind in ("http", "tls") else "tcp"
            run(tcpLoad("idle", running.port, 1, words), self._settings.processors)
            rest = running.memory()
            with subprocess.Popen(
                tcpLoad("idle", running.port, IDLE, words),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            ) as holding:
                assert holding.stdout is not None
                holding.stdout.readline()
                full = running.memory()
                holding.communicate()
            return running.took, rest, (full - rest) / IDLE
        finally:
            running.stop()


@dataclass
class Running:
    """A contestant that runs: one program or two."""

    name: str
    port: int
    programs: list[Program]
    took: float

    def processor(self) -> float:
        """CPU seconds so far."""
        return sum(one.processor() for one in self.programs)

    def memory(self) -> int:
        """KiB."""
        return sum(one.memory() for one in self.programs)

    def stop(self) -> None:
        """End them."""
        for one in self.programs:
            one.stop()


def rowsOf(figures: dict[str, list[Figure | None]]) -> list[Row]:
    """The medians; ratios are to the first, between figures of the same round."""
    first = next(iter(figures.values()), [])
    rows = []
    for name, found in figures.items():
        good = [one for one in found if one is not None]
        pairs = [
            (one, other)
            for one, other in zip(found, first, strict=True)
            if one is not None and other is not None
        ]
        if good and pairs:
            rows.append(
                Row(
                    name,
                    median(one.rate for one in good),
                    median(one.capacity for one in good),
                    median(one.busy for one in good),
                    median(one.p50 for one in good),
                    median(one.p99 for one in good),
                    sum(one.errors for one in good),
                    median(one.capacity / other.capacity for one, other in pairs),
                    median(one.rate / other.rate for one, other in pairs),
                )
            )
    return rows
