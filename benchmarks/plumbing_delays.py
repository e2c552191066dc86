"""How long until the world outside is seen: certificates, DNS, health.

    python benchmarks/plumbing_delays.py --times 5 --survey-s 2

The daemon in this process, a real Traefik, a real name server on loopback, an upstream that can be
told to fail. Each row is measured `--times` times, at random phases of the survey:

  certificate  both files of a pair replaced, until a TLS handshake through Traefik presents it
  DNS          a record added to the zone, until the human task about the name is closed
  down         the upstream fails, until `health.status` is `offline` (three bad answers)
  back         it answers again, until the status is `healthy` (two good ones)

The last three go with `ROUTEBOOK_SURVEY_S`: they are shown in surveys as well.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.records import pair, put, serial
from tests.e2e.stage import Stage, stage_in
from tests.name_server import NameServer, name_server

_LOOK_AGAIN_S = 0.002
_GIVE_UP_S = 600.0


def main() -> None:
    """Measure, and print a table."""
    options = _options()
    samples = asyncio.run(_measure(options.times, options.survey_s))
    print(f"{'what':<13}{'median':>11}{'worst':>11}{'surveys':>10}")
    for what, seconds in samples.items():
        median_s, surveys = (
            statistics.median(seconds),
            statistics.median(seconds) / options.survey_s,
        )
        shown = "" if what == "certificate" else f"{surveys:.1f}"
        print(f"{what:<13}{median_s:>9.3f} s{max(seconds):>9.3f} s{shown:>10}")
    if options.json:
        options.json.write_text(json.dumps({"survey_s": options.survey_s, **samples}, indent=2))


async def _measure(times: int, survey_s: float) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="routebook-bench-")))
        names = await stack.enter_async_context(name_server({}))
        service = await stack.enter_async_context(_Service().serving())
        stage = await stack.enter_async_context(
            stage_in(folder, f"--survey-s={survey_s}", f"--dns-server={names.address}")
        )
        await _prepare(stage, service)
        for number in range(times):
            samples["certificate"].append(await _certificate(stage))
            samples["DNS"].append(await _dns(stage, names, number, survey_s))
            service.is_good = False
            samples["down"].append(await _timed(lambda: _has_status(stage, "offline")))
            await asyncio.sleep(random.uniform(0, survey_s))
            service.is_good = True
            samples["back"].append(await _timed(lambda: _has_status(stage, "healthy")))
            await asyncio.sleep(random.uniform(0, survey_s))
    return dict(samples)


@dataclass
class _Service:
    """What `health.url` leads to."""

    is_good: bool = True
    url: str = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[_Service]:
        """On a free port of loopback."""
        app = web.Application()
        app.router.add_get("/", self.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
            yield self
        finally:
            await runner.cleanup()

    async def answer(self, _request: web.Request) -> web.Response:
        """Good or bad, as it is told."""
        return web.Response(status=200 if self.is_good else 503)


async def _prepare(stage: Stage, service: _Service) -> None:
    _put_pair(stage)
    tls = {"cert_file": "bench.crt", "key_file": "bench.key"}
    await stage.expose("bench", entrypoints=["websecure"], tls=tls)
    await stage.patch("bench", {"health": {"status": "healthy", "url": service.url}})
    await _timed(lambda: _has_status(stage, "healthy"))


def _put_pair(stage: Stage) -> int:
    certificate, key = pair("bench.test")
    put(stage.certs / "bench.crt", certificate)
    put(stage.certs / "bench.key", key)
    return serial(certificate)


async def _certificate(stage: Stage) -> float:
    wanted = _put_pair(stage)

    async def presented() -> bool:
        return serial((await stage.https("bench.test")).certificate) == wanted

    return await _timed(presented)


async def _dns(stage: Stage, names: NameServer, number: int, survey_s: float) -> float:
    slug = f"named-{number}"
    await stage.create(slug, state="planned")
    await _timed(lambda: _has_task(stage, slug, "open"))
    await asyncio.sleep(random.uniform(0, survey_s))
    names.zone[f"{slug}.test"] = ["192.0.2.1"]
    return await _timed(lambda: _has_task(stage, slug, "closed"))


async def _has_task(stage: Stage, slug: str, state: str) -> bool:
    query = f"environment={slug}&kind=dns_missing&state={state}"
    return bool((await stage.get(f"/api/human-tasks?{query}"))["tasks"])


async def _has_status(stage: Stage, status: str) -> bool:
    return bool((await stage.get("/api/environments/bench"))["health"]["status"] == status)


async def _timed(check: Callable[[], Awaitable[bool]]) -> float:
    start_s = time.perf_counter()
    async with asyncio.timeout(_GIVE_UP_S):
        while not await check():
            await asyncio.sleep(_LOOK_AGAIN_S)
    return time.perf_counter() - start_s


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--survey-s", type=float, default=2.0, help="ROUTEBOOK_SURVEY_S")
    parser.add_argument("--json", type=Path, help="write every sample to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
