"""Records that claim one id or slug: who is in force, and that nobody is so twice."""

from __future__ import annotations

from typing import Any

import pytest

from registry.snapshot import Snapshot
from tests.records import GONE, record
from tests.unit.catalogue import Reading, codes, in_force

ONE, TWO = record(slug="one", name="One"), record(slug="two", name="Two")


def broken(slug: str, **changes: Any) -> dict[str, Any]:
    """A record that says a status that there is not."""
    return record(slug=slug, **{"name": "Edited", "health": {"status": "fine"}, **changes})


@pytest.mark.parametrize(
    "copy",
    [broken("one"), broken("one", environment_id=GONE), broken("1", environment_id="env-one")],
)
def test_two_broken_copies_bring_one_version_back(copy: dict[str, Any]) -> None:
    reading = Reading()
    reading.read(ONE)
    assert in_force(reading.read(broken("one"), copy)) == [("env-one", "One")]


def test_a_double_whose_workspace_vanishes_brings_one_version_back() -> None:
    reading = Reading()
    reading.read(ONE, record(slug="one", name="Double"))
    reading.projects.missing.add("nightshift")
    assert in_force(reading.read(ONE, record(slug="one", name="Double"))) == [("env-one", "One")]


def test_of_doubles_the_first_is_in_force() -> None:
    snapshot = Reading().read(ONE, record(slug="one", name="Double"))
    assert in_force(snapshot) == [("env-one", "One")]
    assert codes(snapshot) == ["", "id_taken"]


@pytest.mark.parametrize(
    ("late", "code"),
    [
        ({"slug": "one", "environment_id": "env-late"}, "slug_taken"),
        ({"slug": "late", "environment_id": "env-one"}, "id_taken"),
        ({"slug": "env-one", "environment_id": "env-late"}, "slug_taken"),
        ({"slug": "late", "environment_id": "one"}, "id_taken"),
    ],
)
def test_the_incumbent_keeps_its_name_though_the_newcomer_stands_first(
    late: dict[str, Any], code: str
) -> None:
    reading = Reading()
    reading.read(ONE)
    snapshot = reading.read(record(**late, name="Late"), ONE)
    assert in_force(snapshot) == [("env-one", "One")]
    assert codes(snapshot) == [code, ""]


def test_the_incumbent_is_known_though_it_was_edited_too() -> None:
    reading = Reading()
    reading.read(ONE)
    edited = record(slug="one", name="Edited")
    copied = record(slug="copy", environment_id="env-one", name="Copy")
    assert in_force(reading.read(copied, edited)) == [("env-one", "Edited")]


def test_a_record_may_change_its_slug_or_swap_it() -> None:
    reading = Reading()
    reading.read(ONE, TWO)
    swapped = [
        record(slug="two", environment_id="env-one"),
        record(slug="one", environment_id="env-two"),
    ]
    snapshot = reading.read(*swapped)
    assert snapshot.faults == ()
    assert {each.environment_id: each.slug for each in snapshot.environments} == {
        "env-one": "two",
        "env-two": "one",
    }


def test_a_record_may_have_its_id_for_a_slug() -> None:
    assert Reading().read(record(slug="one", environment_id="one")).faults == ()


@pytest.mark.parametrize("order", [1, -1])
def test_a_broken_incumbent_keeps_its_slug_too(order: int) -> None:
    reading = Reading()
    reading.read(ONE)
    newcomer = record(slug="one", environment_id="env-new", name="Newcomer")
    snapshot = reading.read(*[broken("one"), newcomer][::order])
    assert in_force(snapshot) == [("env-one", "One")]


def test_a_broken_incumbent_keeps_its_id_too() -> None:
    reading = Reading()
    reading.read(ONE)
    copied = record(slug="copy", environment_id="env-one", name="Copy")
    assert in_force(reading.read(copied, broken("one"))) == [("env-one", "One")]


def names(snapshot: Snapshot) -> dict[str, str]:
    """The slug of each record in force, by id."""
    return {each.environment_id: each.slug for each in snapshot.environments}


def test_who_gives_way_gets_its_old_slug_back_from_who_took_it_meanwhile() -> None:
    reading = Reading()
    reading.read(ONE, TWO)
    moved = record(slug="two", environment_id="env-one", name="Moved")
    late = record(slug="one", environment_id="env-late")
    refused = record(slug="one", environment_id="env-two", name="Refused")
    for _ in range(2):
        snapshot = reading.read(moved, late, refused)
        assert names(snapshot) == {"env-one": "one", "env-two": "two"}


def test_a_record_in_an_unknown_workspace_keeps_its_slug_from_a_newcomer() -> None:
    reading = Reading()
    reading.read(record(slug="one", project_id="elsewhere"))
    reading.projects.missing.add("elsewhere")
    renamed = record(slug="other", environment_id="env-one", project_id="elsewhere")
    for _ in range(2):
        snapshot = reading.read(renamed, record(slug="one", environment_id="env-late"))
        assert names(snapshot) == {"env-one": "one"}


def test_a_broken_copy_with_the_old_slug_does_not_stop_a_record_from_being_renamed() -> None:
    reading = Reading()
    reading.read(ONE)
    renamed = record(slug="new", environment_id="env-one", name="Renamed")
    snapshot = reading.read(renamed, broken("one", environment_id=GONE))
    assert in_force(snapshot) == [("env-one", "Renamed")]


def test_a_double_without_a_match_does_not_bring_a_slug_in_force_twice() -> None:
    reading = Reading()
    reading.read(ONE)
    late = record(slug="one", environment_id="env-late")
    double = record(slug="double", environment_id="env-late")
    for _ in range(2):
        assert names(reading.read(late, double)) == {"env-one": "one"}
