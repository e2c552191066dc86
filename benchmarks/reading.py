"""Lists and look-ups of the REST API beside the same answers from ready per-record bytes.

The floor is a server on the same HTTP stack (`ready_bytes.py`) that keeps each record as bytes and
joins those of an answer. Both are asked over one connection, in turns of `_BATCH` requests; a
sample is the time of one request of a turn, on the mean.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from catalogue import PROJECTS, environment_id, write_catalogue
from polling import Connection, request
from processes import Server, daemon, script, server
from results import Benchmark, Goal, Result, alone

from provider.demo.traefik_process import free_port

_BATCH = 20
_LIST = "/api/environments"


async def measure(environments: int, repeats: int) -> list[Result]:
    """A row for each question."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routebook-bench-")))
        write_catalogue(folder, environments)
        running = await stack.enter_async_context(daemon(folder))
        ours = await Connection.to(running.port)
        stack.callback(ours.close)
        questions = await _questions(ours, environments)
        answers = {path: json.loads((await ours.ask(request(path)))[1]) for path in questions}
        ready = await stack.enter_async_context(_ready_bytes(folder, answers))
        floor = await Connection.to(ready.port)
        stack.callback(floor.close)
        return [
            await _row(environments, what, path, ours, floor, repeats)
            for path, what in questions.items()
        ]


async def _questions(connection: Connection, environments: int) -> dict[str, str]:
    """Path to what it is; the middle of the list by the cursors that lead there."""
    middle, path = environments // 2, f"{_LIST}?limit=100"
    deep, seen = path, 0
    while seen + 100 <= middle:
        following = json.loads((await connection.ask(request(deep)))[1])["next"]
        deep, seen = f"{path}&cursor={following}", seen + 100
    return {
        deep: "list of 100, from the middle",
        path: "list of 100, first page",
        f"{path}&state=maintenance": "list of 100 by state",
        f"{path}&project_id=bench-{PROJECTS - 1}": "list of 100 by project",
        f"{_LIST}/{environment_id(middle)}": "one by id",
        f"{_LIST}/preview-{middle:05}": "one by slug",
    }


async def _row(
    environments: int, what: str, path: str, ours: Connection, floor: Connection, repeats: int
) -> Result:
    samples: tuple[list[float], list[float]] = [], []
    for turn in range(repeats + 1):
        for connection, taken in zip((ours, floor), samples, strict=True):
            took_ms = await _asked(connection, request(path))
            taken += [took_ms] if turn else []
    goal = Goal(at_most=2, environments=1000)
    return Result(
        "reading", what, environments, "ms", samples[0], BENCHMARK.floor, samples[1], goal
    )


async def _asked(connection: Connection, wanted: bytes) -> float:
    start_s = time.perf_counter()
    for _ in range(_BATCH):
        await connection.ask(wanted)
    return (time.perf_counter() - start_s) * 1000 / _BATCH


@asynccontextmanager
async def _ready_bytes(folder: Path, answers: dict[str, Any]) -> AsyncIterator[Server]:
    file, port = folder / "answers.json", free_port()
    file.write_text(json.dumps(answers))
    async with server(port, "/", *script("ready_bytes.py"), str(file), str(port)) as running:
        yield running


BENCHMARK = Benchmark(
    "reading",
    "list of 100 of N, by state, by project; one by id or slug",
    "the same answer joined from ready per-record bytes, on the same HTTP stack",
    measure,
    quick=((1000,), 5),
    full=((100, 1000, 10_000), 20),
)

if __name__ == "__main__":
    alone(BENCHMARK)
