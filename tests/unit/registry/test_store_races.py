"""Writes that meet other writes, hand edits and failing engines: nothing is lost or half done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from registry.errors import (
    EditedElsewhere,
    NotFound,
    RevisionConflict,
    SlugTaken,
)
from tests.records import merged, record
from tests.unit.fakes import WatchedEngine, decoded, held, slugs_and_names, store_over

ONE, TWO = record(slug="one", name="One"), record(slug="two", name="Two")


def edit(engine: WatchedEngine, index: int, value: Any) -> Callable[[], Awaitable[None]]:
    """A step: someone else writes this for one record."""
    return lambda: engine.edit_one(index, value)


async def test_many_writes_at_once_share_few_commits() -> None:
    engine = WatchedEngine()
    store = store_over(engine)
    begun, go = held(engine)
    first = asyncio.create_task(store.create(record(slug="first")))
    await begun.wait()
    others = [asyncio.create_task(store.create(record(slug=f"e{n}"))) for n in range(50)]
    # Each is waiting for its turn once it has run up to its first suspension.
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(first, *others)
    assert len(engine.commits) == 2
    assert len(await slugs_and_names(engine)) == 51


async def test_a_write_is_not_answered_before_its_commit() -> None:
    engine = WatchedEngine()
    store = store_over(engine)
    begun, go = held(engine)
    write = asyncio.create_task(store.create(record()))
    await begun.wait()
    assert not write.done()
    assert await slugs_and_names(engine) == {}
    go.set()
    await write
    assert await slugs_and_names(engine) == {"dev": "Nightshift dev"}


async def test_writes_that_share_a_commit_see_each_other() -> None:
    engine = WatchedEngine()
    store = store_over(engine)
    begun, go = held(engine)
    first = asyncio.create_task(store.create(ONE))
    await begun.wait()
    others = [
        store.create(TWO),
        store.patch("one", {"description": "text"}),
        store.patch("one", {"name": "Renamed"}),
        store.create(record(slug="two", environment_id="env-other")),
        store.patch("none", {"name": "Nobody"}),
    ]
    waiting = [asyncio.create_task(each) for each in others]
    await asyncio.sleep(0)
    go.set()
    outcomes = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert [type(each).__name__ for each in outcomes] == [
        *["Environment"] * 4,
        "SlugTaken",
        "NotFound",
    ]
    assert len(engine.commits) == 2
    assert await slugs_and_names(engine) == {"one": "Renamed", "two": "Two"}
    assert decoded(await engine.texts())[0]["description"] == "text"


async def test_a_hand_edit_of_another_record_is_merged() -> None:
    engine = WatchedEngine(ONE, TWO)
    engine.steps.append(edit(engine, 1, merged(TWO, {"name": "By hand"})))
    patched = await store_over(engine).patch("one", {"name": "By API"})
    assert patched.name == "By API"
    assert await slugs_and_names(engine) == {"one": "By API", "two": "By hand"}


async def test_a_hand_edit_of_the_same_record_is_not_overwritten() -> None:
    engine = WatchedEngine(ONE, TWO)
    engine.steps.append(edit(engine, 0, merged(ONE, {"description": "by hand"})))
    with pytest.raises(EditedElsewhere):
        await store_over(engine).patch("one", {"name": "By API"})
    assert decoded(await engine.texts()) == [merged(ONE, {"description": "by hand"}), TWO]


async def test_a_hand_edit_of_the_same_record_is_not_deleted_or_replaced() -> None:
    for write in ("delete", "replace"):
        engine = WatchedEngine(ONE)
        engine.steps.append(edit(engine, 0, merged(ONE, {"description": "by hand"})))
        arguments = ("one",) if write == "delete" else ("one", ONE)
        with pytest.raises(EditedElsewhere):
            await getattr(store_over(engine), write)(*arguments)
        assert decoded(await engine.texts()) == [merged(ONE, {"description": "by hand"})]


async def test_a_record_that_was_removed_by_hand_meanwhile_does_not_come_back() -> None:
    engine = WatchedEngine(ONE, TWO)
    engine.steps.append(lambda: engine.edit(TWO))
    with pytest.raises((EditedElsewhere, NotFound)):
        await store_over(engine).patch("one", {"name": "By API"})
    assert await slugs_and_names(engine) == {"two": "Two"}


async def test_a_slug_that_was_taken_by_hand_meanwhile_is_taken() -> None:
    engine = WatchedEngine(ONE)
    engine.steps.append(lambda: engine.edit(ONE, TWO))
    with pytest.raises(SlugTaken):
        await store_over(engine).create(record(slug="two", environment_id="env-late"))
    assert await slugs_and_names(engine) == {"one": "One", "two": "Two"}


async def test_of_writes_that_share_a_commit_only_the_one_that_was_overtaken_fails() -> None:
    engine = WatchedEngine(ONE, TWO)
    store = store_over(engine)
    begun, go = held(engine)
    first = asyncio.create_task(store.create(record(slug="first")))
    await begun.wait()
    engine.steps.append(edit(engine, 0, merged(ONE, {"name": "By hand"})))
    writes = [store.patch("one", {"name": "A"}), store.patch("two", {"name": "B"})]
    waiting = [asyncio.create_task(each) for each in writes]
    await asyncio.sleep(0)
    go.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    await first
    assert isinstance(outcomes[0], EditedElsewhere)
    assert await slugs_and_names(engine) == {
        "one": "By hand",
        "two": "B",
        "first": "Nightshift dev",
    }


async def test_a_write_is_tried_again_as_often_as_others_write() -> None:
    engine = WatchedEngine(ONE, TWO)
    for n in range(5):
        engine.steps.append(edit(engine, 1, merged(TWO, {"name": f"By hand {n}"})))
    await store_over(engine).patch("one", {"name": "By API"})
    assert await slugs_and_names(engine) == {"one": "By API", "two": "By hand 4"}


async def test_the_revision_is_judged_by_what_the_write_applies_to() -> None:
    engine = WatchedEngine(ONE)
    store = store_over(engine)
    revision = (await store.load()).environments[0].revision
    begun, go = held(engine)
    first = asyncio.create_task(store.create(TWO))
    await begun.wait()
    writes = [store.patch("one", {"name": each}, revision.__eq__) for each in ("A", "B")]
    waiting = [asyncio.create_task(each) for each in writes]
    await asyncio.sleep(0)
    go.set()
    won, lost = await asyncio.gather(*waiting, return_exceptions=True)
    await first
    assert not isinstance(won, BaseException)
    assert isinstance(lost, RevisionConflict)
    assert lost.facts["revision"] == won.revision
    assert (await slugs_and_names(engine))["one"] == "A"
