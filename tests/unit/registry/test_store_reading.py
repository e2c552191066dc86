"""Reading the catalogue: what is filled in, what is refused, and what stays in force meanwhile."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry.errors import CatalogueUnreadable, DiskFull, InvalidRecord, StoreUnavailable
from registry.names import derived_environment_id
from registry.store import EnvironmentStore
from tests.records import GONE, record
from tests.unit.fakes import AbsentEngine, AnyProjects, WatchedEngine, decoded, store_over

WANTING: dict[str, Any] = dict.fromkeys(
    ("environment_id", "owner", "created_at", "updated_at"), GONE
)


async def test_nothing_is_known_before_the_first_reading() -> None:
    store = store_over(WatchedEngine(record()))
    assert store.snapshot is None
    assert await store.load() is store.snapshot


async def test_while_nothing_changes_the_snapshot_is_the_same_object() -> None:
    engine = WatchedEngine(record())
    store = store_over(engine)
    first = await store.load()
    assert await store.load() is first
    await engine.edit_one(0, record(name="Other"))
    assert await store.load() is not first


async def test_an_unchanged_record_stays_the_same_object() -> None:
    engine = WatchedEngine(record(slug="one"), record(slug="two"))
    store = store_over(engine)
    one = (await store.load()).by_slug["one"].environment
    await engine.edit_one(1, record(slug="two", name="Other"))
    assert (await store.load()).by_slug["one"].environment is one


async def test_the_json_values_of_a_written_record_do_not_outlast_the_next_write() -> None:
    """They are made for its line and its answer: of many written records they are many."""
    store = store_over(WatchedEngine(record(slug="one"), record(slug="two")))
    one = await store.patch("one", {"name": "Written"})
    assert one.document["name"] == "Written"
    await store.load()
    assert "document" in vars(one)
    await store.patch("two", {"name": "Written"})
    assert "document" not in vars(one)
    assert one.document["name"] == "Written"


async def test_a_vanished_workspace_shows_though_the_file_did_not_change() -> None:
    projects = AnyProjects()
    store = EnvironmentStore(WatchedEngine(record()), projects)
    assert (await store.load()).faults == ()
    projects.missing.add("nightshift")
    assert [fault.code for fault in (await store.load()).faults] == ["unknown_project"]
    projects.missing.clear()
    assert (await store.load()).faults == ()


async def test_a_record_without_an_owner_is_in_force_once_its_workspace_is_there() -> None:
    projects = AnyProjects("nightshift")
    store = EnvironmentStore(WatchedEngine(record(owner=GONE)), projects)
    assert [fault.code for fault in (await store.load()).faults] == ["invalid_record"]
    projects.missing.clear()
    snapshot = await store.load()
    assert snapshot.faults == ()
    assert snapshot.environments[0].owner.name == "Ines Okafor"


async def test_what_hand_made_records_lack_is_written_in_one_commit() -> None:
    whole = record(slug="whole")
    engine = WatchedEngine(record(slug="one", **WANTING), whole, record(slug="two", **WANTING))
    snapshot = await store_over(engine).load()
    assert len(engine.commits) == 1
    texts = await engine.texts()
    assert texts[1] == json.dumps(whole, indent=2, ensure_ascii=False)
    for stored in (json.loads(texts[0]), json.loads(texts[2])):
        assert stored.pop("environment_id") == derived_environment_id("nightshift", stored["slug"])
        assert stored.pop("owner")["name"] == "Ines Okafor"
        assert stored.pop("created_at") == stored.pop("updated_at") == "2026-03-01T12:00:00Z"
        assert stored == record(slug=stored["slug"], **WANTING)
    assert [entry.wanting for entry in snapshot.entries] == [(), (), ()]


async def test_a_whole_catalogue_is_not_written_by_reading_it() -> None:
    engine = WatchedEngine(record(), record(slug="broken", name="", **WANTING))
    await store_over(engine).load()
    assert engine.commits == []


async def test_what_is_filled_in_is_in_force_though_it_cannot_be_written() -> None:
    engine = WatchedEngine(record(**WANTING))
    store = store_over(engine)
    engine.failure = DiskFull("no room")
    snapshot = await store.load()
    assert snapshot.environments[0].owner.name == "Ines Okafor"
    assert decoded(await engine.texts()) == [record(**WANTING)]
    engine.failure = None
    await store.load()
    assert decoded(await engine.texts())[0]["owner"]["name"] == "Ines Okafor"


async def test_an_edit_that_comes_between_is_not_overwritten_by_filling_in() -> None:
    engine = WatchedEngine(record(**WANTING))
    engine.steps.append(lambda: engine.edit(record(name="By hand", **WANTING)))
    store = store_over(engine)
    await store.load()
    await store.load()
    assert decoded(await engine.texts())[0]["name"] == "By hand"
    assert "owner" in decoded(await engine.texts())[0]


async def test_where_there_never_was_a_catalogue_it_is_absent_and_no_fault() -> None:
    store = store_over(AbsentEngine())
    snapshot = await store.load()
    assert snapshot.absent
    assert store.trouble is None


async def test_the_first_create_makes_the_catalogue() -> None:
    store = store_over(AbsentEngine())
    await store.create(record())
    assert store.snapshot is not None
    assert not store.snapshot.absent


async def test_initialising_makes_an_empty_catalogue_and_leaves_a_full_one() -> None:
    assert (await store_over(AbsentEngine()).initialise()).absent is False
    engine = WatchedEngine(record())
    assert len((await store_over(engine).initialise()).environments) == 1
    assert engine.commits == []


async def test_a_catalogue_that_vanishes_is_unreadable_and_stays_in_force() -> None:
    engine = AbsentEngine([json.dumps(record())])
    store = store_over(engine)
    before = await store.load()
    engine.vanish()
    with pytest.raises(CatalogueUnreadable):
        await store.load()
    assert store.snapshot is before
    assert isinstance(store.trouble, CatalogueUnreadable)


async def test_while_it_is_gone_nothing_is_written_over_it() -> None:
    engine = AbsentEngine([json.dumps(record())])
    store = store_over(engine)
    await store.load()
    engine.vanish()
    for write in (store.create(record(slug="two")), store.patch("dev", {"name": "x"})):
        with pytest.raises(CatalogueUnreadable):
            await write
    assert (await engine.load()).absent


async def test_where_there_was_a_catalogue_before_the_start_an_absent_one_is_unreadable() -> None:
    with pytest.raises(CatalogueUnreadable):
        await store_over(AbsentEngine(), founded=True).load()


async def test_a_trouble_ends_with_the_next_good_reading() -> None:
    engine = AbsentEngine()
    store = store_over(engine, founded=True)
    with pytest.raises(CatalogueUnreadable):
        await store.load()
    await engine.commit((), (await engine.load()).revision)
    await store.load()
    assert store.trouble is None


async def test_an_engine_that_is_out_of_reach_is_a_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = WatchedEngine(record())
    store = store_over(engine)
    before = await store.load()

    async def fail() -> Any:
        raise StoreUnavailable("cannot read")

    monkeypatch.setattr(engine, "load", fail)
    with pytest.raises(StoreUnavailable):
        await store.load()
    assert store.snapshot is before
    assert isinstance(store.trouble, StoreUnavailable)


async def test_a_put_that_mends_has_no_defaults_either() -> None:
    store = store_over(WatchedEngine(record(name="")))
    with pytest.raises(InvalidRecord):
        await store.replace("dev", record(lifecycle=GONE))
