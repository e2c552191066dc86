"""Reloads that changes cause in Traefik, counted by Traefik: `traefik_config_reloads_total`.

One Traefik with its metrics on, static configuration as advised. Changes that it can see are made
one by one, each waiting until it is served; 100 more are sent at once and answered within a second;
then the health and the notes of environments are changed, which no route depends on.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from catalogue import environment_id, write_catalogue
from processes import daemon
from results import Benchmark, Goal, Result, alone

from provider.demo.traefik_process import traefik

_RELOADS = re.compile(r"^traefik_config_reloads_total(?:\{.*\})? (\S+)", re.MULTILINE)
_CHANGES = 10
_BURST = 100
_QUIET_S = 2.0


async def measure(environments: int, repeats: int) -> list[Result]:
    """Rounds of single changes, a burst, and changes of health and notes."""
    single, burst, burst_s, unseen = [], [], [], []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routebook-bench-")))
        write_catalogue(folder, environments)
        stopping = await stack.enter_async_context(AsyncExitStack())
        server = await stopping.enter_async_context(daemon(folder))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        proxy = await stack.enter_async_context(
            traefik(f"{server.url}/traefik/config", folder / "traefik", change=_with_metrics)
        )
        stack.push_async_callback(stopping.aclose)
        counting = _Counting(
            session, server.url, f"http://127.0.0.1:{proxy.api}/metrics", environments
        )
        await asyncio.sleep(_QUIET_S)
        for _ in range(repeats):
            single.append(await counting.of(counting.one_by_one()) / _CHANGES)
            start_s = time.perf_counter()
            burst.append(await counting.of(counting.at_once()))
            burst_s.append(time.perf_counter() - start_s - _QUIET_S)
            unseen.append(await counting.of(counting.without_routes()))
    took = f"sent at once, answered in {max(burst_s):.1f} s"
    return [
        Result("reloads", "reloads of Traefik for each visible change", environments, "reloads",
               single, goal=Goal(at_least=1, at_most=1)),
        Result("reloads", f"reloads for a burst of {_BURST} changes", environments, "reloads",
               burst, goal=Goal(at_most=2), note=took),
        Result("reloads", f"reloads for {2 * _CHANGES} changes of health and notes", environments,
               "reloads", unseen, goal=Goal(at_most=0)),
    ]  # fmt: skip


class _Counting:
    def __init__(
        self, session: aiohttp.ClientSession, api: str, metrics: str, environments: int
    ) -> None:
        self._session, self._api, self._metrics = session, api, metrics
        self._environments, self._turn = environments, 0

    async def of(self, changes: Coroutine[Any, Any, None]) -> float:
        """The reloads that these changes caused, until some time after them."""
        before = await self._reloads()
        await changes
        await asyncio.sleep(_QUIET_S)
        return await self._reloads() - before

    async def one_by_one(self) -> None:
        """Visible changes, each served before the next."""
        for _ in range(_CHANGES):
            await self._move()
            await asyncio.sleep(_QUIET_S / 2)

    async def at_once(self) -> None:
        """A burst of visible changes."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_BURST):
                group.create_task(self._move())

    async def without_routes(self) -> None:
        """Changes that no route depends on."""
        for number in range(_CHANGES):
            self._turn += 1
            health = {"status": ("healthy", "degraded")[number % 2], "notes": f"note {self._turn}"}
            await self._patch({"health": health})
            await self._patch({"lifecycle": {"notes": f"note {self._turn}"}})

    async def _move(self) -> None:
        self._turn += 1
        url = f"http://127.0.0.1:{10 + self._turn}"
        await self._patch({"metadata": {"router": {"service_url": url}}})

    async def _patch(self, patch: dict[str, Any]) -> None:
        name = environment_id(self._turn % self._environments)
        url = f"{self._api}/api/environments/{name}"
        async with self._session.patch(url, json=patch) as response:
            response.raise_for_status()

    async def _reloads(self) -> float:
        async with self._session.get(self._metrics) as response:
            found = _RELOADS.search(await response.text())
        if found is None:
            raise RuntimeError("Traefik does not count its reloads")
        return float(found[1])


def _with_metrics(static: dict[str, Any]) -> None:
    static["metrics"] = {"prometheus": {}}


BENCHMARK = Benchmark(
    "reloads",
    "reloads in Traefik: one a visible change, few a burst, none for health and notes",
    "none: counted by Traefik itself",
    measure,
    quick=((1000,), 1),
    full=((1000, 10_000), 3),
)

if __name__ == "__main__":
    alone(BENCHMARK)
