"""One PATCH until it is answered, durable, and its document ready; and 64 writers at once.

The clock of one PATCH stops when both its answer and, on a held poll, the new document in gzip are
here. The floor writes the catalogue's bytes durably: a new file, fsync, rename, fsync of the
folder. The rate of 64 writers, each with its next PATCH when the last is answered, is set against
that of one durable rewrite for each write.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from catalogue import environment_id, rewrite_durably, write_catalogue
from polling import Connection, Poll, patch, quiet_s
from processes import daemon
from results import Benchmark, Goal, Result, alone

_WRITERS = 64
_ROUNDS = 3
_WRITES_PER_ROUND = 320
_PAUSE_S = 0.3
_FLOOR_S = 0.5


async def measure(environments: int, repeats: int) -> list[Result]:
    """Single writes, then bursts; the floor in turn with each."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routebook-bench-")))
        file = write_catalogue(folder, environments)
        server = await stack.enter_async_context(daemon(folder, "--hold-s=60"))
        writes = _Writes(environments, file, folder / "floor.json")
        poll, client = await Poll.of(server.port), await Connection.to(server.port)
        single, floor = await writes.singly(client, poll, repeats)
        for each in (poll, client):
            each.close()
        # Not sooner: the daemon hangs up on who says nothing for long.
        clients = [await Connection.to(server.port) for _ in range(_WRITERS)]
        for each in clients:
            stack.callback(each.close)
        rates, floor_rates = await writes.at_once(clients, min(_ROUNDS, repeats))
    return [
        Result(
            "writes",
            "one PATCH → answered, durable, document ready",
            environments,
            "ms",
            single,
            "durable rewrite of the same bytes",
            floor,
            Goal(at_most=1.5, environments=10_000),
        ),
        Result(
            "writes",
            f"{_WRITERS} writers at once",
            environments,
            "writes/s",
            rates,
            "one durable rewrite a write",
            floor_rates,
            Goal(at_least=15, environments=10_000),
        ),
    ]


class _Writes:
    def __init__(self, environments: int, file: Path, beside: Path) -> None:
        self._environments, self._file, self._beside = environments, file, beside
        self._turns = itertools.count()

    async def singly(
        self, client: Connection, poll: Poll, repeats: int
    ) -> tuple[list[float], list[float]]:
        """Milliseconds of PATCHes, and of the floor in turn with them."""
        ours, floor = [], []
        for turn in range(repeats + 1):
            waiting = asyncio.create_task(poll.next())
            await asyncio.sleep(quiet_s(self._environments))
            start_s = time.perf_counter()
            await self._write(client)
            answered_s = time.perf_counter()
            took_ms = (max(answered_s, await waiting) - start_s) * 1000
            await asyncio.sleep(_PAUSE_S)
            floor_ms = self._rewrite()
            if turn:
                ours.append(took_ms)
                floor.append(floor_ms)
        return ours, floor

    async def at_once(
        self, clients: Sequence[Connection], rounds: int
    ) -> tuple[list[float], list[float]]:
        """Writes a second of all writers, and of the floor."""
        ours, floor = [], []
        for _ in range(rounds):
            start_s = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for client in clients:
                    group.create_task(self._several(client, _WRITES_PER_ROUND // _WRITERS))
            ours.append(_WRITES_PER_ROUND / (time.perf_counter() - start_s))
            await asyncio.sleep(_PAUSE_S)
            floor.append(self._rewrite_rate())
        return ours, floor

    async def _several(self, client: Connection, writes: int) -> None:
        for _ in range(writes):
            await self._write(client)

    async def _write(self, client: Connection) -> None:
        turn = next(self._turns)
        path = f"/api/environments/{environment_id((turn * 7919) % self._environments)}"
        # Never the upstream that the environment has: each write changes the document.
        moved = {"metadata": {"router": {"service_url": f"http://127.0.0.1:{10 + turn % 60_000}"}}}
        await client.ask(patch(path, moved))

    def _rewrite(self) -> float:
        content = self._file.read_bytes()
        start_s = time.perf_counter()
        rewrite_durably(self._beside, content)
        return (time.perf_counter() - start_s) * 1000

    def _rewrite_rate(self) -> float:
        content, done = self._file.read_bytes(), 0
        start_s = time.perf_counter()
        while time.perf_counter() - start_s < _FLOOR_S:
            rewrite_durably(self._beside, content)
            done += 1
        return done / (time.perf_counter() - start_s)


BENCHMARK = Benchmark(
    "writes",
    "one PATCH at N → answered, durable, document ready; 64 writers at once",
    "durable rewrite of the same bytes, one for each write",
    measure,
    quick=((1000,), 3),
    full=((100, 1000, 10_000), 15),
)

if __name__ == "__main__":
    alone(BENCHMARK)
