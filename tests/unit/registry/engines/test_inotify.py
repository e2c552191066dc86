"""Folders watched on the event loop: everything is told, nothing is told while idle."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from registry.engines.inotify import FolderEvents

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux'")


@pytest.fixture
async def events(tmp_path: Path) -> AsyncIterator[FolderEvents]:
    """Those of a folder and all below it."""
    with closing(FolderEvents(tmp_path, recursive=True)) as opened:
        yield opened


async def told(events: FolderEvents) -> None:
    """Returns when something was told; fails after a while."""
    async with asyncio.timeout(5):
        await events.next(0.001, 0.05)


async def test_a_file_that_is_written_is_told(events: FolderEvents, tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("a")
    await told(events)


async def test_a_file_in_a_folder_that_came_later_is_told(
    events: FolderEvents, tmp_path: Path
) -> None:
    (tmp_path / "later" / "below").mkdir(parents=True)
    await told(events)
    (tmp_path / "later" / "below" / "a.pem").write_text("a")
    await told(events)


async def test_what_came_with_a_new_folder_is_seen_by_who_looks_when_told(
    events: FolderEvents, tmp_path: Path
) -> None:
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "a.pem").write_text("a")
    await told(events)
    assert (tmp_path / "later" / "a.pem").exists()
    (tmp_path / "later" / "a.pem").write_text("b")
    await told(events)


async def test_a_burst_that_does_not_end_is_told_all_the_same(
    events: FolderEvents, tmp_path: Path
) -> None:
    async def write_for_ever() -> None:
        while True:
            (tmp_path / "a.pem").write_text("a")
            await asyncio.sleep(0)

    writing = asyncio.create_task(write_for_ever())
    await told(events)
    writing.cancel()


async def test_a_rename_to_the_file_is_told_at_once(tmp_path: Path) -> None:
    with closing(FolderEvents(tmp_path, file="a.json")) as events:
        (tmp_path / "new").write_text("a")
        (tmp_path / "new").rename(tmp_path / "a.json")
        async with asyncio.timeout(5):
            await events.next(quiet_s=3600, longest_s=3600)


async def test_a_rename_to_a_backup_is_told_only_when_nothing_more_comes(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("a")
    with closing(FolderEvents(tmp_path, file="a.json")) as events:
        told = asyncio.create_task(events.next(quiet_s=3600, longest_s=3600))
        (tmp_path / "a.json").rename(tmp_path / "a.json~")
        for _ in range(100):  # turns of the loop, in which the kernel's event is read
            await asyncio.sleep(0)
        assert not told.done()
        told.cancel()


async def test_a_folder_that_goes_is_told_and_known_to_be_gone(tmp_path: Path) -> None:
    folder = tmp_path / "goes"
    folder.mkdir()
    with closing(FolderEvents(folder)) as events:
        assert not events.is_gone
        folder.rmdir()
        await told(events)
        assert events.is_gone


async def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FolderEvents(tmp_path / "absent")
