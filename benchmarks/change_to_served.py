"""How long from a change until Traefik serves it: Routebook beside two other ways.

    python benchmarks/change_to_served.py --environments 10 1000 --changes 30

Three Traefiks run at once, each with the static configuration that we advise (throttle 100 ms),
over the same content, with the same default certificate given:

  a  Routebook as shipped: the daemon as a process of its own, Traefik's poll held by it. The
     change is a PATCH of one environment's `service_url`; its durable write, its rendering and
     the poll are part of the time.
  b  Traefik's own file provider: the rendered document, changed and ready in memory, is written
     beside the file and renamed onto it.
  c  A plain HTTP endpoint, never held, polled at the same interval as `a`: the changed document
     is ready in memory and swapped in.

A change moves one environment, another each time, between two upstreams. The time goes from just
before the change is sent to the first answer of the new upstream through Traefik, asked for every
millisecond or so. The ways take turns (a b c a b c ...), after a random pause of 1.2 to 2.2 s, so
that no change waits for Traefik's throttle and polls are met at any phase. The first change of
each way is not counted. `b` and `c` have their bytes ready before the clock starts, `a` has not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from ways import Change, Way, all_ways, environment_id, write_catalogue

from provider.demo.traefik_process import traefik_binary
from provider.demo.upstreams import upstream

_PAUSE_S = (1.2, 2.2)
_SERVED_S = 60.0
_ASK_AGAIN_S = 0.001


def main() -> None:
    """Measure, print, and write the samples where asked to."""
    options = _options()
    results = [
        row
        for environments in options.environments
        for row in asyncio.run(_measure(environments, options.changes, options.poll_interval))
    ]
    _print(results)
    if options.json:
        report = {**surroundings(), **vars(options), "json": None, "results": results}
        options.json.write_text(json.dumps(report, indent=2) + "\n")


async def _measure(environments: int, changes: int, poll_interval: str) -> list[dict[str, Any]]:
    """One row a way, with its samples."""
    samples: dict[str, list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routebook-bench-")))
        urls = {
            name: f"http://127.0.0.1:{await stack.enter_async_context(upstream(name))}"
            for name in ("blue", "green")
        }
        write_catalogue(folder, environments, urls["blue"])
        session = await stack.enter_async_context(aiohttp.ClientSession())
        ways = await stack.enter_async_context(all_ways(folder, session, poll_interval))
        on_green: set[int] = set()
        for turn in range(changes + 1):
            number = random.randrange(environments)
            name = "blue" if number in on_green else "green"
            on_green ^= {number}
            for way in ways:
                await asyncio.sleep(random.uniform(*_PAUSE_S))
                change = way.prepare(environment_id(number), urls[name])
                took_ms = await _timed(session, way, change, f"{environment_id(number)}.test", name)
                if turn:
                    samples[way.name].append(round(took_ms, 2))
    return [_row(environments, name, each) for name, each in samples.items()]


async def _timed(
    session: aiohttp.ClientSession, way: Way, change: Change, host: str, name: str
) -> float:
    """Milliseconds from sending the change to the first answer of the upstream `name`."""
    url = f"http://127.0.0.1:{way.proxy.web}/"
    async with asyncio.timeout(_SERVED_S):
        start_s = time.perf_counter()
        sent = asyncio.ensure_future(change())
        while not await answers(session, url, host, name):
            await asyncio.sleep(_ASK_AGAIN_S)
        took_s = time.perf_counter() - start_s
        await sent
    return took_s * 1000


async def answers(session: aiohttp.ClientSession, url: str, host: str, name: str) -> bool:
    """Whether this upstream answers a request through Traefik."""
    async with session.get(url, headers={"Host": host}) as response:
        await response.read()
        return response.headers.get("X-Upstream") == name


def _row(environments: int, way: str, samples_ms: list[float]) -> dict[str, Any]:
    return {
        "environments": environments,
        "way": way,
        "median_ms": round(statistics.median(samples_ms), 2),
        "worst_ms": max(samples_ms),
        "samples_ms": samples_ms,
    }


def _print(results: list[dict[str, Any]]) -> None:
    print(f"{'environments':>12}  {'way':<26}{'median':>11}{'worst':>12}{'to Routebook':>15}")
    for row in results:
        first = next(r for r in results if r["environments"] == row["environments"])
        ratio = row["median_ms"] / first["median_ms"]
        print(
            f"{row['environments']:>12}  {row['way']:<26}{row['median_ms']:>8.1f} ms"
            f"{row['worst_ms']:>9.1f} ms{ratio:>13.1f} x"
        )


def surroundings() -> dict[str, Any]:
    """What the numbers depend on."""
    version = subprocess.run([traefik_binary(), "version"], capture_output=True, text=True)
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "traefik": version.stdout.split()[1] if version.stdout else "unknown",
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "load_average_1_min": round(os.getloadavg()[0], 2),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--environments", type=count, nargs="+", default=[10, 1000])
    parser.add_argument("--changes", type=count, default=30, help="of each way")
    parser.add_argument("--poll-interval", default="1s", help="Traefik's, for a and c")
    parser.add_argument("--json", type=Path, help="write every sample to this file")
    return parser.parse_args()


def count(text: str) -> int:
    """A positive whole number."""
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


if __name__ == "__main__":
    main()
