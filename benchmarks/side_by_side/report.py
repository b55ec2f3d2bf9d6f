"""Results as Markdown, and as a picture."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.side_by_side.contestants import Contestant
from benchmarks.side_by_side.measure import Result, Row

OURS = "twisted_envoy"
_HEAD = "| proxy | {unit}/s | {unit}/CPU second | to Envoy | busy | p50 us | p99 us | errors |"


def machine() -> list[str]:
    """What this was measured on, a line each."""
    lines = [f"{platform.system()} {platform.release()}, {platform.machine()}"]
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        text = ""
    models = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    if models:
        lines.append(f"{len(models)} processors: {models[0]}")
    loads = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    lines.append(f"other work beside: a load average of {loads} at the end")
    return [*lines, f"{platform.python_implementation()} {platform.python_version()}"]


def verdict(result: Result) -> tuple[str, str]:
    """Our ratio, and what that is measured by what was asked: goal, met, MISSED or nothing."""
    row = next((row for row in result.rows if row.name == OURS), None)
    if row is None:
        return "-", "not measured"
    least, goal = result.workload.least, result.workload.goal
    if not least:
        word = ""
    elif row.ratio >= goal:
        word = "goal"
    else:
        word = "met" if row.ratio >= least else "MISSED"
    return f"{row.ratio:.2f}", word


def summary(results: Iterable[Result]) -> str:
    """One table of what was asked."""
    lines = ["| workload | | to Envoy | at least | goal | |", "|---|---|---|---|---|---|"]
    for result in results:
        ratio, word = verdict(result)
        one = result.workload
        asked = (f"{one.least:g}", f"{one.goal:g}") if one.least else ("", "")
        lines.append(f"| {one.name} | {one.what} | {ratio} | {asked[0]} | {asked[1]} | {word} |")
    return "\n".join(lines) + "\n"


def table(result: Result) -> str:
    """One workload."""
    one = result.workload
    lines = [f"### {one.name}{': ' + one.what if one.what else ''}", ""]
    lines += [_HEAD.format(unit=one.unit), "|---" * 8 + "|"]
    lines += [_line(row, 3 if one.unit == "GB" else 0) for row in result.rows]
    lines += [f"\n{problem}" for problem in dict.fromkeys(result.problems)]
    return "\n".join(lines) + "\n"


def _line(row: Row, digits: int) -> str:
    cells = [
        row.name,
        f"{row.rate:,.{digits}f}",
        f"{row.capacity:,.{digits}f}",
        f"{row.ratio:.2f}",
        f"{row.busy:.2f}",
        f"{row.p50:.0f}" if row.p50 else "-",
        f"{row.p99:.0f}" if row.p99 else "-",
        str(row.errors),
    ]
    return f"| {' | '.join(cells)} |"


def memoryTable(rows: Sequence[tuple[str, str, tuple[float, float, float]]]) -> str:
    """Starts and memory: kind, name, (seconds, KiB at rest, KiB a connection)."""
    lines = ["| | proxy | start, s | at rest, MiB | a connection, KiB |", "|---|---|---|---|---|"]
    for kind, name, (start, rest, each) in rows:
        lines.append(f"| {kind} | {name} | {start:.2f} | {rest / 1024:.1f} | {each:.1f} |")
    return "\n".join(lines) + "\n"


def document(
    command: str,
    contestants: Sequence[Contestant],
    results: Sequence[Result],
    memory: Sequence[tuple[str, str, tuple[float, float, float]]],
    picture: str,
) -> str:
    """The whole of RESULTS.md."""
    versions = ", ".join(f"{one.name} {one.version}".strip() for one in contestants)
    parts = [
        "# Side by side\n",
        f"`{command}`\n",
        *(f"- {line}" for line in machine()),
        f"- {versions}\n",
        "Work done a second of CPU time, as a ratio to Envoy's in the same rounds "
        "([how](../docs/performance.md)).\n",
        summary(results),
    ]
    if picture:
        parts.append(f"![ratios to Envoy]({picture})\n")
    if memory:
        parts += ["## Start and memory\n", memoryTable(memory)]
    parts += ["## Each workload\n", *(table(result) for result in results)]
    return "\n".join(parts)


_ROW = 22
_LEFT = 110
_UNIT = 190


def plot(results: Sequence[Result]) -> str:
    """An SVG: a bar for each workload, a line where Envoy is, a tick where the least is."""
    rows = [(one, row) for one in results for row in one.rows if row.name == OURS]
    width = _LEFT + round(_UNIT * max([2.0, *(row.ratio for _, row in rows)])) + 60
    height = _ROW * len(rows) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for number, (one, row) in enumerate(rows):
        top = 24 + _ROW * number
        missed = verdict(one)[1] == "MISSED"
        length = round(_UNIT * row.ratio)
        colour = "#c0603f" if missed else "#3f7fc0"
        parts += [
            f'<text x="{_LEFT - 6}" y="{top + 12}" text-anchor="end">{one.workload.name}</text>',
            f'<rect x="{_LEFT}" y="{top}" width="{length}" height="{_ROW - 6}" fill="{colour}"/>',
            f'<text x="{_LEFT + length + 4}" y="{top + 12}">{row.ratio:.2f}</text>',
        ]
        if one.workload.least:
            at = _LEFT + round(_UNIT * one.workload.least)
            parts.append(
                f'<path d="M{at} {top - 2}v{_ROW - 2}" stroke="black" stroke-dasharray="2 2"/>'
            )
    line = _LEFT + _UNIT
    parts += [
        f'<path d="M{line} 18V{height - 8}" stroke="black"/>',
        f'<text x="{line}" y="14" text-anchor="middle">Envoy</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
