"""Stored texts to environments and back: each text on its own, whatever is in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry import codec
from registry.names import derived_environment_id
from registry.schema import Owner
from tests.records import GONE, environment, record, router
from tests.unit.catalogue import Reading, only_fault
from tests.unit.strategies import json_values, whole_records

INES = Owner(name="Ines Okafor", role="owner")


def decode(text: Any) -> codec.Decoded:
    """A text, or a value as text, decoded where every workspace has Ines."""
    written = text if isinstance(text, str) else json.dumps(text)
    return codec.decode(written, lambda _project_id: INES)


def test_a_whole_record_wants_nothing() -> None:
    decoded = decode(record(**router()))
    assert decoded == codec.Decoded(environment(**router()), names=("env-dev", "dev"))


def test_the_stored_text_has_two_spaces_a_level_and_letters_as_they_are() -> None:
    text = codec.encode(environment(name="Bücher 例え", metadata={"tag": "ü"}))
    assert text.startswith('{\n  "environment_id": "env-dev",\n  "project_id"')
    assert '"name": "Bücher 例え"' in text
    assert '  "metadata": {\n    "tag": "ü"\n  },\n' in text


def test_what_a_hand_made_record_lacks_is_filled_in_and_named() -> None:
    lacking = ("environment_id", "owner", "created_at", "updated_at")
    decoded = decode(record(**dict.fromkeys(lacking, GONE)))
    assert decoded.wanting == lacking
    assert decoded.environment is not None
    assert decoded.environment.environment_id == derived_environment_id("nightshift", "dev")
    assert decoded.environment.owner == INES
    assert decoded.environment.created_at is None


def test_null_is_not_lacking_so_nothing_is_filled_in_beside_it() -> None:
    decoded = decode(record() | {"owner": None, "created_at": None})
    assert decoded.wanting == ()
    assert [error.pointer for error in decoded.errors] == ["/owner"]


@pytest.mark.parametrize("missing", ["lifecycle", "health", "name", "host", "project_id"])
def test_nothing_else_is_filled_in(missing: str) -> None:
    decoded = decode(record(**{missing: GONE}))
    assert decoded.environment is None
    assert [error.pointer for error in decoded.errors] == [f"/{missing}"]


def test_without_anyone_to_ask_a_missing_owner_is_a_fault() -> None:
    decoded = codec.decode(json.dumps(record(owner=GONE)), lambda _project_id: None)
    assert [error.pointer for error in decoded.errors] == ["/owner"]


def test_a_completed_text_gains_the_wanting_keys_and_no_others() -> None:
    text = '{"slug": "dev", "name": "Dév", "metadata": {"z": 1.0, "a": 1}, "x-order": 3}'
    whole = environment(name="other", owner={"email": "ines@nightshift.test"})
    completed = codec.completed(text, whole, ("environment_id", "owner", "created_at"))
    value = json.loads(completed)
    assert list(value) == [
        "environment_id",
        "slug",
        "name",
        "metadata",
        "x-order",
        "owner",
        "created_at",
    ]
    assert value["name"] == "Dév"
    assert "Dév" in completed
    assert value["metadata"] == {"z": 1.0, "a": 1}
    assert value["owner"]["email"] == "ines@nightshift.test"
    assert value["created_at"] == whole.document["created_at"]


@pytest.mark.parametrize("text", ["null", "[]", '"x"', "1"])
def test_a_record_is_an_object(text: str) -> None:
    decoded = decode(text)
    assert (decoded.environment, decoded.code) == (None, "invalid_record")


def test_a_key_that_stands_twice_is_a_fault_of_its_record() -> None:
    decoded = decode('{"slug": "a", "slug": "b"}')
    assert (decoded.environment, decoded.code) == (None, "duplicate_key")


def test_a_broken_record_still_says_what_it_is_called() -> None:
    decoded = decode(record(health={"status": "fine"}))
    assert decoded.code == "invalid_record"
    assert decoded.names == ("env-dev", "dev")
    assert decode(record(environment_id=7, slug=GONE)).names == (None, None)


@pytest.mark.parametrize(
    ("changes", "pointer", "before"),
    [
        ({"health": {"status": "fine"}}, "/health/status", '"status": '),
        ({"host": {"hostname": GONE}}, "/host/hostname", '"host": '),
        ({"health": GONE}, "/health", '"environments": [\n'),
        ({"zone": [1]}, "/zone", '"zone": '),
        ({"ports": [{"name": "w", "port": 0}]}, "/ports/0/port", '"port": '),
    ],
)
def test_a_fault_is_where_its_value_begins_or_the_object_that_lacks_it(
    changes: dict[str, Any], pointer: str, before: str
) -> None:
    text = json.dumps({"version": 1, "environments": [record(**changes)]}, indent=2)
    text = text.replace('"environments": [\n    {', '"environments": [\n{')
    offset = text.index(before) + len(before)
    line, column = text[:offset].count("\n") + 1, len(text[:offset].rpartition("\n")[2]) + 1
    (fault,) = Reading().read_text(text).faults
    assert str(fault.errors[0]).startswith(f"c.json:{line}:{column}: {pointer}: ")


def test_a_record_that_begins_within_a_line_counts_columns_of_the_file() -> None:
    text = '[ {"slug": "a"}, ' + json.dumps(record(slug="b", name="")) + "]"
    faults = Reading().read_text(text).faults
    pointers = {error.pointer: str(error.place) for fault in faults for error in fault.errors}
    assert pointers["/project_id"] == "c.json:1:3"
    assert pointers["/name"] == f"c.json:1:{text.index(json.dumps('')) + 1}"


def test_a_pointer_with_escapes_finds_its_place() -> None:
    text = '[{"x": 1,\n "a/b~c": 2}]'
    errors = only_fault(Reading().read_text(text)).fault.errors  # type: ignore[union-attr]
    assert [str(e.place) for e in errors if e.pointer == "/a~1b~0c"] == ["c.json:2:11"]


@settings(max_examples=150, derandomize=True)
@given(whole_records(), st.data())
def test_no_text_makes_decoding_raise(whole: dict[str, Any], data: st.DataObject) -> None:
    broken = {**whole}
    for key in data.draw(st.lists(st.sampled_from(sorted(whole)), max_size=3)):
        broken[key] = data.draw(json_values)
    decoded = decode(broken)
    assert (decoded.environment is None) == bool(decoded.errors)
    snapshot = Reading().read(broken)
    assert len(snapshot.environments) + len(snapshot.faults) == 1


def test_half_a_surrogate_pair_in_the_project_id_is_a_fault_of_its_record() -> None:
    decoded = decode('{"project_id": "\\ud800", "slug": "dev"}')
    assert decoded.code == "invalid_record"


def test_a_time_before_the_calendar_is_a_fault_of_its_record() -> None:
    snapshot = Reading().read(record(slug="good"), record(created_at="0001-01-01T00:00:00+01:00"))
    assert [each.slug for each in snapshot.environments] == ["good"]


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ('{"x": 1e999}', "not finite"),
        ('{"x": ' + "[" * 21 + "]" * 21 + "}", "nested deeper"),
        ('{"x": "' + "a" * 65_536 + '"}', "at most 65536"),
    ],
)
def test_a_stored_open_part_holds_to_its_bounds(metadata: str, reason: str) -> None:
    text = json.dumps(record(metadata={})).replace('"metadata": {}', f'"metadata": {metadata}')
    [error] = decode(text).errors
    assert (error.pointer, reason in error.message) == ("/metadata", True)
