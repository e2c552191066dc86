"""An editor's buffer that is older than an API write: saving it does not undo that write."""

from __future__ import annotations

import json

import pytest

from registry.revisions import Author
from tests.api.steps import ALL, read, until_problem
from tests.daemons import Daemon
from tests.safety.conftest import Log
from tests.safety.desk import ANN, Desk
from tests.safety.records import Edited, keyless, record
from tests.safety.steps import CONFIRM, until_fine, until_routes

A, B = record("a"), record("b")


@pytest.fixture
async def desk(desk: Desk) -> Desk:
    """A store over two records, `env-a` and `env-b`."""
    await desk.holds(A, B)
    return desk


async def test_an_update_stays_and_the_rest_of_the_edit_counts(desk: Desk) -> None:
    await desk.store.patch("a", {"name": "by api"}, by=ANN)
    await desk.found(A, {**B, "name": "by hand"}, record("new"))
    assert desk.names() == {"a": "by api", "b": "by hand", "new": "new"}
    assert desk.stale() == ["env-a"]
    assert [each["name"] for each in desk.folders.stored()] == ["by api", "by hand", "new"]


async def test_a_creation_stays(desk: Desk) -> None:
    await desk.store.create(record("made"), by=ANN)
    await desk.found(A, {**B, "name": "by hand"})
    assert desk.names() == {"a": "a", "b": "by hand", "made": "made"}
    assert desk.stale() == ["env-made"]
    assert {each["slug"] for each in desk.folders.stored()} == {"a", "b", "made"}


async def test_a_deletion_stays(desk: Desk) -> None:
    await desk.store.delete("a", by=ANN)
    await desk.found(A, {**B, "name": "by hand"})
    assert desk.names() == {"b": "by hand"}
    assert desk.stale() == ["env-a"]
    assert [each["slug"] for each in desk.folders.stored()] == ["b"]


async def test_a_revert_stays(desk: Desk) -> None:
    await desk.store.patch("a", {"name": "second"}, by=ANN)
    buffer = desk.folders.buffer()
    await desk.store.revert("a", 1, by=ANN)
    desk.folders.save(buffer)
    await desk.store.load()
    assert desk.names()["a"] == "a"


async def test_a_buffer_that_is_older_than_several_writes_undoes_none(desk: Desk) -> None:
    for name in ("one", "two", "three"):
        await desk.store.patch("a", {"name": name}, by=ANN)
        desk.passes(minutes=3)
    await desk.found(A, B)
    assert desk.names()["a"] == "three"


async def test_whoever_the_edit_gave_a_name_of_ours_gives_way(desk: Desk) -> None:
    await desk.store.patch("a", {"slug": "c"}, by=ANN)
    for taker in (record("new", slug="c"), {**B, "slug": "c"}):
        others = [taker] if taker["environment_id"] == "env-b" else [B, taker]
        await desk.found(A, *others)
        assert desk.names() == {"c": "a", "b": "b"}
        assert desk.faults() == [("slug_taken", taker["environment_id"])]
        await desk.restart()
        assert desk.names() == {"c": "a", "b": "b"}
        assert desk.faults() == [("slug_taken", taker["environment_id"])]


async def test_a_name_that_a_write_gave_up_is_still_free_for_the_edit(desk: Desk) -> None:
    await desk.store.patch("a", {"slug": "c"}, by=ANN)
    await desk.found(record("new", slug="a"), B)
    assert desk.names() == {"a": "new", "b": "b"}
    assert desk.faults() == []


async def test_all_that_the_api_made_stays_when_the_buffer_has_none_of_it(desk: Desk) -> None:
    await desk.store.delete("a")
    await desk.store.delete("b")
    empty = desk.folders.buffer()
    for slug in ("one", "two", "three"):
        await desk.store.create(record(slug), by=ANN)
    desk.folders.save(empty)
    await desk.store.load()
    assert desk.store.held is None
    assert set(desk.names()) == {"one", "two", "three"}
    assert desk.stale() == ["env-one", "env-two", "env-three"]


async def test_it_is_told_apart_over_a_restart_and_while_nobody_looked(desk: Desk) -> None:
    await desk.store.patch("a", {"name": "by api"}, by=ANN)
    await desk.store.create(record("made"), by=ANN)
    await desk.stop()
    desk.passes(minutes=5)
    desk.folders.write(A, B)
    await desk.start()
    assert desk.names() == {"a": "by api", "b": "b", "made": "made"}
    assert sorted(desk.stale()) == ["env-a", "env-made"]


async def test_after_fifteen_minutes_it_is_an_edit_as_any_other(desk: Desk) -> None:
    await desk.store.patch("a", {"name": "by api"}, by=ANN)
    await desk.store.create(record("made"), by=ANN)
    desk.passes(minutes=14, seconds=59)
    await desk.found(A, B)
    assert desk.names() == {"a": "by api", "b": "b", "made": "made"}
    desk.passes(seconds=2)
    await desk.found(A, B)
    assert desk.names() == {"a": "a", "b": "b"}


async def test_a_deliberate_return_to_the_old_state_with_the_fresh_times_counts(
    desk: Desk,
) -> None:
    desk.passes(minutes=1)
    await desk.store.patch("a", {"name": "by api"}, by=ANN)
    desk.folders.edit("a", name="a")
    await desk.store.load()
    assert desk.names()["a"] == "a"
    assert desk.stale() == []


async def test_a_record_that_was_edited_in_the_old_buffer_counts(desk: Desk) -> None:
    await desk.store.patch("a", {"name": "by api"}, by=ANN)
    await desk.found({**A, "name": "by hand"}, B)
    assert desk.names()["a"] == "by hand"
    assert desk.stale() == []


async def test_a_record_that_a_person_made_may_be_removed_by_a_person(desk: Desk) -> None:
    await desk.store.patch("a", {"name": "by api"}, by=ANN)
    await desk.found(B)
    assert desk.names() == {"b": "b"}
    assert desk.stale() == []


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(A, indent=7),
        json.dumps(dict(reversed(A.items()))),
        json.dumps({**A, "ports": [], "description": None}),
        json.dumps({**A, "created_at": "2026-01-01T01:00:00+01:00"}),
    ],
    ids=["white space", "order", "defaults", "the same instant"],
)
async def test_how_the_old_state_is_written_has_no_say(desk: Desk, text: str) -> None:
    await desk.store.patch("a", {"name": "by api"}, by=ANN)
    await desk.found(text, B)
    assert desk.names()["a"] == "by api"


async def test_the_history_has_no_change_that_a_stale_save_did_not_make(desk: Desk) -> None:
    await desk.store.patch("a", {"name": "by api"}, by=ANN)
    before = await desk.store.history.since(0)
    await desk.found(A, B)
    assert await desk.store.history.since(0) == before


HAND_MADE = keyless("hand")


async def test_a_hand_made_record_in_its_first_text_is_an_older_state_too(desk: Desk) -> None:
    await desk.found(A, B, HAND_MADE)
    desk.passes(minutes=1)
    await desk.store.patch("hand", {"name": "by api"}, by=ANN)
    desk.passes(minutes=1)
    await desk.found(A, B, HAND_MADE)
    assert desk.names()["hand"] == "by api"


async def test_a_hand_made_record_keeps_its_age_when_its_first_text_is_saved_again(
    desk: Desk,
) -> None:
    await desk.found(A, B, HAND_MADE)
    made = desk.store.snapshot.by_slug["hand"].environment
    desk.passes(hours=1)
    await desk.found(A, B, HAND_MADE)
    assert desk.store.snapshot.by_slug["hand"].environment.created_at == made.created_at


async def test_it_is_reported_when_the_edit_has_a_hand_made_record_too(desk: Desk) -> None:
    await desk.store.patch("a", {"name": "by api"}, by=ANN)
    desk.passes(minutes=1)
    await desk.found(A, B, HAND_MADE)
    assert desk.names() == {"a": "by api", "b": "b", "hand": "hand"}
    assert desk.stale() == ["env-a"]


async def test_a_hand_made_record_beside_a_stale_one_is_in_the_history_once(desk: Desk) -> None:
    await desk.store.patch("a", {"name": "by api"}, by=ANN)
    await desk.found(A, B, HAND_MADE)
    made = [each.after["created_at"] for each in await desk.store.revisions("hand")]
    assert len(made) == 1
    assert made[0] is not None


async def test_health_and_the_log_name_the_command_that_insists(
    daemon: Daemon, folders: Edited, log: Log
) -> None:
    folders.write(A, B)
    await until_routes(daemon, "a.test", "b.test")
    await daemon.call("PATCH", f"{ALL}/a", json={"host": {"hostname": "moved.test"}})
    await until_routes(daemon, "moved.test", "b.test")
    folders.write(A, {**B, "name": "by hand"})
    problem = await until_problem(daemon, "stale_edit", "env-a")
    assert "`routebook confirm`" in problem["detail"]
    assert (await read(daemon, "b"))["name"] == "by hand"
    await until_routes(daemon, "moved.test", "b.test")
    said = [line for line in log.lines if "stale_edit" in line and "env-a" in line]
    assert said
    assert all("`routebook confirm`" in line for line in said)
    answer = await daemon.call("POST", CONFIRM, json={})
    assert answer.value == {"confirmed": ["env-a"]}
    await until_routes(daemon, "a.test", "b.test")
    await until_fine(daemon)


async def test_a_status_that_the_probes_wrote_stays(desk: Desk) -> None:
    patch = {"health": {"status": "offline"}}
    await desk.store.patch("a", patch, by=Author("probe", "probe"))
    await desk.found(A, {**B, "name": "by hand"})
    assert desk.stale() == ["env-a"]
    assert desk.folders.stored()[0]["health"]["status"] == "offline"
