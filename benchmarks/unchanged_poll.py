"""What an unchanged document costs: our held polls beside a Traefik that polls every 100 ms.

Two Traefiks run at once, with one document. One polls the daemon as advised and is held; the other
polls a plain endpoint of ready bytes, never held. In the same windows of time the CPU of the daemon
and of its Traefik together is set against the CPU of the other Traefik alone, without its endpoint.
What of it no daemon can save is shown by two more: one that polls the plain endpoint once in each
hold, and one that polls nobody and has the same routes from a file.
Polls are those that the daemon counts, in the longest hold that it allows (`HOLD_S`).
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiohttp import web
from catalogue import write_catalogue
from polling import Connection, request
from processes import FIRST_LOOK_S, cpu_s, daemon
from results import Benchmark, Goal, Result, alone
from ways import only_the_file, polling_every

from provider.demo.traefik_process import traefik

_WINDOW_S = 12.0
_HOLD_S = 4.0
_TRAEFIKS = ("held", "polling", "rare", "idle")
_POLLS = re.compile(rb"^routebook_polls_total (\S+)", re.MULTILINE)


async def measure(environments: int, repeats: int) -> list[Result]:
    """So many windows, all Traefiks in each."""
    used: dict[str, list[float]] = {name: [] for name in ("daemon", *_TRAEFIKS)}
    polls = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routebook-bench-")))
        write_catalogue(folder, environments)
        stopping = await stack.enter_async_context(AsyncExitStack())
        server = await stopping.enter_async_context(daemon(folder, f"--hold-s={_HOLD_S}"))
        connection = await Connection.to(server.port)
        stack.callback(connection.close)
        _, document = await connection.ask(request("/traefik/config?hold=0"))
        plain = await stack.enter_async_context(_plain(document))
        (file := folder / "dynamic.yml").write_bytes(document)
        pids = {"daemon": server.pid}
        for name, (url, change) in {
            "held": (f"{server.url}/traefik/config", polling_every("100ms")),
            "polling": (plain, polling_every("100ms")),
            "rare": (plain, polling_every(f"{_HOLD_S}s")),
            "idle": ("", only_the_file(file)),
        }.items():
            running = await stack.enter_async_context(traefik(url, folder / name, change=change))
            pids[name] = running.process.pid
        # The daemon goes first: Traefik does not end while a poll of its own is held.
        stack.push_async_callback(stopping.aclose)
        await asyncio.sleep(FIRST_LOOK_S)
        for _ in range(repeats):
            polls_before = await _polls(connection)
            before = {name: cpu_s(pid) for name, pid in pids.items()}
            await asyncio.sleep(_WINDOW_S)
            for name, pid in pids.items():
                used[name].append(100 * (cpu_s(pid) - before[name]) / _WINDOW_S)
            polls.append((await _polls(connection) - polls_before) * _HOLD_S / _WINDOW_S)
    return _results(environments, used, polls)


def _results(
    environments: int, used: Mapping[str, list[float]], polls: list[float]
) -> list[Result]:
    plain, unit = "a Traefik that polls every 100 ms, alone", "% of a core"
    together = [sum(each) for each in zip(used["daemon"], used["held"], strict=True)]
    what = "unchanged poll, CPU of"
    goal = Goal(at_most=0.01, environments=10_000)
    rows = {
        f"{what} the daemon and its Traefik": (together, goal),
        f"{what} the daemon alone": (used["daemon"], Goal()),
        f"{what} a Traefik that reads ready bytes once in a hold, alone": (used["rare"], Goal()),
        f"{what} a Traefik with the same routes that polls nobody, alone": (used["idle"], Goal()),
    }
    name = "unchanged_poll"
    return [
        *(
            Result(name, row, environments, unit, ours, plain, used["polling"], aim)
            for row, (ours, aim) in rows.items()
        ),
        Result(
            name, "polls for each HOLD_S of one Traefik", environments, "polls", polls,
            goal=Goal(at_most=1),
        ),
    ]  # fmt: skip


async def _polls(connection: Connection) -> float:
    _, metrics = await connection.ask(request("/metrics"))
    found = _POLLS.search(metrics)
    if found is None:
        raise RuntimeError("the daemon does not count its polls")
    return float(found[1])


@asynccontextmanager
async def _plain(document: bytes) -> AsyncIterator[str]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=document, content_type="application/json")

    app = web.Application()
    app.router.add_get("/config", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/config"
    finally:
        await runner.cleanup()


BENCHMARK = Benchmark(
    "unchanged_poll",
    "unchanged poll at N: CPU of daemon and Traefik, and polls for each HOLD_S",
    "a Traefik that polls a plain endpoint every 100 ms",
    measure,
    quick=((1000,), 1),
    full=((100, 10_000), 5),
)

if __name__ == "__main__":
    alone(BENCHMARK)
