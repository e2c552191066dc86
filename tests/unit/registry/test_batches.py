"""Declared records that meet other writes and hand edits: all or none, and nothing overwritten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from registry.errors import DiskFull, EditedElsewhere, RegistryError
from tests.records import merged, record
from tests.unit.fakes import WatchedEngine, held, slugs_and_names, store_over

ONE, TWO = record(slug="one", name="One"), record(slug="two", name="Two")


def edit(engine: WatchedEngine, index: int, value: Any) -> Callable[[], Awaitable[None]]:
    """A step: someone else writes this for one record."""
    return lambda: engine.edit_one(index, value)


async def test_a_batch_is_one_commit() -> None:
    engine = WatchedEngine()
    items = await store_over(engine).apply([record(slug=f"e{n}") for n in range(50)])
    assert len(engine.commits) == 1
    assert {item.action for item in items} == {"created"}


async def test_a_batch_that_changes_nothing_commits_nothing() -> None:
    engine = WatchedEngine(ONE, TWO)
    items = await store_over(engine).apply([ONE, TWO])
    assert [item.action for item in items] == ["unchanged", "unchanged"]
    assert engine.commits == []


async def test_an_edit_of_a_declared_record_in_the_last_moment_is_not_overwritten() -> None:
    engine = WatchedEngine(ONE, TWO)
    store = store_over(engine)
    await store.load()
    engine.steps = [edit(engine, 0, merged(ONE, {"name": "By hand"}))]
    with pytest.raises(EditedElsewhere):
        await store.apply([merged(ONE, {"name": "Declared"}), record(slug="new")])
    assert await slugs_and_names(engine) == {"one": "By hand", "two": "Two"}


async def test_an_edit_of_another_record_in_the_last_moment_is_kept() -> None:
    engine = WatchedEngine(ONE, TWO)
    store = store_over(engine)
    await store.load()
    engine.steps = [edit(engine, 1, merged(TWO, {"name": "By hand"}))]
    await store.apply([merged(ONE, {"name": "Declared"})])
    assert await slugs_and_names(engine) == {"one": "Declared", "two": "By hand"}


async def test_a_full_disk_leaves_every_record_as_it_was() -> None:
    engine = WatchedEngine(ONE)
    store = store_over(engine)
    engine.failure = DiskFull("no room")
    with pytest.raises(DiskFull):
        await store.apply([merged(ONE, {"name": "x"}), TWO])
    assert await slugs_and_names(engine) == {"one": "One"}
    assert [each.name for each in (await store.load()).environments] == ["One"]


async def test_a_refused_batch_leaves_the_writes_beside_it_alone() -> None:
    engine = WatchedEngine(ONE)
    store = store_over(engine)
    begun, go = held(engine)
    first = asyncio.create_task(store.patch("one", {"name": "First"}))
    await begun.wait()
    others = [
        asyncio.create_task(store.apply([TWO, record(slug="bad", name="")])),
        asyncio.create_task(store.create(record(slug="three", name="Three"))),
        asyncio.create_task(store.apply([record(slug=f"e{n}") for n in range(30)])),
    ]
    await asyncio.sleep(0)
    go.set()
    outcomes = await asyncio.gather(first, *others, return_exceptions=True)
    assert [isinstance(each, RegistryError) for each in outcomes] == [False, True, False, False]
    known = await slugs_and_names(engine)
    assert "two" not in known
    assert known["three"] == "Three"
    assert len(known) == 32


async def test_a_preview_holds_no_write_up_and_writes_nothing() -> None:
    engine = WatchedEngine(ONE)
    store = store_over(engine)
    dry = store.rehearsed()[0].apply([merged(ONE, {"name": "Dry"})])
    items, _ = await asyncio.gather(dry, store.patch("one", {"description": "x"}))
    assert [item.action for item in items] == ["changed"]
    assert len(engine.commits) == 1
    assert await slugs_and_names(engine) == {"one": "One"}
