"""What every engine does, whatever it keeps records in."""

from __future__ import annotations

import asyncio
import json

import pytest

from registry.changes import Change
from registry.engines.protocol import Engine, Stale
from tests.contract.engines import Engines

A, B, C = '{"slug": "a"}', '{\n  "slug": "b",\n  "ü": [1.50]\n}', '{"slug":"c"}'


async def texts(engine: Engine) -> list[str]:
    """The stored texts, in order."""
    return [raw.text for raw in (await engine.load()).records]


async def values(engine: Engine) -> list[str]:
    """The stored slugs, in order."""
    return [json.loads(text)["slug"] for text in await texts(engine)]


async def commit(engine: Engine, *changes: tuple[int | None, str | None]) -> None:
    """Changes at the present revision; records are named by their position."""
    loaded = await engine.load()
    made = [Change(None if n is None else loaded.records[n].key, text) for n, text in changes]
    await engine.commit(made, loaded.revision)


async def test_without_a_catalogue_it_is_absent_and_empty(engines: Engines) -> None:
    loaded = await engines.absent().load()
    assert loaded.absent
    assert loaded.records == ()


async def test_a_commit_without_changes_makes_an_empty_catalogue(engines: Engines) -> None:
    engine = engines.absent()
    await commit(engine)
    loaded = await engines.again(engine).load()
    assert not loaded.absent
    assert loaded.records == ()


async def test_the_first_record_makes_the_catalogue(engines: Engines) -> None:
    engine = engines.absent()
    await commit(engine, (None, A))
    assert not (await engine.load()).absent
    assert await values(engines.again(engine)) == ["a"]


async def test_an_empty_catalogue_is_not_absent(engines: Engines) -> None:
    assert not (await engines.holding().load()).absent


async def test_records_are_in_their_order_to_the_letter(engines: Engines) -> None:
    assert await texts(engines.holding(A, B, C)) == [A, B, C]


async def test_keys_tell_records_of_one_text_apart(engines: Engines) -> None:
    engine = engines.holding(A, A, A)
    assert len({raw.key for raw in (await engine.load()).records}) == 3
    await commit(engine, (1, C))
    assert await values(engine) == ["a", "c", "a"]


async def test_while_nothing_changes_the_same_object_is_loaded(engines: Engines) -> None:
    engine = engines.holding(A)
    assert await engine.load() is await engine.load()


async def test_a_commit_makes_a_new_revision(engines: Engines) -> None:
    engine = engines.holding(A)
    before = (await engine.load()).revision
    await commit(engine, (None, B))
    assert (await engine.load()).revision != before


async def test_a_new_record_comes_last(engines: Engines) -> None:
    engine = engines.holding(A)
    await commit(engine, (None, C), (None, B))
    assert await values(engine) == ["a", "c", "b"]


async def test_a_changed_record_keeps_its_place(engines: Engines) -> None:
    engine = engines.holding(A, B, C)
    await commit(engine, (1, '{"slug": "new"}'))
    assert await values(engine) == ["a", "new", "c"]


async def test_a_removed_record_leaves_no_gap(engines: Engines) -> None:
    engine = engines.holding(A, B, C)
    await commit(engine, (1, None))
    assert await values(engine) == ["a", "c"]
    await commit(engine, (0, None), (1, None))
    assert (await engine.load()).records == ()
    assert not (await engine.load()).absent


async def test_several_changes_are_one_commit(engines: Engines) -> None:
    engine = engines.holding(A, B, C)
    await commit(engine, (2, '{"slug": "z"}'), (0, None), (None, '{"slug": "n"}'))
    assert await values(engines.again(engine)) == ["b", "z", "n"]


async def test_an_untouched_record_is_kept_to_the_letter(engines: Engines) -> None:
    engine = engines.holding(A, B, C)
    await commit(engine, (0, '{"slug": "new"}'), (None, A))
    assert (await texts(engines.again(engine)))[1:3] == [B, C]


async def test_a_commit_at_an_older_revision_is_stale_and_changes_nothing(engines: Engines) -> None:
    engine = engines.holding(A)
    loaded = await engine.load()
    await commit(engine, (None, B))
    with pytest.raises(Stale):
        await engine.commit([Change(loaded.records[0].key, None)], loaded.revision)
    assert await values(engine) == ["a", "b"]


async def test_of_two_commits_at_one_revision_one_is_stale(engines: Engines) -> None:
    engine = engines.holding()
    revision = (await engine.load()).revision
    outcomes = await asyncio.gather(
        *(engine.commit([Change(None, text)], revision) for text in (A, B)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in outcomes) == ["NoneType", "Stale"]
    assert len(await values(engine)) == 1


async def test_a_commit_is_told_with_a_tick_that_carries_nothing(engines: Engines) -> None:
    engine = engines.holding(A)
    await engine.load()
    ticks = engine.ticks()
    await commit(engine, (None, B))
    async with asyncio.timeout(10):
        assert await anext(ticks) is None


async def test_a_commit_is_told_to_whoever_waits_already(engines: Engines) -> None:
    engine = engines.holding(A)
    ticks = engine.ticks()

    async def ticked_until_there_are_two() -> None:
        while len(await values(engine)) < 2:
            await anext(ticks)

    waiting = asyncio.create_task(ticked_until_there_are_two())
    await commit(engine, (None, B))
    async with asyncio.timeout(10):
        await waiting


async def test_closing_ends_the_ticks(engines: Engines) -> None:
    engine = engines.holding(A)

    async def every_tick() -> None:
        async for _ in engine.ticks():
            pass

    waiting = asyncio.create_task(every_tick())
    await asyncio.sleep(0)
    await engine.aclose()
    async with asyncio.timeout(10):
        await waiting


async def test_closing_twice_is_no_fault(engines: Engines) -> None:
    engine = engines.holding(A)
    await engine.aclose()
    await engine.aclose()
