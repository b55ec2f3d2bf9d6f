"""
Budgets, as ratios within one run: ours beside a plain reference that runs in turns with it.

Short runs of the micro-benchmarks. Other work on the machine can only make a ratio worse, so a
budget is broken when it is in each of several attempts.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks import bench_chain, bench_edge, bench_format, bench_h2, bench_http, bench_routes

ROOT = Path(__file__).resolve().parent.parent.parent
ATTEMPTS = 5

_INTERNAL = """
from twisted.internet.task import react
from benchmarks import bench_internal
bench_internal.ROUNDS = 3
bench_internal.ROWS = (
    ("connection", 1, 32, (1280, 128)),
    ("message", 100, 16, (16, 16)),
)
bench_internal.CONNECTION_LIMIT = 1 / 10
react(bench_internal.main, [])
"""


class BudgetTests(SynchronousTestCase):
    """What a later change must not make slower."""

    def holds(self, found: Callable[[], dict[str, tuple[float, float]]]) -> None:
        """Each ratio is within its budget, in one attempt at least."""
        broken: dict[str, float] = {}
        for _ in range(ATTEMPTS):
            ratios = found()
            over = {name: ratio for name, (ratio, most) in ratios.items() if ratio > most}
            broken = {name: over[name] for name in over if not broken or name in broken}
            if not broken:
                return
        self.fail(f"over the budget: {broken}")

    def test_chain(self) -> None:
        """Idle filters cost nothing a chunk; a reader costs little more than a call."""
        self.patch(bench_chain, "ROUNDS", 15)
        self.patch(bench_chain, "CHUNKS", 1000)
        self.patch(bench_chain, "SETUPS", 100)
        self.holds(
            lambda: {what: (ratio, most * 1.2) for what, _, _, ratio, most in bench_chain.measure()}
        )

    def test_filters(self) -> None:
        """Four idle HTTP filters cost a request and a chunk nothing that can be seen."""
        self.patch(bench_http, "REQUESTS", 20)
        self.patch(bench_http, "CHUNKS", 20)
        bare, filtered = bench_http.Candidate(0), bench_http.Candidate(4)

        def ratio(what: str) -> float:
            pairs = [(getattr(bare, what)(), getattr(filtered, what)()) for _ in range(15)]
            return min(more for _, more in pairs) / min(less for less, _ in pairs)

        self.holds(lambda: {what: (ratio(what), 1.12) for what in ("requests", "chunks")})

    def test_edge(self) -> None:
        """What is done to a request's headers, beside copying them."""
        self.patch(bench_edge, "ROUNDS", 10)
        self.patch(bench_edge, "REQUESTS", 200)

        def ratio() -> float:
            edits, copies = bench_edge.measure({}, bench_edge.GET)
            return edits / copies

        self.holds(lambda: {"edge": (ratio(), 6.0)})

    def test_routes(self) -> None:
        """A route among many costs about as much as one among few."""
        self.patch(bench_routes, "MANY", 500)
        self.patch(bench_routes, "REQUESTS", 300)
        self.patch(sys, "stdout", io.StringIO())
        self.holds(
            lambda: {
                name: (ratio, bench_routes.LIMIT) for name, ratio in bench_routes.ratios().items()
            }
        )

    def test_lines(self) -> None:
        """A line of which only the time and the id are new costs little of what all of it does."""
        self.patch(bench_format, "ROUNDS", 20)
        context = bench_format.request()
        whole = bench_format.compileText(bench_format.DEFAULT_FORMAT)
        stamped = bench_format.stamped(context)

        def ratio() -> float:
            took = bench_format.microseconds(stamped, context)
            return took / bench_format.microseconds(whole, context)

        self.holds(lambda: {"a stamped line": (ratio(), 0.2)})

    def test_http2(self) -> None:
        """An exchange of our core is several times as cheap as one of the h2 library."""
        self.patch(bench_h2, "RUNS", 4)
        ours, library = bench_h2.Pair(), bench_h2.Library()

        def ratio() -> float:
            return bench_h2.best(ours.exchange, 50) / bench_h2.best(library.exchange, 20)

        ratio()
        self.holds(lambda: {"an exchange": (ratio(), 0.2)})

    def test_internal(self) -> None:
        """A connection and a message inside the process, beside loopback TCP."""

        def over() -> float:
            words = [sys.executable, "-c", _INTERNAL]
            done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.stderr, "")
            return float(done.returncode)

        self.holds(lambda: {"over": (over(), 0.0)})
