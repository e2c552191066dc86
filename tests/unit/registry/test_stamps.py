"""The times that follow a write: `changed_at`, `checked_at`, `updated_at`, `created_at`."""

from __future__ import annotations

from typing import Any

import pytest

from registry.changes import created, patched, replaced
from registry.schema import Environment
from tests.records import GONE, NEW, OLD, environment, merged, record
from tests.unit.fakes import NOON, AnyProjects

PROJECT = AnyProjects().get("nightshift")
NOW = "2026-03-01T12:00:00Z"


def current(**changes: Any) -> Environment:
    """A record whose state and health were set long ago."""
    long_ago = {
        "lifecycle": {"state": "active", "changed_at": OLD},
        "health": {"status": "healthy", "checked_at": OLD},
    }
    return environment(**merged(long_ago, changes))


def put(before: Environment, **changes: Any) -> Environment:
    """GET, edit, PUT."""
    return replaced(before, merged(before.document, changes), NOON)


def times(made: Environment) -> tuple[Any, Any]:
    """`changed_at` and `checked_at`."""
    return made.document["lifecycle"]["changed_at"], made.document["health"]["checked_at"]


def test_a_new_record_is_in_its_state_since_now() -> None:
    given = record(lifecycle={"state": "active"})
    assert times(created(given, PROJECT, NOON))[0] == NOW
    without = record(lifecycle=GONE)
    assert times(created(without, PROJECT, NOON))[0] == NOW


def test_a_new_record_may_say_since_when() -> None:
    given = record(lifecycle={"state": "active", "changed_at": OLD})
    assert times(created(given, PROJECT, NOON))[0] == OLD


def test_a_new_record_whose_health_nobody_wrote_was_never_checked() -> None:
    assert times(created(record(health=GONE), PROJECT, NOON))[1] is None


def test_a_new_record_with_a_status_was_checked_now_or_when_it_says() -> None:
    status = {"status": "healthy"}
    assert times(created(record(health=status), PROJECT, NOON))[1] == NOW
    told = record(health={**status, "checked_at": OLD})
    assert times(created(told, PROJECT, NOON))[1] == OLD


def test_a_change_of_state_sets_changed_at_by_put_and_by_patch() -> None:
    assert times(put(current(), lifecycle={"state": "maintenance"})) == (NOW, OLD)
    assert times(patched(current(), {"lifecycle": {"state": "retired"}}, NOON)) == (NOW, OLD)


def test_a_change_of_other_fields_leaves_both_times() -> None:
    assert times(put(current(), name="Other", lifecycle={"notes": "x"})) == (OLD, OLD)
    change = {"health": {"notes": "x", "url": "http://a.test/"}, "lifecycle": {"notes": "y"}}
    assert times(patched(current(), change, NOON)) == (OLD, OLD)


def test_a_put_that_leaves_changed_at_out_does_not_lose_it() -> None:
    assert times(put(current(), lifecycle={"changed_at": GONE}))[0] == OLD


def test_a_status_that_is_written_without_checked_at_was_checked_now() -> None:
    assert times(patched(current(), {"health": {"status": "offline"}}, NOON))[1] == NOW
    assert times(patched(current(), {"health": {"status": "healthy"}}, NOON))[1] == NOW
    assert times(put(current(), health={"checked_at": GONE}))[1] == NOW


def test_a_status_that_is_written_with_checked_at_was_checked_then() -> None:
    change = {"health": {"status": "offline", "checked_at": NEW}}
    assert times(patched(current(), change, NOON))[1] == NEW
    assert times(put(current(), **change))[1] == NEW


def test_a_new_status_with_the_old_checked_at_carried_along_was_checked_now() -> None:
    assert times(put(current(), health={"status": "offline"}))[1] == NOW


def test_checked_at_may_be_written_alone() -> None:
    assert times(patched(current(), {"health": {"checked_at": NEW}}, NOON))[1] == NEW


def test_a_put_may_clear_checked_at() -> None:
    assert times(put(current(), health={"checked_at": None}))[1] is None


def test_a_patch_may_clear_checked_at() -> None:
    assert times(patched(current(), {"health": {"checked_at": None}}, NOON))[1] is None


@pytest.mark.parametrize("offset", ["2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000Z"])
def test_another_spelling_of_the_same_time_is_no_change(offset: str) -> None:
    before = current()
    assert put(before, health={"checked_at": offset}, lifecycle={"changed_at": offset}) is before


def test_updated_at_moves_with_each_change_and_created_at_never() -> None:
    after = patched(current(), {"name": "Other"}, NOON)
    assert after.document["updated_at"] == NOW
    assert after.document["created_at"] == OLD


def test_a_write_that_changes_nothing_is_the_record_itself() -> None:
    before = current(name="Same")
    assert patched(before, {}, NOON) is before
    assert patched(before, {"name": "Same", "lifecycle": {"state": "active"}}, NOON) is before
    assert replaced(before, before.document, NOON) is before


def test_a_hand_made_record_without_times_gets_an_updated_at_with_its_first_change() -> None:
    before = environment(created_at=None, updated_at=None)
    after = patched(before, {"name": "Other"}, NOON)
    assert (after.created_at, after.updated_at) == (None, NOON)
