"""Rehearsed writes: what would be, and nothing is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registry.errors import InvalidRecord, NotFound, RevisionConflict, RouteConflict, SlugTaken
from registry.snapshot import Snapshot
from registry.store import EnvironmentStore
from registry.writer import Refusal
from tests.records import merged, record
from tests.unit.fakes import WatchedEngine, store_over

ONE = record(slug="one", name="One")
TWO = record(slug="two", name="Two")


def quarrelsome(_before: Snapshot, after: Snapshot) -> Iterator[Refusal]:
    """Admits whatever is not named for its refusal."""
    for environment in after.environments:
        if environment.name == "conflict":
            yield Refusal(environment.environment_id, RouteConflict("held", holder={"slug": "x"}))
        if environment.name == "invalid":
            yield Refusal(environment.environment_id, InvalidRecord("no"))


@pytest.fixture
async def engine() -> WatchedEngine:
    """An engine with two records."""
    return WatchedEngine(ONE, TWO)


@pytest.fixture
async def store(engine: WatchedEngine) -> EnvironmentStore:
    """A store over it that may be told of no change."""
    store = store_over(engine, admission=quarrelsome)
    await store.load()
    store.changed = lambda: pytest.fail("nothing is changed")
    return store


def names(snapshot: Snapshot) -> dict[str, str]:
    """The names by slug."""
    return {each.slug: each.name for each in snapshot.environments}


async def test_each_use_case_shows_what_would_be_and_commits_nothing(
    engine: WatchedEngine, store: EnvironmentStore
) -> None:
    before, snapshot = await engine.texts(), store.snapshot
    revisions = await store.history.since(0)
    for write, wanted in (
        (lambda s: s.create(record(slug="new", name="New")),
         {"one": "One", "two": "Two", "new": "New"}),
        (lambda s: s.replace("one", merged(ONE, {"name": "1st"})), {"one": "1st", "two": "Two"}),
        (lambda s: s.patch("one", {"name": "1st"}), {"one": "1st", "two": "Two"}),
        (lambda s: s.delete("one"), {"two": "Two"}),
        (lambda s: s.apply([merged(ONE, {"name": "1st"})]), {"one": "1st", "two": "Two"}),
    ):  # fmt: skip
        other, rehearsal = store.rehearsed()
        await write(other)
        assert names(rehearsal.preview.after) == wanted
        assert names(rehearsal.preview.before) == {"one": "One", "two": "Two"}
        assert rehearsal.conflict is None
    assert engine.commits == []
    assert await engine.texts() == before
    assert store.snapshot is snapshot
    assert await store.history.since(0) == revisions


async def test_what_changes_nothing_gives_the_same_snapshot(store: EnvironmentStore) -> None:
    other, rehearsal = store.rehearsed()
    await other.patch("one", {"name": "One"})
    assert rehearsal.preview.after is rehearsal.preview.before


async def test_a_conflict_of_one_record_is_kept_and_of_a_batch_raised(
    store: EnvironmentStore,
) -> None:
    other, rehearsal = store.rehearsed()
    outcome = await other.patch("one", {"name": "conflict"})
    assert outcome.name == "conflict"
    assert rehearsal.conflict is not None
    assert rehearsal.conflict.facts == {"holder": {"slug": "x"}}
    assert names(rehearsal.preview.after)["one"] == "conflict"
    with pytest.raises(RouteConflict) as raised:
        await store.rehearsed()[0].apply([merged(ONE, {"name": "conflict"})])
    assert "results" in raised.value.facts


async def test_every_other_error_is_raised(store: EnvironmentStore) -> None:
    for write, error in (
        (lambda s: s.patch("one", {"name": "invalid"}), InvalidRecord),
        (lambda s: s.patch("one", {"name": ""}), InvalidRecord),
        (lambda s: s.patch("none", {}), NotFound),
        (lambda s: s.patch("one", {"slug": "two"}), SlugTaken),
        (lambda s: s.delete("one", lambda _: False), RevisionConflict),
    ):
        with pytest.raises(error):
            await write(store.rehearsed()[0])


async def test_a_rehearsal_forgets_what_it_has_read(store: EnvironmentStore) -> None:
    """What is in force after it is what was stored, object by object."""
    known = store.snapshot
    for _ in range(3):
        await store.rehearsed()[0].patch("one", {"name": "x"})
    assert await store.load() is known
