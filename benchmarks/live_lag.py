"""How long Routebook's word "live" lags the truth, and that it never runs ahead of it.

    python benchmarks/live_lag.py --environments 10 1000 --changes 30

The daemon as a process of its own, a real Traefik that polls it, as shipped, and which it looks at.
A change moves one environment between two upstreams, by a PATCH. Two clients then ask, each every
millisecond or so: one Traefik, until the new upstream answers (the truth); one Routebook, until
`Live` is `True`. In every second change the PATCH itself waits (`?wait=30`) in place of the second
client. The moment that Routebook says so, one request is sent through Traefik: if anything but the
new upstream answers it, Routebook ran ahead. That is counted, and must be 0.

Times go from just before the change is sent. `lag` is live minus served, change by change.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from catalogue import environment_id
from processes import daemon
from results import count, surroundings
from ways import answers, two_upstreams

from provider.demo.traefik_process import free_port, traefik

_PAUSE_S = (0.4, 0.9)
_ASK_AGAIN_S = 0.001
_SERVED_S = 60.0


@dataclass
class Samples:
    """Milliseconds of one way of asking, a change each, and how often it ran ahead."""

    served: list[float] = field(default_factory=list)
    live: list[float] = field(default_factory=list)
    ahead: int = 0

    def row(self, environments: int, way: str) -> dict[str, Any]:
        """The result."""
        lags = [live - served for live, served in zip(self.live, self.served, strict=True)]
        return {
            "environments": environments,
            "way": way,
            "changes": len(lags),
            "served_median_ms": round(statistics.median(self.served), 2),
            "live_median_ms": round(statistics.median(self.live), 2),
            "lag_median_ms": round(statistics.median(lags), 2),
            "lag_worst_ms": round(max(lags), 2),
            "ran_ahead": self.ahead,
        }


def main() -> None:
    """Measure, print, and write the results where asked to."""
    options = _options()
    rows = [
        row
        for environments in options.environments
        for row in asyncio.run(_measure(environments, options.changes))
    ]
    _print(rows)
    if options.json:
        report = {**surroundings(), "results": rows}
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    if any(row["ran_ahead"] for row in rows):
        raise SystemExit("Routebook ran ahead of the truth")


async def _measure(environments: int, changes: int) -> list[dict[str, Any]]:
    samples = {"asked for": Samples(), "?wait": Samples()}
    async with AsyncExitStack() as stack:
        folder, urls = await stack.enter_async_context(two_upstreams(environments))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        ports = free_port(), free_port(), free_port()
        stopping = await stack.enter_async_context(AsyncExitStack())
        known = f"--traefik-api=http://127.0.0.1:{ports[2]}"
        api = (await stopping.enter_async_context(daemon(folder, known))).url
        await stack.enter_async_context(
            traefik(f"{api}/traefik/config", folder / "traefik", ports=ports)
        )
        stack.push_async_callback(stopping.aclose)
        proxy = f"http://127.0.0.1:{ports[0]}/"
        while not await answers(session, proxy, f"{environment_id(0)}.test", "blue"):
            await asyncio.sleep(_ASK_AGAIN_S)
        on_green: set[int] = set()
        for turn in range(2 * changes):
            await asyncio.sleep(random.uniform(*_PAUSE_S))
            number = random.randrange(environments)
            name = "blue" if number in on_green else "green"
            on_green ^= {number}
            way = "asked for" if turn % 2 else "?wait"
            one = _OneChange(session, api, proxy, number, name, urls[name])
            await one.measure(samples[way], waits=way == "?wait")
    return [each.row(environments, way) for way, each in samples.items()]


@dataclass
class _OneChange:
    session: aiohttp.ClientSession
    api: str
    proxy: str
    number: int
    name: str
    url: str

    async def measure(self, samples: Samples, *, waits: bool) -> None:
        """One change, seen from both sides."""
        async with asyncio.timeout(_SERVED_S):
            start_s = time.perf_counter()
            served = asyncio.create_task(self._until_served())
            await self._until_live(waits=waits)
            live_s = time.perf_counter()
            samples.ahead += not await self._is_served()
            samples.live.append((live_s - start_s) * 1000)
            samples.served.append((await served - start_s) * 1000)

    async def _until_served(self) -> float:
        while not await self._is_served():
            await asyncio.sleep(_ASK_AGAIN_S)
        return time.perf_counter()

    async def _is_served(self) -> bool:
        host = f"{environment_id(self.number)}.test"
        return await answers(self.session, self.proxy, host, self.name)

    async def _until_live(self, *, waits: bool) -> None:
        one = f"{self.api}/api/environments/{environment_id(self.number)}"
        patch = {"metadata": {"router": {"service_url": self.url}}}
        query = "?wait=30" if waits else ""
        async with self.session.patch(one + query, json=patch) as response:
            response.raise_for_status()
            answer = await response.json()
        if waits:
            if not answer["routing"]["live"]:
                raise RuntimeError(answer["routing"])
            return
        while True:
            async with self.session.get(f"{one}/routing") as response:
                if (await response.json())["conditions"]["Live"]["status"] == "True":
                    return
            await asyncio.sleep(_ASK_AGAIN_S)


def _print(rows: list[dict[str, Any]]) -> None:
    print(f"{'environments':>12}  {'way':<10}{'served':>12}{'live':>12}{'lag':>12}{'worst lag':>12}"
          f"{'ran ahead':>14}")  # fmt: skip
    for row in rows:
        print(
            f"{row['environments']:>12}  {row['way']:<10}{row['served_median_ms']:>9.1f} ms"
            f"{row['live_median_ms']:>9.1f} ms{row['lag_median_ms']:>9.1f} ms"
            f"{row['lag_worst_ms']:>9.1f} ms{row['ran_ahead']:>7} of {row['changes']}"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--environments", type=count, nargs="+", default=[10, 1000])
    parser.add_argument("--changes", type=count, default=30, help="of each way of asking")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
