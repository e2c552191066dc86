"""Fixtures: a folder, daemons as processes over it, and a small disk where we may mount one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.folder import Folder, record
from tests.chaos.serve import Serve

MakeServe = Callable[..., Serve]
DISK_BYTES = 512 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A catalogue with three records, one of them routed."""
    made = Folder(tmp_path / "lab")
    return made.make(record("one", routed=True), record("two"), record("three"))


@pytest.fixture
async def make_serve() -> AsyncIterator[MakeServe]:
    """Makes daemons that are not started yet; at the end all are stopped."""
    made: list[Serve] = []

    def make(folder: Folder, *flags: str, port: int = 0) -> Serve:
        made.append(Serve(folder, *flags, port=port))
        return made[-1]

    yield make
    for serve in made:
        await serve.kill()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a MiB of its own; skipped where mounting is not allowed."""
    place = tmp_path / "small-disk"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(["mount", *options], check=False).returncode != 0:
        pytest.skip("mounting a small file system takes root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
