"""N environments behind one Traefik, 50 changes a second from 8 writers for a minute.

Half of the environments are changed, between two upstreams; the others are asked for through
Traefik all the while, and no request of theirs may fail. In the end every changed environment is
asked for, and must lead where its last change said. About once a second a change is a probe: it
adds a host name of its own, so that a second, held poller sees when the daemon has the document of
it, and a request through Traefik when it is served; what lies between is Traefik's share.

The daemon runs in `heartbeat.py`, whose beats tell for how long its loop was blocked; a process of
beats alone beside it tells what the machine takes from anybody. Some seconds of the same changes
come first and are not counted: look-ups are made at the first change, and stay in memory.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from catalogue import environment_id
from polling import Poll
from processes import Server, daemon_flags, script, server
from results import Benchmark, Goal, Result, alone
from ways import answers, two_upstreams

from provider.demo.traefik_process import free_port, traefik

_WRITERS = 8
_CHANGES_PER_S = 50
_PROBE_EVERY = 50
_UNCHANGED_PAUSE_S = 0.02
_SETTLED_S = 3.0
_WARM_UP_S = 10
_SERVED_S = 60.0


@dataclass
class _Seen:
    """What was counted while the changes were made."""

    changes: int = 0
    refused: int = 0
    asked: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    to_document_ms: list[float] = field(default_factory=list)
    to_served_ms: list[float] = field(default_factory=list)


async def measure(environments: int, repeats: int) -> list[Result]:
    """`repeats` are seconds of changes."""
    async with AsyncExitStack() as stack:
        folder, urls = await stack.enter_async_context(two_upstreams(environments))
        stopping = await stack.enter_async_context(AsyncExitStack())
        daemon = await stopping.enter_async_context(_with_heartbeat(folder))
        control = await stack.enter_async_context(_control())
        proxy = await stack.enter_async_context(
            traefik(f"{daemon.url}/traefik/config", folder / "traefik")
        )
        stack.push_async_callback(stopping.aclose)
        connector = aiohttp.TCPConnector(limit=0)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        run = _Run(environments, daemon, proxy.web, session, urls)
        await run.until_served(environment_id(environments - 1) + ".test", "blue")
        await run.go(_WARM_UP_S)  # what is made at the first changes stays
        run.seen = _Seen()
        await asyncio.sleep(_SETTLED_S)
        rss = [daemon.rss_bytes() / 1e6]
        for process in (daemon.process, control):
            process.send_signal(signal.SIGUSR1)  # count beats from here
        lost = await run.go(repeats)
        rss.append(daemon.rss_bytes() / 1e6)
        beats = [await _beats(process) for process in (daemon.process, control)]
    return _results(environments, repeats, run.seen, lost, rss, beats)


class _Run:
    def __init__(
        self,
        environments: int,
        daemon: Server,
        proxy: int,
        session: aiohttp.ClientSession,
        urls: dict[str, str],
    ) -> None:
        self._environments, self._daemon, self._proxy = environments, daemon, proxy
        self._session, self._urls = session, urls
        self._upstreams: dict[int, str] = {}
        self._writing = False
        self.seen = _Seen()

    async def go(self, seconds: int) -> int:
        """Change and ask; how many changes are not served in the end."""
        self._writing = True
        async with asyncio.TaskGroup() as group:
            unchanged = group.create_task(self._ask_unchanged())
            probes = group.create_task(self._probe())
            async with asyncio.TaskGroup() as writers:
                for writer in range(_WRITERS):
                    writers.create_task(self._write(writer, time.monotonic() + seconds))
            self._writing = False
            await probes
            unchanged.cancel()
        return await self._unserved()

    async def _write(self, writer: int, until_s: float) -> None:
        """One writer's changes, each to an environment of its own, at an even pace."""
        interval_s = _WRITERS / _CHANGES_PER_S
        next_s = time.monotonic() + interval_s * writer / _WRITERS
        while max(next_s, time.monotonic()) < until_s:
            await asyncio.sleep(max(0.0, next_s - time.monotonic()))
            next_s += interval_s
            number = random.randrange(writer, max(1, self._environments // 2), _WRITERS)
            name = "blue" if self._upstreams.get(number) == "green" else "green"
            if await self._patch(number, {"service_url": self._urls[name]}):
                self._upstreams[number] = name

    async def _patch(self, number: int, router: dict[str, Any]) -> bool:
        url = f"{self._daemon.url}/api/environments/{environment_id(number)}"
        async with self._session.patch(url, json={"metadata": {"router": router}}) as response:
            self.seen.changes += response.ok
            self.seen.refused += not response.ok
            return response.ok

    async def _ask_unchanged(self) -> None:
        """One after the other of those that nobody changes."""
        while True:
            number = random.randrange(self._environments // 2 + 1, self._environments)
            self.seen.asked += 1
            try:
                if not await self._leads(f"{environment_id(number)}.test", "blue"):
                    self.seen.failed["another answer"] += 1
            except aiohttp.ClientError as error:
                self.seen.failed[type(error).__name__] += 1
            await asyncio.sleep(_UNCHANGED_PAUSE_S)

    async def _probe(self) -> None:
        """Change after change with a host name that was never there before."""
        number, host = self._environments // 2, environment_id(self._environments // 2) + ".test"
        poll, probe = await Poll.of(self._daemon.port), 0
        while self._writing:
            probe += 1
            new = f"probe-{probe}.test"
            start_s = time.perf_counter()
            in_document = asyncio.create_task(_until_in_document(poll, new.encode()))
            served = asyncio.create_task(self.until_served(new, "blue"))
            await self._patch(number, {"hostnames": [host, new]})
            self.seen.to_document_ms.append((await in_document - start_s) * 1000)
            self.seen.to_served_ms.append((await served - start_s) * 1000)
            await asyncio.sleep(_PROBE_EVERY / _CHANGES_PER_S)
        poll.close()

    async def until_served(self, host: str, name: str) -> float:
        """When this host first led to this upstream."""
        async with asyncio.timeout(_SERVED_S):
            while not await self._leads(host, name):
                await asyncio.sleep(0.002)
        return time.perf_counter()

    async def _leads(self, host: str, name: str) -> bool:
        return await answers(self._session, f"http://127.0.0.1:{self._proxy}/", host, name)

    async def _unserved(self) -> int:
        """How many environments do not lead, in the end, where their last change said."""
        lost = 0
        for number, name in self._upstreams.items():
            try:
                await self.until_served(f"{environment_id(number)}.test", name)
            except TimeoutError:
                lost += 1
        return lost


async def _until_in_document(poll: Poll, wanted: bytes) -> float:
    at_s = time.perf_counter()  # it may be there before anybody looks
    while wanted not in (gzip.decompress(poll.last) if poll.last[:2] == b"\x1f\x8b" else poll.last):
        at_s = await poll.next()
    return at_s


@asynccontextmanager
async def _with_heartbeat(folder: Path) -> AsyncIterator[Server]:
    port = free_port()
    command = (*script("heartbeat.py"), *daemon_flags(folder, port))
    async with server(port, "/readyz", *command) as running:
        yield running


@asynccontextmanager
async def _control() -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *script("heartbeat.py"), stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _beats(process: asyncio.subprocess.Process) -> dict[str, float]:
    """What the heartbeat counted since SIGUSR1."""
    process.send_signal(signal.SIGUSR2)
    assert process.stdout is not None
    found: dict[str, float] = json.loads(await process.stdout.readline())
    return found


def _results(
    environments: int,
    seconds: int,
    seen: _Seen,
    lost: int,
    rss_mb: list[float],
    beats: list[dict[str, float]],
) -> list[Result]:
    share = [
        served - document
        for served, document in zip(seen.to_served_ms, seen.to_document_ms, strict=True)
    ]
    failed = ", ".join(f"{count} × {what}" for what, count in seen.failed.items())

    def row(
        what: str, unit: str, ours: list[float], goal: Goal | None = None, **more: Any
    ) -> Result:
        """One of this run."""
        what = f"at scale: {what}"
        return Result("at_scale", what, environments, unit, ours, goal=goal or Goal(), **more)

    none = Goal(at_most=0)
    worst, idle = ([each["worst_ms"]] for each in beats)
    note = f"{beats[0]['late']:g} beats of {beats[0]['beats']:g} over 50 ms"
    return [
        row("changes a second", "changes/s", [seen.changes / seconds],
            Goal(at_least=0.98 * _CHANGES_PER_S), note=f"{seen.refused} refused"),
        row("failed requests for unchanged routes", "requests", [float(seen.failed.total())], none,
            note=failed or f"of {seen.asked:,}"),
        row("changed routes not served in the end", "routes", [float(lost)], none),
        row("worst block of the event loop", "ms", worst, Goal(at_most=50),
            note=f"{note}; an idle loop beside it: {idle[0]:.0f} ms"),
        row("change → document at a held poller", "ms", seen.to_document_ms),
        row("change → served", "ms", seen.to_served_ms, floor=share,
            floor_is="Traefik's share of it: document → served"),
        row("resident memory at the end", "MB", [rss_mb[1]], Goal(at_most=1.1),
            floor=[rss_mb[0]], floor_is="at the start"),
    ]  # fmt: skip


BENCHMARK = Benchmark(
    "at_scale",
    "N environments, 50 changes a second from 8 writers, one Traefik; --repeats are seconds",
    "an idle event loop beside the daemon's; Traefik's own share of the delay",
    measure,
    quick=((1000,), 10),
    full=((10_000,), 60),
)

if __name__ == "__main__":
    alone(BENCHMARK)
