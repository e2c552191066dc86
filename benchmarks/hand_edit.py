"""One record changed by hand, until the new document and its gzip are ready.

The file is prepared beside the data folder and renamed into it; the clock runs from just before
the rename until a held poll has the last byte of the new document, gzip accepted. So the watching,
the history, the kept document and the way over a socket are in it.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from catalogue import environment_id, moved, write_catalogue
from polling import Poll, quiet_s
from processes import daemon
from results import Benchmark, Goal, Result, alone

_PAUSE_S = 0.3


async def measure(environments: int, repeats: int) -> list[Result]:
    """Edits and readings of the file, in turns."""
    ours, floor = [], []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routebook-bench-")))
        file = write_catalogue(folder, environments)
        server = await stack.enter_async_context(daemon(folder, "--hold-s=60"))
        poll = await Poll.of(server.port)
        stack.callback(poll.close)
        for turn in range(repeats + 1):
            await asyncio.sleep(quiet_s(environments) + random.uniform(0, _PAUSE_S))
            edited = moved(
                file.read_bytes(),
                environment_id(_number(environments, turn)),
                f"http://127.0.0.1:{turn + 10}",
            )
            ready_ms = await _edit(file, folder / "edited.json", edited, poll)
            floor_ms = _read_and_compare(file, edited)
            if turn:  # the first one warms both
                ours.append(ready_ms)
                floor.append(floor_ms)
    return [
        Result(
            "hand_edit", "one record changed by hand → document and gzip ready", environments,
            "ms", ours, BENCHMARK.floor, floor, Goal(at_most=4, environments=10_000),
        )
    ]  # fmt: skip


def _number(environments: int, turn: int) -> int:
    return (turn * 7919 + environments // 2) % environments


async def _edit(file: Path, new: Path, edited: bytes, poll: Poll) -> float:
    new.write_bytes(edited)
    waiting = asyncio.create_task(poll.next())
    await asyncio.sleep(0.1)  # the poll is sent, and held
    start_s = time.perf_counter()
    new.replace(file)
    return (await waiting - start_s) * 1000


def _read_and_compare(file: Path, known: bytes) -> float:
    start_s = time.perf_counter()
    if file.read_bytes() != known:
        raise RuntimeError("the file is not what was written")
    return (time.perf_counter() - start_s) * 1000


BENCHMARK = Benchmark(
    "hand_edit",
    "one record changed by hand in a file of N → new document and its gzip ready",
    "read the file and compare it with the old bytes",
    measure,
    quick=((1000,), 5),
    full=((100, 1000, 10_000), 15),
)

if __name__ == "__main__":
    alone(BENCHMARK)
