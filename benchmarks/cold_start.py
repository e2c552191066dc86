"""A daemon that starts: without any cache until the first document, and with its last one.

Each sample is a fresh process that has imported everything before its clock starts
(`cold_start_process.py`); floor and daemon are processes of their own, in turns. `first start` has
the catalogue alone, so it also writes the first history; `without cache` has the history but
nothing else in `state/`; `kept document` has all that the daemon left, and for its floor the
document is read as a plain file.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import shutil
import tempfile
from pathlib import Path

from catalogue import write_catalogue
from processes import daemon, script, without_settings
from results import Benchmark, Goal, Result, alone

_HISTORY = "history"
_KEPT = "state/document.json.gz"


async def measure(environments: int, repeats: int) -> list[Result]:
    """Starts of three kinds, each in turn with its floor."""
    with tempfile.TemporaryDirectory(prefix="routebook-bench-") as name:
        folder = Path(name)
        file = write_catalogue(folder, environments)
        async with daemon(folder):
            await asyncio.sleep(1)
        left = folder / "left"
        shutil.copytree(folder / "data", left)
        plain = folder / "document.json"
        plain.write_bytes(gzip.decompress((left / _KEPT).read_bytes()))
        rows = []
        parse = "parse", str(left / file.name), "read + json.loads"
        read = "read", str(plain), "reading it, not compressed"
        for what, goal, (act, path, floor_is) in (
            ("first start", Goal(), parse),
            ("without cache", Goal(at_most=4, environments=10_000), parse),
            ("kept document", Goal(at_most=2, environments=10_000), read),
        ):
            ours, beside = [], []
            for _ in range(repeats):
                _prepare(folder, left, what)
                ours.append(await _run("serve", str(folder)))
                beside.append(await _run(act, path))
            title = f"cold start, {what} → first document"
            rows.append(
                Result("cold_start", title, environments, "ms", ours, floor_is, beside, goal)
            )
        return rows


def _prepare(folder: Path, left: Path, what: str) -> None:
    """The data folder as it would be found."""
    shutil.rmtree(folder / "data")
    shutil.copytree(left, folder / "data")
    if what == "kept document":
        return
    for each in (folder / "data/state").iterdir():
        if what == "first start" or not each.name.startswith(_HISTORY):
            with contextlib.suppress(IsADirectoryError, PermissionError):
                each.unlink()
            shutil.rmtree(each, ignore_errors=True)


async def _run(*arguments: str) -> float:
    process = await asyncio.create_subprocess_exec(
        *script("cold_start_process.py"),
        *arguments,
        env=without_settings(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return float(output.split()[-1])


BENCHMARK = Benchmark(
    "cold_start",
    "a daemon that starts at N → first document, without cache and with the kept document",
    "read + json.loads of the catalogue; reading the kept document",
    measure,
    quick=((1000,), 2),
    full=((100, 1000, 10_000), 7),
)

if __name__ == "__main__":
    alone(BENCHMARK)
