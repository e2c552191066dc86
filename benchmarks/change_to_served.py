"""How long from a change until Traefik serves it: Routebook beside two other ways.

Three Traefiks run at once, each with the static configuration that we advise (throttle 100 ms),
over the same content, with the same default certificate given:

  a  Routebook as shipped: the daemon as a process of its own, Traefik's poll held by it. The
     change is a PATCH of one environment's `service_url`, in turns with a hand edit of another's
     in the catalogue's file. Durable write (of the PATCH), rendering and poll are in the time.
  b  Traefik's own file provider: the rendered document, changed and ready in memory, is written
     beside the file and renamed onto it.
  c  A plain HTTP endpoint, never held, polled every 5 s, which is Traefik's default: the changed
     document is ready in memory and swapped in.

A change moves one environment, another each time, between two upstreams. The time goes from just
before the change is sent to the first answer of the new upstream through Traefik, asked for every
millisecond or so. The ways take turns (a b c a b c ...), after a random pause of 1.2 to 2.2 s, so
that no change waits for Traefik's throttle, and of up to one poll more before `c`, so that its
polls are met at any phase. The first change of each way is not counted. `b` and `c` have their
bytes ready before the clock starts, `a` has not.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from contextlib import AsyncExitStack

import aiohttp
from catalogue import environment_id
from results import Benchmark, Goal, Result, alone
from ways import Change, Way, all_ways, answers, two_upstreams

_PAUSE_S = (1.2, 2.2)
_SERVED_S = 60.0
_ASK_AGAIN_S = 0.001
_PLAIN_POLL_S = 5.0
_GOALS = (Goal(at_most=1.1), Goal(at_most=1 / 20))


async def measure(environments: int, repeats: int) -> list[Result]:
    """Routebook beside each of the other ways."""
    async with AsyncExitStack() as stack:
        folder, urls = await stack.enter_async_context(two_upstreams(environments))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        ways = await stack.enter_async_context(all_ways(folder, session, _PLAIN_POLL_S))
        samples = await _samples(session, ways, environments, repeats, urls)
    *ours, floor, plain = samples.items()
    return [
        Result("change_to_served", f"{way} → first request served", environments, "ms",
               took_ms, name, beside, goal if environments <= 10 or goal.at_most > 1 else Goal())
        for way, took_ms in ours
        for (name, beside), goal in zip((floor, plain), _GOALS, strict=True)
    ]  # fmt: skip


async def _samples(
    session: aiohttp.ClientSession,
    ways: tuple[Way, ...],
    environments: int,
    repeats: int,
    urls: dict[str, str],
) -> dict[str, list[float]]:
    """Milliseconds of each way, by its name."""
    samples: dict[str, list[float]] = defaultdict(list)
    on_green: dict[str, set[int]] = defaultdict(set)
    for turn in range(repeats + 1):
        for way in ways:
            first, step = way.numbers
            number = random.randrange(first, environments, step)
            name = "blue" if number in on_green[way.name] else "green"
            on_green[way.name] ^= {number}
            await asyncio.sleep(random.uniform(*_PAUSE_S) + random.uniform(0, way.poll_s))
            change = way.prepare(environment_id(number), urls[name])
            took_ms = await _timed(session, way, change, f"{environment_id(number)}.test", name)
            if turn:
                samples[way.name].append(took_ms)
    return samples


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


BENCHMARK = Benchmark(
    "change_to_served",
    "a change at N → the first request that Traefik serves by it",
    "Traefik's file provider with the same content; a plain endpoint polled every 5 s",
    measure,
    quick=((10,), 2),
    full=((10, 1000, 10_000), 20),
)

if __name__ == "__main__":
    alone(BENCHMARK)
