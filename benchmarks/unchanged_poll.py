"""What an unchanged document costs: our held polls beside a Traefik that polls every 100 ms.

Two Traefiks run at once, with one document. One polls the daemon as advised and is held; the other
polls a plain endpoint of ready bytes, never held. In the same windows of time the CPU of the daemon
and of its Traefik together is set against the CPU of the other Traefik alone, without its endpoint.
What of it no daemon can save is shown by two more: one that polls the plain endpoint once in each
hold, and one that polls nobody and has the same routes from a file.
Polls are those that the daemon counts, in the longest hold that it allows (`HOLD_S`).

It is done twice: with the hold that a stock Traefik bears (its `pollTimeout` is 5 s), and with the
longest one, for which `pollTimeout` has to be longer too, as is advised for large catalogues.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from catalogue import write_catalogue
from polling import Connection, request
from processes import FIRST_LOOK_S, cpu_s, daemon
from results import Benchmark, Goal, Result, alone
from ways import only_the_file, polling_every

from provider.demo.traefik_process import traefik

_STOCK, _LONG = (4.0, 12.0), (60.0, 120.0)  # the hold, and a window of some holds, in seconds
_TRAEFIKS = ("held", "polling", "rare", "idle")
_POLLS = re.compile(rb"^routebook_polls_total (\S+)", re.MULTILINE)


async def measure(environments: int, repeats: int) -> list[Result]:
    """So many windows in the hold of a stock Traefik; in a long one, as many as take as long."""
    (_, short_s), (_, long_s) = _STOCK, _LONG
    several = max(1, round(repeats * short_s / long_s))
    stock = await _measure(environments, repeats, *_STOCK)
    return [*stock, *await _measure(environments, several, *_LONG)]


async def _measure(environments: int, windows: int, hold_s: float, window_s: float) -> list[Result]:
    """So many windows, all Traefiks in each."""
    used: dict[str, list[float]] = {name: [] for name in ("daemon", *_TRAEFIKS)}
    polls = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routebook-bench-")))
        write_catalogue(folder, environments)
        stopping = await stack.enter_async_context(AsyncExitStack())
        server = await stopping.enter_async_context(daemon(folder, f"--hold-s={hold_s}"))
        document = await _asked(server.port, "/traefik/config?hold=0")
        plain = await stack.enter_async_context(_plain(document))
        (file := folder / "dynamic.yml").write_bytes(document)
        pids = {"daemon": server.pid}
        for name, (url, change) in {
            "held": (f"{server.url}/traefik/config", _held(hold_s)),
            "polling": (plain, polling_every("100ms")),
            "rare": (plain, polling_every(f"{hold_s}s")),
            "idle": ("", only_the_file(file)),
        }.items():
            running = await stack.enter_async_context(traefik(url, folder / name, change=change))
            pids[name] = running.process.pid
        # The daemon goes first: Traefik does not end while a poll of its own is held.
        stack.push_async_callback(stopping.aclose)
        await asyncio.sleep(FIRST_LOOK_S)
        for _ in range(windows):
            polls_before = await _polls(server.port)
            before = {name: cpu_s(pid) for name, pid in pids.items()}
            await asyncio.sleep(window_s)
            for name, pid in pids.items():
                used[name].append(100 * (cpu_s(pid) - before[name]) / window_s)
            polls.append((await _polls(server.port) - polls_before) * hold_s / window_s)
    return _results(environments, used, polls, f"held {hold_s:g} s")


def _held(hold_s: float) -> Callable[[dict[str, Any]], None]:
    """One that polls again at once, and bears this hold."""

    def change(static: dict[str, Any]) -> None:
        polling_every("100ms")(static)
        static["providers"]["http"]["pollTimeout"] = f"{hold_s + 1:g}s"

    return change


def _results(
    environments: int, used: Mapping[str, list[float]], polls: list[float], held: str
) -> list[Result]:
    plain, unit = "a Traefik that polls every 100 ms, alone", "% of a core"
    together = [sum(each) for each in zip(used["daemon"], used["held"], strict=True)]
    what = f"unchanged poll, {held}: CPU of"
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
            name, f"unchanged poll, {held}: polls for each HOLD_S", environments, "polls", polls,
            goal=Goal(at_most=1),
        ),
    ]  # fmt: skip


async def _asked(port: int, path: str) -> bytes:
    connection = await Connection.to(port)
    try:
        return (await connection.ask(request(path)))[1]
    finally:
        connection.close()


async def _polls(port: int) -> float:
    found = _POLLS.search(await _asked(port, "/metrics"))
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
    "unchanged poll at N, in a short and a long hold: CPU of daemon and Traefik, and polls",
    "a Traefik that polls a plain endpoint every 100 ms",
    measure,
    quick=((1000,), 1),
    full=((100, 10_000), 5),
)

if __name__ == "__main__":
    alone(BENCHMARK)
