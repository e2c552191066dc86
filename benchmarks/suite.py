"""Every benchmark of the issue, one after the other, as one table and one JSON file.

python suite.py [--list] [--quick] [--only NAME ...] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import at_scale
import change_to_served
import cold_start
import hand_edit
import memory
import other_programs
import reading
import reloads
import serving
import unchanged_poll
import writes
from results import (
    Benchmark,
    Result,
    count,
    end_as_interrupted,
    markdown,
    surroundings,
    table,
    write,
)

SUITE = tuple(
    module.BENCHMARK
    for module in (
        change_to_served,
        hand_edit,
        writes,
        cold_start,
        unchanged_poll,
        serving,
        reading,
        memory,
        other_programs,
        reloads,
        at_scale,
    )
)
_ALSO = (
    ("live_lag", 'how long Routebook\'s word "live" lags the truth', "Traefik itself, asked"),
    ("plumbing_delays", "until certificates, DNS and health are seen", "none"),
)
_GIVE_UP_S = 3600.0


def main() -> None:
    """List, or measure and print."""
    options = _options()
    if options.list:
        rows = [(each.name, each.what, each.floor) for each in SUITE]
        print(markdown([("benchmark", "what", "floor"), *rows, *_ALSO]))
        return
    end_as_interrupted()
    before, results = surroundings(), []
    for benchmark in SUITE:
        if not options.only or benchmark.name in options.only:
            sizes, repeats = benchmark.quick if options.quick else benchmark.full
            results += _measured(benchmark, options.environments or sizes, repeats)
            if options.json:  # after each: a run that is stopped leaves what it has
                write(options.json, before, results)
    print(table(results))


def _measured(benchmark: Benchmark, sizes: Sequence[int], repeats: int) -> list[Result]:
    """Its rows; when it fails, one row that says so, and the others go on."""
    rows = []
    for environments in sizes:
        start_s = time.monotonic()
        try:
            rows += asyncio.run(
                asyncio.wait_for(benchmark.measure(environments, repeats), _GIVE_UP_S)
            )
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            rows.append(
                Result(benchmark.name, benchmark.what, environments, "", skipped=reason[:200])
            )
        took_s = time.monotonic() - start_s
        print(f"{benchmark.name} at {environments:,}: {took_s:.0f} s", flush=True)
    return rows


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--list", action="store_true", help="what there is, and its floor")
    parser.add_argument("--quick", action="store_true", help="small, in less than five minutes")
    parser.add_argument("--only", nargs="+", choices=[each.name for each in SUITE])
    parser.add_argument("--environments", type=count, nargs="+", help="in place of each one's own")
    parser.add_argument("--json", type=Path, help="write every sample to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
