"""Quarantine: a broken record is held back alone, and its last good version stays in force."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry.errors import NotFound
from tests.records import GONE, record
from tests.unit.catalogue import Reading, codes, in_force, only_fault

ONE, TWO = record(slug="one", name="One"), record(slug="two", name="Two")
BROKEN: dict[str, Any] = {"name": "Edited", "health": {"status": "fine"}}


def broken(slug: str, **changes: Any) -> dict[str, Any]:
    """A record that says a status that there is not."""
    return record(slug=slug, **{**BROKEN, **changes})


def test_a_broken_record_is_held_back_alone() -> None:
    snapshot = Reading().read(ONE, broken("two"), record(slug="three", name="Three"))
    assert in_force(snapshot) == [("env-one", "One"), ("env-three", "Three")]
    assert codes(snapshot) == ["", "invalid_record", ""]


def test_its_last_good_version_stays_in_force() -> None:
    reading = Reading()
    reading.read(ONE, TWO)
    for _ in range(2):
        snapshot = reading.read(broken("one"), TWO)
        assert in_force(snapshot) == [("env-one", "One"), ("env-two", "Two")]
        assert codes(snapshot) == ["invalid_record", ""]


def test_its_own_text_is_what_the_entry_keeps() -> None:
    reading = Reading()
    reading.read(ONE)
    entry = only_fault(reading.read(broken("one")))
    assert json.loads(entry.raw.text) == broken("one")
    assert entry.environment is not None
    assert entry.environment.name == "One"


def test_a_mended_record_is_in_force_as_it_is_written() -> None:
    reading = Reading()
    reading.read(ONE)
    reading.read(broken("one"))
    snapshot = reading.read(record(slug="one", name="Mended"))
    assert in_force(snapshot) == [("env-one", "Mended")]
    assert snapshot.faults == ()


@pytest.mark.parametrize("changes", [{"environment_id": GONE}, {"environment_id": "not an id"}])
def test_without_its_id_it_is_known_by_its_slug(changes: dict[str, Any]) -> None:
    reading = Reading()
    reading.read(ONE, TWO)
    assert in_force(reading.read(broken("one", **changes), TWO)) == [
        ("env-one", "One"),
        ("env-two", "Two"),
    ]


def test_a_broken_record_is_known_by_its_id_though_its_slug_changed() -> None:
    reading = Reading()
    reading.read(ONE)
    assert in_force(reading.read(broken("renamed", environment_id="env-one"))) == [
        ("env-one", "One")
    ]


def test_a_record_that_is_gone_is_gone() -> None:
    reading = Reading()
    reading.read(ONE, TWO)
    assert in_force(reading.read(TWO)) == [("env-two", "Two")]


def test_a_last_good_version_goes_with_its_broken_record() -> None:
    reading = Reading()
    reading.read(ONE, TWO)
    reading.read(broken("one"), TWO)
    assert in_force(reading.read(TWO)) == [("env-two", "Two")]


def test_a_broken_copy_beside_the_good_record_brings_nothing_back() -> None:
    reading = Reading()
    reading.read(ONE)
    snapshot = reading.read(record(slug="one", name="Newer"), broken("one"))
    assert in_force(snapshot) == [("env-one", "Newer")]
    assert codes(snapshot) == ["", "invalid_record"]


NAMELESS = [
    json.dumps(ONE).replace('"name": "One"', '"name": "One", "name": "1"'),
    json.dumps({**ONE, "environment_id": "env-x", "slug": "x y"}),
    "null",
]


@pytest.mark.parametrize("text", NAMELESS)
def test_while_a_broken_record_matches_none_no_vanished_record_goes(text: str) -> None:
    reading = Reading()
    reading.read(ONE, TWO)
    assert ("env-one", "One") in in_force(reading.read(text, TWO))


def test_an_unknown_workspace_leaves_the_record_as_it_was_and_faulty() -> None:
    reading = Reading()
    reading.read(ONE, TWO)
    reading.projects.missing.add("nightshift")
    snapshot = reading.read(record(slug="one", name="Changed"), TWO)
    assert in_force(snapshot) == [("env-one", "One"), ("env-two", "Two")]
    assert codes(snapshot) == ["unknown_project", "unknown_project"]
    errors = only_fault(reading.read(ONE)).fault.errors  # type: ignore[union-attr]
    assert [(e.pointer, e.message) for e in errors] == [
        ("/project_id", "no workspace 'nightshift'")
    ]


def test_a_new_record_in_an_unknown_workspace_is_held_back() -> None:
    reading = Reading()
    reading.projects.missing.add("elsewhere")
    reading.read(ONE)
    snapshot = reading.read(ONE, record(slug="new", project_id="elsewhere"))
    assert in_force(snapshot) == [("env-one", "One")]


def test_at_the_first_reading_an_unknown_workspace_darkens_nothing() -> None:
    reading = Reading()
    reading.projects.missing.add("nightshift")
    snapshot = reading.read(ONE)
    assert in_force(snapshot) == [("env-one", "One")]
    assert codes(snapshot) == ["unknown_project"]


def test_an_entry_is_found_by_id_by_slug_and_while_broken_by_what_it_claims() -> None:
    snapshot = Reading().read(ONE, broken("two"))
    assert snapshot.entry("env-one") is snapshot.entry("one") is snapshot.entries[0]
    assert snapshot.entry("env-two") is snapshot.entry("two") is snapshot.entries[1]
    with pytest.raises(NotFound):
        snapshot.entry("three")
