"""One change with N existing routes: Routebook beside two other programs that write for Traefik.

Each of the others is installed from PyPI into an environment of its own under the temporary folder
and asked, in its own process, for one changed route until its whole dynamic file is written
(`other_programs_process.py`, by their own public steps, without a Traefik to wait for and without
a database). Like for like is our renderer in a process of its own (`rendering_process.py`): body
and gzip ready, and the body in a file too. Beside it stands a whole PATCH, until it is answered and
a held poll has the document; a request, the history and the kept file are in our time alone there.
All data are on the same RAM disk where there is one, so that no fsync tells them apart: the others
make none.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
from catalogue import environment_id, write_catalogue
from polling import Poll, quiet_s
from processes import daemon, script
from results import Benchmark, Goal, Result, alone

_OTHERS = (  # what PyPI has, and the file that it writes: the first two by its name
    ("jupyterhub-traefik-proxy", "2.1.0", "rules.toml"),
    ("jupyterhub-traefik-proxy", "2.1.0", "rules.yaml"),
    ("traefik-control-plane", "0.1.0", "dynamic.yml"),
)
_BESIDE = ("ruamel.yaml",)  # what the first needs to write YAML
_RAM_DISK = Path("/dev/shm")
_READY = "one change → body and gzip ready"
_WRITTEN = "one change → body in a file too"
_BY_PATCH = "one PATCH → answered, and at a held poll"
_GOAL = Goal(at_most=1 / 500, environments=10_000)
_WAYS = {_READY: _GOAL, _WRITTEN: _GOAL, _BY_PATCH: Goal()}
_OURS_PER_TURN = 3


class _NotThere(Exception):
    """The other program cannot be installed, or does not run."""


async def measure(environments: int, repeats: int) -> list[Result]:
    """Changes of ours before each change of the others."""
    async with _ours(environments) as (folder, by_patch):
        rows = []
        for package, version, file in _OTHERS:
            samples: dict[str, list[float]] = defaultdict(list)
            floor, failed = list[float](), ""
            try:
                python = await _installed(package, f"{package}=={version}", *_BESIDE)
                for _ in range(repeats):
                    for what, took_ms in (await _rendered(folder, environments)).items():
                        samples[what] += took_ms
                    samples[_BY_PATCH] += [await by_patch() for _ in range(_OURS_PER_TURN)]
                    floor += await _other(python, package, folder / file, environments)
            except _NotThere as error:
                failed = str(error)
            beside = f"beside {package} {version} ({file})"
            rows += [
                Result("other_programs", f"{what}, {beside}", environments, "ms", samples[what],
                       "its change, file written", floor, goal,
                       note=_times(samples[what], floor), skipped=failed)
                for what, goal in _WAYS.items()
            ]  # fmt: skip
        return rows


@asynccontextmanager
async def _ours(environments: int) -> AsyncIterator[tuple[Path, Callable[[], Awaitable[float]]]]:
    """A folder on the RAM disk, and a change by PATCH at a daemon that has its data there."""
    place = _RAM_DISK if _RAM_DISK.is_dir() else None
    async with AsyncExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="routebook-bench-", dir=place)
        folder = Path(stack.enter_context(temporary))
        write_catalogue(folder, environments)
        server = await stack.enter_async_context(daemon(folder, "--hold-s=60"))
        session = await stack.enter_async_context(aiohttp.ClientSession(server.url))
        poll = await Poll.of(server.port)
        stack.callback(poll.close)
        turns = itertools.count()

        async def by_patch() -> float:
            return await _change(session, poll, environments, next(turns))

        await by_patch()  # the first finds nothing warm
        yield folder, by_patch


async def _rendered(folder: Path, environments: int) -> dict[str, list[float]]:
    """A changed record rendered in a process of its own."""
    arguments = (str(folder / "ours.json"), str(environments), str(_OURS_PER_TURN))
    code, output, errors = await _run(*script("rendering_process.py"), *arguments)
    if code:
        raise RuntimeError(errors)
    took_ms = json.loads(output)
    return {_READY: took_ms["ready"], _WRITTEN: took_ms["written"]}


def _times(ours: list[float], floor: list[float]) -> str:
    """The other way round: by how much we are faster."""
    if not ours or not floor:
        return ""
    return f"{statistics.median(floor) / statistics.median(ours):,.3g} × as fast"


async def _change(
    session: aiohttp.ClientSession, poll: Poll, environments: int, number: int
) -> float:
    waiting = asyncio.create_task(poll.next())
    await asyncio.sleep(quiet_s(environments))
    path = f"/api/environments/{environment_id(number % environments)}"
    patch = {"metadata": {"router": {"service_url": f"http://127.0.0.1:{number + 10}"}}}
    start_s = time.perf_counter()
    async with session.patch(path, json=patch) as response:
        response.raise_for_status()
        await response.read()
    answered_s = time.perf_counter()
    return (max(answered_s, await waiting) - start_s) * 1000


async def _other(python: Path, package: str, file: Path, environments: int) -> list[float]:
    code, output, errors = await _run(
        str(python), script("other_programs_process.py")[1], package, str(file), str(environments)
    )
    if code:
        raise _NotThere(f"{package}: {errors.strip().splitlines()[-1:]}")
    return [float(each) for each in json.loads(output.splitlines()[-1])]


def environments_folder() -> Path:
    """Where the others are installed: kept between runs, outside the tree."""
    return Path(tempfile.gettempdir()) / f"routebook-bench-others-{os.getuid()}"


async def _installed(name: str, *requirements: str) -> Path:
    """The Python that has them. Raises _NotThere."""
    folder = environments_folder() / name
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists() or done.read_text() != repr(requirements):
        for command in (
            (sys.executable, "-m", "venv", "--clear", str(folder)),
            (str(python), "-m", "pip", "install", "--quiet", *requirements),
        ):
            code, _, errors = await _run(*command)
            if code:
                raise _NotThere(f"cannot install {name}: {errors.strip()[-120:]!r}")
        done.write_text(repr(requirements))
    return python


async def _run(*command: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode(), errors.decode()


BENCHMARK = Benchmark(
    "other_programs",
    "one change with N existing routes, body and gzip ready",
    "jupyterhub-traefik-proxy 2.1 and traefik-control-plane 0.1, from PyPI, writing their files",
    measure,
    quick=((1000,), 1),
    full=((100, 1000, 10_000), 3),
)

if __name__ == "__main__":
    alone(BENCHMARK)
