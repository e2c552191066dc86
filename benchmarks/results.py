"""The shape that every benchmark's result has, how it is shown, and how one benchmark runs alone.

A result sets what we took beside what the floor took, sample by sample, taken in turns in one run.
`ratio` is the median of ours over that of the floor. A goal is about the ratio or, where there is
no floor, about the median of ours.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from provider.demo.traefik_process import traefik_binary


@dataclass(frozen=True)
class Goal:
    """`at_most` or `at_least`, of the ratio; without a floor of the median.

    It is set for catalogues of so many `environments`, and for larger ones.
    """

    at_most: float | None = None
    at_least: float | None = None
    environments: int = 0

    def met(self, value: float) -> bool:
        """Whether a value is within."""
        return (self.at_most is None or value <= self.at_most) and (
            self.at_least is None or value >= self.at_least
        )

    def __str__(self) -> str:
        if self.at_most is not None:
            return f"{'' if self.at_most == self.at_least else '≤ '}{self.at_most:g}"
        return "" if self.at_least is None else f"≥ {self.at_least:g}"


@dataclass(frozen=True)
class Result:
    """One row of the table. `skipped` says why there are no samples."""

    benchmark: str
    what: str
    environments: int
    unit: str
    ours: Sequence[float] = ()
    floor_is: str = ""
    floor: Sequence[float] = ()
    goal: Goal = field(default_factory=Goal)
    note: str = ""
    skipped: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over the floor, median by median; None without a floor, or one of nothing."""
        if not self.ours or not self.floor or not statistics.median(self.floor):
            return None
        return statistics.median(self.ours) / statistics.median(self.floor)

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None where there is none, or nothing was measured."""
        if not self.ours or self.environments < self.goal.environments or not str(self.goal):
            return None
        if self.ratio is None:
            return None if self.floor_is else self.goal.met(statistics.median(self.ours))
        return self.goal.met(self.ratio)

    def as_json(self) -> dict[str, Any]:
        """Every sample, and what is derived."""
        shown = {key: _rounded(value) for key, value in vars(self).items()}
        return {
            **shown,
            "goal": vars(self.goal),
            "ours_median": _median(self.ours),
            "floor_median": _median(self.floor),
            "ratio": None if self.ratio is None else _significant(self.ratio),
            "is_met": self.is_met,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Result:
        """The row that `as_json` was made of, with its samples rounded."""
        given = {each.name: row[each.name] for each in fields(cls)}
        return cls(**{**given, "goal": Goal(**row["goal"])})


Measure = Callable[[int, int], Coroutine[Any, Any, list[Result]]]


@dataclass(frozen=True)
class Benchmark:
    """One file of this folder. `measure(environments, repeats)` gives its rows.

    `quick` and `full` are environments and repeats.
    """

    name: str
    what: str
    floor: str
    measure: Measure
    quick: tuple[Sequence[int], int]
    full: tuple[Sequence[int], int]


def alone(benchmark: Benchmark) -> None:
    """The command line of one benchmark; everything that it started has ended on return."""
    parser = argparse.ArgumentParser(description=f"{benchmark.what}; floor: {benchmark.floor}")
    parser.add_argument("--environments", type=count, nargs="+", default=benchmark.full[0])
    parser.add_argument("--repeats", "--changes", type=count, default=benchmark.full[1])
    parser.add_argument("--json", type=Path, help="write every sample to this file")
    options = parser.parse_args()
    end_as_interrupted()
    before = surroundings()
    results = [
        row
        for environments in options.environments
        for row in asyncio.run(benchmark.measure(environments, options.repeats))
    ]
    print(table(results))
    if options.json:
        write(options.json, before, results)


def end_as_interrupted() -> None:
    """SIGTERM stops what was started, as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def write(file: Path, before: dict[str, Any], results: Sequence[Result]) -> None:
    """The results as JSON, with the machine that they were taken on."""
    after = {"load_average_1_min_after": surroundings()["load_average_1_min"]}
    report = {**before, **after, "results": [row.as_json() for row in results]}
    file.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def table(results: Sequence[Result]) -> str:
    """The rows as a Markdown table, which is a table in a terminal too."""
    head = ["what", "N", "Routebook", "floor", "floor is", "ratio", "goal", "met"]
    return markdown([head, *(_cells(row) for row in results)])


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Cells of one width a column."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def _cells(row: Result) -> list[str]:
    ratio = "" if row.ratio is None else f"{_significant(row.ratio):g} ×"
    what = row.what + (f" ({row.note})" if row.note else "")
    if row.skipped:
        return [what, f"{row.environments:,}", f"skipped: {row.skipped}", "", row.floor_is, "",
                _goal(row), ""]  # fmt: skip
    met = {None: "", True: "yes", False: "no"}[row.is_met]
    spreads = [_spread(row.ours, row.unit), _spread(row.floor, row.unit)]
    return [what, f"{row.environments:,}", *spreads, row.floor_is, ratio, _goal(row), met]


def _goal(row: Result) -> str:
    return str(row.goal) if row.environments >= row.goal.environments else ""


def _spread(samples: Sequence[float], unit: str) -> str:
    if not samples:
        return ""
    middle, low, high = (
        f"{_significant(each):,g}"
        for each in (statistics.median(samples), min(samples), max(samples))
    )
    return f"{middle} {unit}" + (f" ({low}–{high})" if low != high else "")


def _median(samples: Sequence[float]) -> float | None:
    return _significant(statistics.median(samples)) if samples else None


def _rounded(value: Any) -> Any:
    return [_significant(each) for each in value] if isinstance(value, list | tuple) else value


def _significant(value: float) -> float:
    """Three digits; all of those before the point."""
    return float(round(value)) if abs(value) >= 100 else float(f"{value:.3g}")


def surroundings() -> dict[str, Any]:
    """What the numbers depend on."""
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "traefik": _version([traefik_binary(), "version"], 1),
        "nginx": _version([shutil.which("nginx") or "", "-v"], 2),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "load_average_1_min": round(os.getloadavg()[0], 2),
    }


def _version(command: list[str], word: int) -> str:
    if not command[0]:
        return "not installed"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).split()[word].removeprefix("nginx/")


def count(text: str) -> int:
    """A positive whole number."""
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)
