"""Writes that fail, are refused or lose their caller: nothing else is lost with them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from registry.errors import DiskFull, RegistryError, RouteConflict
from registry.snapshot import Snapshot
from registry.writer import Refusal
from tests.records import record
from tests.unit.fakes import WatchedEngine, held, settled, slugs_and_names, store_over

ONE, TWO = record(slug="one", name="One"), record(slug="two", name="Two")


async def test_a_full_disk_fails_the_writes_and_changes_nothing() -> None:
    engine = WatchedEngine(ONE)
    store = store_over(engine)
    before = await store.load()
    engine.failure = DiskFull("no room")
    outcomes = await asyncio.gather(
        store.patch("one", {"name": "A"}), store.create(TWO), return_exceptions=True
    )
    assert [type(each) for each in outcomes] == [DiskFull, DiskFull]
    assert await store.load() is before
    engine.failure = None
    await store.create(TWO)
    assert await slugs_and_names(engine) == {"one": "One", "two": "Two"}


async def test_a_caller_that_goes_away_does_not_stop_the_commit() -> None:
    engine = WatchedEngine()
    store = store_over(engine)
    begun, go = held(engine)
    write = asyncio.create_task(store.create(ONE))
    await begun.wait()
    write.cancel()
    with pytest.raises(asyncio.CancelledError):
        await write
    go.set()
    await store.create(TWO)
    assert await slugs_and_names(engine) == {"one": "One", "two": "Two"}


async def test_a_caller_that_goes_away_while_waiting_takes_no_other_with_it() -> None:
    engine = WatchedEngine()
    store = store_over(engine)
    begun, go = held(engine)
    first = asyncio.create_task(store.create(ONE))
    await begun.wait()
    waiting = [asyncio.create_task(store.create(record(slug=slug))) for slug in ("two", "three")]
    await asyncio.sleep(0)
    waiting[0].cancel()
    go.set()
    await asyncio.gather(first, waiting[1])
    await settled(lambda: waiting[0].cancelled())
    assert {"one", "three"} <= (await slugs_and_names(engine)).keys()


async def test_what_admission_refuses_is_not_written_and_the_rest_is() -> None:
    seen: list[tuple[int, int]] = []

    def admission(before: Snapshot, after: Snapshot) -> Iterator[Refusal]:
        seen.append((len(before.environments), len(after.environments)))
        for each in after.environments:
            if each.slug == "evil":
                yield Refusal(each.environment_id, RouteConflict("refused"))

    engine = WatchedEngine()
    store = store_over(engine, admission=admission)
    outcomes = await asyncio.gather(
        *(store.create(record(slug=slug)) for slug in ("one", "evil", "two")),
        return_exceptions=True,
    )
    assert [isinstance(each, RegistryError) for each in outcomes] == [False, True, False]
    assert (await slugs_and_names(engine)).keys() == {"one", "two"}
    assert set(seen) == {(0, 1), (1, 2)}


async def test_a_write_that_changes_nothing_asks_nobody_and_commits_nothing() -> None:
    def admission(_before: Snapshot, _after: Snapshot) -> Iterator[Refusal]:
        raise AssertionError("there is nothing to judge")

    engine = WatchedEngine(ONE)
    store = store_over(engine, admission=admission)
    assert (await store.patch("one", {"name": "One"})).name == "One"
    assert engine.commits == []
    assert json.loads((await engine.texts())[0]) == ONE
