"""What makes the load: wrk, h2load and tcp_load; their words as one kind of figure."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TCP_LOAD = str(Path(__file__).resolve().with_name("tcp_load.py"))
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True)
class Done:
    """
    What one load has done.

    Attributes:
        operations: requests, messages, connections, or GB.
        p50, p99: microseconds; 0 where they were not measured.
    """

    operations: float
    seconds: float
    p50: float = 0.0
    p99: float = 0.0
    errors: int = 0


class LoadFailed(Exception):
    """A load that did nothing, with what it said."""


def run(arguments: Sequence[str], processors: Sequence[int]) -> str:
    """
    Run a load to its end: what it printed.

    Raises:
        LoadFailed: its status is not 0.
    """
    pinned = ["taskset", "-c", ",".join(map(str, processors))] if processors else []
    done = subprocess.run(
        [*pinned, *arguments], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise LoadFailed(f"{arguments[0]}: {(done.stderr or done.stdout)[-300:]}")
    return done.stdout


def tcpLoad(*words: object) -> list[str]:
    """The command of tcp_load."""
    return [sys.executable, _TCP_LOAD, *map(str, words)]


def readTCP(text: str) -> Done:
    """What tcp_load has printed."""
    return Done(**json.loads(text))


def wrk(
    port: int,
    seconds: float,
    count: int = 64,
    path: str = "/",
    tls: bool = False,
    script: str = "",
) -> list[str]:
    """The command of wrk; script: a file of this folder that makes the requests, "" for none."""
    where = f"{'https' if tls else 'http'}://127.0.0.1:{port}{path}"
    words = ["wrk", "-t1", f"-c{count}", f"-d{max(1, round(seconds))}s", "--latency"]
    if script:
        words += ["-s", str(Path(__file__).resolve().with_name(script))]
    return [*words, where]


def readWrk(text: str) -> Done:
    """
    What wrk has printed.

    Raises:
        LoadFailed: it is something else.
    """
    done = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m),", text)
    if done is None:
        raise LoadFailed(text[-300:])
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text
    )
    return Done(
        int(done[1]),
        float(done[2]) * _SECONDS[done[3]],
        _latency(text, "50"),
        _latency(text, "99"),
        (int(errors[1]) if errors else 0) + sum(map(int, broken.groups() if broken else ())),
    )


def _latency(text: str, percent: str) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)$", text, re.MULTILINE)
    return float(found[1]) * _SECONDS[found[2]] * 1e6 if found else 0.0


def h2load(port: int, seconds: float, count: int = 8, streams: int = 32) -> list[str]:
    """The command of h2load: so many connections, so many requests at a time on each."""
    where = f"http://127.0.0.1:{port}/"
    sizes = ["-c", str(count), "-m", str(streams), "-t", "1"]
    return ["h2load", *sizes, "-D", str(max(1, round(seconds))), "--warm-up-time", "0", where]


def readH2load(text: str) -> Done:
    """
    What h2load has printed; its middle is the mean time of a request.

    Raises:
        LoadFailed: it is something else.
    """
    took = re.search(r"finished in ([\d.]+)(us|ms|s|m),", text)
    counts = re.search(r"requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored", text)
    if took is None or counts is None:
        raise LoadFailed(text[-300:])
    mean = re.search(r"time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s|m)", text)
    return Done(
        int(counts[1]),
        float(took[1]) * _SECONDS[took[2]],
        float(mean[1]) * _SECONDS[mean[2]] * 1e6 if mean else 0.0,
        0.0,
        int(counts[2]) + int(counts[3]),
    )
