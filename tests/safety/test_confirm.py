"""`confirm`: what waits for a person is let through, and nothing else."""

from __future__ import annotations

import json

import pytest

from registry.errors import CatalogueUnreadable
from tests.safety.desk import ANN, Desk
from tests.safety.records import record

A, B = record("a"), record("b")


@pytest.fixture
async def desk(desk: Desk) -> Desk:
    """A store over two records; a stale save of the first waits."""
    await desk.holds(A, B)
    await desk.store.patch("a", {"name": "by api"}, by=ANN)
    await desk.found(A, B)
    assert desk.stale() == ["env-a"]
    return desk


async def test_it_insists_on_the_stale_record(desk: Desk) -> None:
    assert await desk.store.confirm() == ["env-a"]
    assert desk.names() == {"a": "a", "b": "b"}
    assert [each["name"] for each in desk.folders.stored()] == ["a", "b"]
    assert desk.stale() == []


async def test_it_insists_on_a_missing_and_on_a_removed_record(desk: Desk) -> None:
    await desk.store.confirm()
    await desk.store.create(record("made"), by=ANN)
    await desk.store.delete("b", by=ANN)
    await desk.found(A, B)
    assert desk.names() == {"a": "a", "made": "made"}
    assert sorted(await desk.store.confirm()) == ["env-b", "env-made"]
    assert desk.names() == {"a": "a", "b": "b"}


async def test_a_name_that_somebody_has_by_now_is_not_taken_away_from_it(desk: Desk) -> None:
    buffer = desk.folders.buffer()
    await desk.store.patch("a", {"slug": "c"}, by=ANN)
    desk.folders.save(buffer)
    await desk.store.load()
    assert desk.stale() == ["env-a"]
    await desk.store.create(record("new", slug="a"), by=ANN)
    for step in (desk.store.confirm, desk.restart):
        await step()
        assert desk.names() == {"c": "by api", "b": "b", "a": "new"}
        assert desk.faults() == [("slug_taken", "env-a")]


async def test_what_it_let_through_is_in_the_history_as_a_hand_edit(desk: Desk) -> None:
    await desk.store.confirm()
    newest, *_ = await desk.store.revisions("a")
    assert (newest.author.source, newest.after["name"]) == ("hand edit", "a")


async def test_what_it_let_through_stays_when_the_file_is_read_again(desk: Desk) -> None:
    await desk.store.confirm()
    await desk.found(A, {**B, "name": "later"})
    assert desk.names() == {"a": "a", "b": "later"}
    await desk.restart()
    assert desk.names() == {"a": "a", "b": "later"}


async def test_without_anything_that_waits_it_does_nothing(desk: Desk) -> None:
    await desk.store.confirm()
    text, revisions = desk.folders.buffer(), await desk.store.history.since(0)
    assert await desk.store.confirm() == []
    assert desk.folders.buffer() == text
    assert await desk.store.history.since(0) == revisions


async def test_it_is_refused_while_the_catalogue_is_unreadable(desk: Desk) -> None:
    desk.folders.save("{")
    with pytest.raises(CatalogueUnreadable):
        await desk.store.confirm()
    assert desk.folders.buffer() == "{"
    await desk.found({**A, "name": "by api"}, B)
    assert desk.names()["a"] == "by api"


async def test_a_later_write_of_the_record_leaves_nothing_to_insist_on(desk: Desk) -> None:
    await desk.store.patch("a", {"name": "by api, again"}, by=ANN)
    assert desk.stale() == []
    assert await desk.store.confirm() == []
    assert desk.names()["a"] == "by api, again"


async def test_a_save_in_its_last_instant_is_not_overwritten(desk: Desk) -> None:
    def save() -> None:
        desk.engine.last_instant = lambda: None
        desk.folders.edit("b", name="in the last instant")

    desk.engine.last_instant = save
    assert await desk.store.confirm() == ["env-a"]
    assert desk.names() == {"a": "a", "b": "in the last instant"}
    assert [each["name"] for each in desk.folders.stored()] == ["a", "in the last instant"]


async def test_a_later_edit_of_the_record_leaves_nothing_to_insist_on(desk: Desk) -> None:
    desk.folders.edit("a", name="on purpose")
    await desk.store.load()
    assert desk.names()["a"] == "on purpose"
    await desk.store.confirm()
    assert desk.names()["a"] == "on purpose"
    assert json.loads(desk.folders.buffer())["environments"][0]["name"] == "on purpose"
