"""Edits of the catalogue file by others are told, however they are made."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from registry.engines import json_file, watching
from registry.engines.json_file import JsonFileEngine
from registry.engines.watching import file_signature
from tests.file_times import save_in_the_time_of_before

CATALOGUE = '{"environments": [{"slug": "a"}]}'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A catalogue of one record."""
    path = tmp_path / "environments.json"
    path.write_text(CATALOGUE)
    return path


@pytest.fixture
async def engine(file: Path) -> AsyncIterator[JsonFileEngine]:
    """The engine over it."""
    opened = JsonFileEngine(file)
    yield opened
    await opened.aclose()


def in_place(file: Path, text: str) -> None:
    """Written over, as some editors do."""
    file.write_text(text)


def by_rename(file: Path, text: str) -> None:
    """Written beside it and renamed, as most do."""
    file.with_name("new").write_text(text)
    file.with_name("new").rename(file)


def by_a_swapped_link(file: Path, text: str) -> None:
    """As Kubernetes changes a mounted folder."""
    target = file.with_name(f"{len(list(file.parent.iterdir()))}.json")
    target.write_text(text)
    file.with_name("new").symlink_to(target.name)
    file.with_name("new").rename(file)


@pytest.mark.parametrize("edit", [in_place, by_rename, by_a_swapped_link])
async def test_what_others_do_to_the_file_is_told(
    engine: JsonFileEngine, file: Path, edit: Callable[[Path, str], None]
) -> None:
    seen, looking = await looked_at(engine)
    for n in itertools.count():  # the first ones may come before the watch stands
        edit(file, CATALOGUE.replace("a", f"a{n}"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await seen.wait()
        if seen.is_set():
            break
    await engine.aclose()
    await looking


async def test_an_edit_before_the_watch_stands_is_told_too(
    engine: JsonFileEngine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SAFETY_POLL_S", 0.02)
    seen, looking = await looked_at(engine)
    in_place(file, CATALOGUE.replace("a", "b"))
    try:
        async with asyncio.timeout(1):
            await seen.wait()
    finally:
        await engine.aclose()
        await looking


@pytest.mark.parametrize("edit", [in_place, save_in_the_time_of_before])
async def test_edits_that_the_kernel_does_not_tell_are_told_too(
    engine: JsonFileEngine,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    edit: Callable[[Path, str], None],
) -> None:
    async def never(*_args: object, **_options: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(json_file, "watch_folder", never)
    monkeypatch.setattr(watching, "SAFETY_POLL_S", 0.02)
    told = asyncio.Queue[str]()

    async def look_at_each_tick() -> None:
        async for _ in engine.ticks():
            told.put_nowait((await engine.load()).records[0].text)

    looking = asyncio.create_task(look_at_each_tick())
    for slug in ("b", "c", "d"):  # the first may be told by the start of the watch
        edit(file, CATALOGUE.replace('"a"', f'"{slug}"'))
        async with asyncio.timeout(5):
            while slug not in await told.get():
                pass
    await engine.aclose()
    await looking


async def looked_at(engine: JsonFileEngine) -> tuple[asyncio.Event, asyncio.Task[None]]:
    """What is set once a tick has led to another revision, and the task that looks for it."""
    before, seen = await engine.load(), asyncio.Event()

    async def look_at_each_tick() -> None:
        async for _ in engine.ticks():
            if (await engine.load()).revision != before.revision:
                seen.set()

    looking = asyncio.create_task(look_at_each_tick())
    await asyncio.sleep(0)
    return seen, looking


@pytest.mark.parametrize(
    "edit", [in_place, by_rename, by_a_swapped_link, save_in_the_time_of_before]
)
def test_the_signature_of_a_file_changes_with_each_edit(
    file: Path, edit: Callable[[Path, str], None]
) -> None:
    os.utime(file, (1e9, 1e9))
    before = file_signature(file)
    assert file_signature(file) == before
    edit(file, CATALOGUE.replace("a", "b"))
    assert file_signature(file) != before


def test_a_file_that_is_not_there_has_no_signature(tmp_path: Path) -> None:
    assert file_signature(tmp_path / "none") is None
    (tmp_path / "loop").symlink_to("loop")
    assert file_signature(tmp_path / "loop") is None


async def test_a_folder_that_was_replaced_is_told_of_when_it_is_watched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SAFETY_POLL_S", 0.02)
    (folder := tmp_path / "folder").mkdir()
    told = asyncio.Event()
    looking = asyncio.create_task(watching.watch_folder(folder, told.set))
    async with asyncio.timeout(5):
        await told.wait()
        told.clear()
        folder.rename(tmp_path / "old")
        await told.wait()
        told.clear()
        folder.mkdir()
        await told.wait()
    await watching.stopped([looking])
