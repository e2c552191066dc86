"""What the store does over every engine: each use case, and what is on record afterwards."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from registry.changes import Change
from registry.engines.protocol import Engine
from registry.errors import (
    IdTaken,
    InvalidRecord,
    NotFound,
    Quarantined,
    RevisionConflict,
    SlugTaken,
    UnknownProject,
)
from tests.contract.engines import Engines
from tests.records import GONE, OLD, merged, record, router
from tests.unit.fakes import store_over, text_of

NOW = "2026-03-01T12:00:00Z"
ONE, TWO = record(slug="one", name="One"), record(slug="two", name="Two")
BROKEN = '{\n  "environment_id": "env-broken", "slug": "broken",   "name": 7 }'


def holding(engines: Engines, *records: Any) -> Engine:
    """An engine over these records, given as values or texts."""
    return engines.holding(*(text_of(each) for each in records))


async def stored(engine: Engine) -> list[dict[str, Any]]:
    """The stored records."""
    return [json.loads(raw.text) for raw in (await engine.load()).records]


async def test_a_created_environment_is_stored_whole_and_comes_last(engines: Engines) -> None:
    engine = holding(engines, ONE)
    created = await store_over(engine).create(record(slug="two", **router()))
    again = engines.again(engine)
    assert await stored(again) == [ONE, created.document]
    assert (await store_over(again).load()).by_slug["two"].environment == created
    assert created.document["created_at"] == NOW


@pytest.mark.parametrize(
    ("body", "error", "pointer"),
    [
        (record(slug="one", environment_id="new"), SlugTaken, "/slug"),
        (record(slug="env-one", environment_id="new"), SlugTaken, "/slug"),
        (record(slug="new", environment_id="env-one"), IdTaken, "/environment_id"),
        (record(slug="new", environment_id="one"), IdTaken, "/environment_id"),
        (record(slug="broken", environment_id="new"), SlugTaken, "/slug"),
        (record(slug="new", project_id=GONE), InvalidRecord, "/project_id"),
        (record(slug="new", name=""), InvalidRecord, "/name"),
    ],
)
async def test_what_is_refused_leaves_everything_as_it_was(
    engines: Engines, body: Any, error: Any, pointer: str
) -> None:
    engine = holding(engines, ONE, BROKEN)
    with pytest.raises(error) as raised:
        await store_over(engine).create(body)
    assert [fault.pointer for fault in raised.value.errors] == [pointer]
    assert await stored(engine) == [ONE, json.loads(BROKEN)]


async def test_a_workspace_must_exist_for_creating_and_updating(engines: Engines) -> None:
    engine = holding(engines, ONE)
    store = store_over(engine, "elsewhere")
    with pytest.raises(UnknownProject):
        await store.create(record(slug="two", project_id="elsewhere"))
    with pytest.raises(UnknownProject):
        await store.patch("one", {"project_id": "elsewhere"})
    with pytest.raises(UnknownProject):
        await store.replace("one", merged(ONE, {"project_id": "elsewhere"}))
    assert await stored(engine) == [ONE]


@pytest.mark.parametrize("ref", ["one", "env-one"])
async def test_an_environment_is_changed_by_slug_or_id(engines: Engines, ref: str) -> None:
    engine = holding(engines, ONE, TWO)
    store = store_over(engine)
    assert (await store.patch(ref, {"name": "Patched"})).name == "Patched"
    replaced = await store.replace(ref, merged(ONE, {"name": "Replaced"}))
    after = await stored(engines.again(engine))
    assert after == [replaced.document, TWO]
    assert (after[0]["created_at"], after[0]["updated_at"]) == (OLD, NOW)
    await store.delete(ref)
    assert await stored(engines.again(engine)) == [TWO]


@pytest.mark.parametrize("ref", ["none", "", "ONE", "env-none"])
async def test_what_is_not_there_is_not_found(engines: Engines, ref: str) -> None:
    store = store_over(holding(engines, ONE))
    for write in (store.patch(ref, {}), store.replace(ref, ONE), store.delete(ref)):
        with pytest.raises(NotFound):
            await write


async def test_a_slug_may_change_but_not_to_a_taken_one(engines: Engines) -> None:
    engine = holding(engines, ONE, TWO)
    store = store_over(engine)
    await store.patch("one", {"slug": "uno"})
    with pytest.raises(SlugTaken):
        await store.patch("uno", {"slug": "two"})
    with pytest.raises(NotFound):
        await store.patch("one", {})
    assert [each["slug"] for each in await stored(engine)] == ["uno", "two"]


async def test_a_write_that_names_the_present_revision_goes(engines: Engines) -> None:
    engine = holding(engines, ONE)
    store = store_over(engine)
    first = (await store.load()).environments[0]
    second = await store.patch("one", {"name": "Two"}, first.revision.__eq__)
    third = await store.replace("one", ONE, second.revision.__eq__)
    await store.delete("one", third.revision.__eq__)
    assert await stored(engine) == []


async def test_a_write_that_names_another_revision_is_refused_with_the_present_one(
    engines: Engines,
) -> None:
    engine = holding(engines, ONE)
    store = store_over(engine)
    first = (await store.load()).environments[0]
    asked: list[str] = []

    def never(revision: str) -> bool:
        asked.append(revision)
        return False

    for write in (
        store.patch("one", {"name": "x"}, never),
        store.replace("one", ONE, never),
        store.delete("one", never),
    ):
        with pytest.raises(RevisionConflict) as raised:
            await write
        assert raised.value.facts["revision"] == first.revision
    assert asked == [first.revision] * 3
    assert await stored(engine) == [ONE]


async def test_many_creates_at_once_are_all_stored(engines: Engines) -> None:
    engine = holding(engines)
    store = store_over(engine)
    slugs = [f"e{n}" for n in range(40)]
    await asyncio.gather(*(store.create(record(slug=slug)) for slug in slugs))
    assert [each["slug"] for each in await stored(engines.again(engine))] == slugs


async def test_of_many_creates_of_one_slug_one_wins(engines: Engines) -> None:
    engine = holding(engines)
    store = store_over(engine)
    bodies = [record(slug="one", environment_id=f"env-{n}") for n in range(10)]
    outcomes = await asyncio.gather(*map(store.create, bodies), return_exceptions=True)
    assert sum(isinstance(each, SlugTaken) for each in outcomes) == 9
    assert len(await stored(engine)) == 1


async def test_many_patches_of_one_record_are_all_kept(engines: Engines) -> None:
    engine = holding(engines, ONE)
    store = store_over(engine)
    await asyncio.gather(*(store.patch("one", {"metadata": {f"k{n}": n}}) for n in range(30)))
    (after,) = await stored(engines.again(engine))
    assert after["metadata"] == {f"k{n}": n for n in range(30)}


async def test_the_raw_text_of_a_broken_record_is_kept_through_other_writes(
    engines: Engines,
) -> None:
    engine = holding(engines, ONE, BROKEN, TWO)
    store = store_over(engine)
    await store.patch("one", {"name": "x"})
    await store.delete("two")
    await store.create(record(slug="three"))
    texts = [raw.text for raw in (await engines.again(engine).load()).records]
    assert texts[1] == BROKEN


async def test_a_broken_record_cannot_be_patched_but_replaced(engines: Engines) -> None:
    engine = holding(engines, ONE, BROKEN)
    store = store_over(engine)
    with pytest.raises(Quarantined) as raised:
        await store.patch("broken", {"name": "x"})
    assert "/name" in [fault.pointer for fault in raised.value.errors]
    mended = await store.replace("broken", record(slug="broken", environment_id=GONE))
    assert mended.environment_id == "env-broken"
    assert (await store.load()).faults == ()
    assert (await stored(engine))[1] == mended.document


async def test_a_broken_record_can_be_deleted(engines: Engines) -> None:
    engine = holding(engines, BROKEN, ONE)
    await store_over(engine).delete("env-broken")
    assert await stored(engine) == [ONE]


async def test_a_record_that_broke_is_mended_from_its_last_good_version(engines: Engines) -> None:
    engine = holding(engines, ONE)
    store = store_over(engine)
    good = (await store.load()).environments[0]
    loaded = await engine.load()
    broken = Change(loaded.records[0].key, text_of(merged(ONE, {"name": ""})))
    await engine.commit([broken], loaded.revision)
    assert (await store.load()).entries[0].environment == good
    with pytest.raises(Quarantined):
        await store.patch("one", {"name": "x"})
    mended = await store.replace("one", good.document)
    assert mended == good
    assert await stored(engine) == [good.document]
    assert (await store.load()).faults == ()
