"""Snapshots that operations make one after the other are those that would be made from nothing."""

from __future__ import annotations

import random

import pytest

from registry.codec import encode
from registry.entries import Entry, RawRecord
from registry.errors import NotFound
from registry.schema import Environment
from registry.snapshot import Draft, Snapshot
from tests.records import record


def entry(environment_id: str, slug: str) -> Entry:
    """A good record."""
    stored = {**record(slug=slug), "environment_id": environment_id}
    environment = Environment.model_validate(stored)
    return Entry(RawRecord("", encode(environment)), environment)


def found(snapshot: Snapshot, name: str) -> Entry | None:
    """Who has a name."""
    try:
        return snapshot.entry(name)
    except NotFound:
        return None


@pytest.mark.parametrize("seed", range(20))
def test_a_draft_is_the_snapshot_that_would_be_made_from_its_entries(seed: int) -> None:
    chance = random.Random(seed)
    draft = Snapshot(tuple(entry(f"env-{n}", f"slug-{n}") for n in range(6)), "7")
    expected = list(draft.entries)
    for number in range(12):
        old = chance.choice([None, *expected])
        kept = old.environment.environment_id if old and old.environment else f"new-{number}"
        new = None if old and chance.random() < 0.3 else entry(kept, f"slug-{number + 100}")
        before, draft = draft, draft.having(old, new)
        assert isinstance(draft, Draft)
        assert before.differing(draft) == ([old] if old else [], [new] if new else [])
        swapped = [new if each is old else each for each in expected]
        expected = [each for each in (*swapped, *([] if old else [new])) if each is not None]
        if chance.random() < 0.2:
            assert draft.entries == tuple(expected)
        anew = Snapshot(tuple(expected), "7")
        names = [f"{kind}-{n}" for kind in ("env", "slug", "new") for n in range(115)]
        assert [found(draft, name) for name in names] == [found(anew, name) for name in names]
    assert draft.entries == tuple(expected)
    assert list(draft.by_id.items()) == list(anew.by_id.items())
    assert dict(draft.by_slug) == dict(anew.by_slug)
    assert draft.revision == "7"


def test_a_slug_that_is_given_up_and_taken_in_one_step_has_its_new_holder() -> None:
    one, two = entry("env-one", "one"), entry("env-two", "two")
    swapped = [(one, entry("env-one", "two")), (two, entry("env-two", "one"))]
    draft = Snapshot((one, two)).having_all(swapped)
    assert [draft.entry(slug) for slug in ("one", "two")] == [swapped[1][1], swapped[0][1]]
