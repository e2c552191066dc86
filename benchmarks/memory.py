"""Memory a record: how much larger a daemon of N records is than one of a single record.

Resident memory is read once the document was served and then no longer moves. The floor is the
catalogue's file, byte by byte.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from catalogue import write_catalogue
from polling import Poll
from processes import daemon
from results import Benchmark, Goal, Result, alone

_STILL_S = 2.0
_STILL_BYTES = 256 * 1024
_LOOKS_MAX = 30


async def measure(environments: int, repeats: int) -> list[Result]:
    """Fresh daemons, of one record and of N in turns."""
    ours, floor = [], []
    for _ in range(repeats):
        small, small_file = await _resident(1)
        large, file = await _resident(environments)
        ours.append((large - small) / max(1, environments - 1))
        floor.append((file - small_file) / max(1, environments - 1))
    goal = Goal(at_most=9, environments=100_000)
    return [
        Result(
            "memory", "memory a record", environments, "bytes", ours,
            "the record's bytes in the file", floor, goal,
        )
    ]  # fmt: skip


async def _resident(environments: int) -> tuple[int, int]:
    """Resident bytes of a daemon, and the size of its catalogue."""
    with tempfile.TemporaryDirectory(prefix="routebook-bench-") as name:
        file = write_catalogue(Path(name), environments)
        async with daemon(Path(name)) as server:
            poll = await Poll.of(server.port)
            before = 0
            for _ in range(_LOOKS_MAX):
                now = server.rss_bytes()
                if abs(now - before) < _STILL_BYTES:
                    break
                before = now
                await asyncio.sleep(_STILL_S)
            poll.close()
            return server.rss_bytes(), file.stat().st_size


BENCHMARK = Benchmark(
    "memory",
    "resident memory of the daemon for each of N records",
    "the record's bytes in the file",
    measure,
    quick=((1000,), 1),
    full=((1000, 10_000, 100_000), 3),
)

if __name__ == "__main__":
    alone(BENCHMARK)
