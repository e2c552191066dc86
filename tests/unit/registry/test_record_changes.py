"""What a write makes of a record: creating, replacing, patching, and the changes for an engine."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from registry import codec
from registry.changes import Change, as_object, between, created, merge_patch, patched, replaced
from registry.entries import Entry, RawRecord
from registry.errors import InvalidRecord
from registry.project_spec import ProjectDefinition
from registry.schema import Environment
from registry.snapshot import Snapshot
from tests.records import GONE, environment, merged, record, router
from tests.unit.fakes import NOON, AnyProjects

PROJECT = AnyProjects().get("nightshift")
BODY = {"project_id": "nightshift", "slug": "dev", "name": "Dev", "host": {"hostname": "dev.test"}}


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_the_appendix_of_rfc_7396_says(
    target: Any, patch: Any, result: Any
) -> None:
    given = copy.deepcopy((target, patch))
    assert merge_patch(target, patch) == result
    assert (target, patch) == given, "the arguments are not changed"


def test_a_new_record_gets_what_it_does_not_give() -> None:
    new = created(BODY, PROJECT, NOON)
    assert re.fullmatch(r"env-dev-[0-9a-f]{6}", new.environment_id)
    assert new.owner.name == "Ines Okafor"
    assert (new.lifecycle.state, new.health.status) == ("planned", "unknown")
    assert new.created_at == new.updated_at == NOON


def test_a_new_record_keeps_what_it_gives() -> None:
    given = record(lifecycle={"state": "retired"}, health={"status": "offline"})
    new = created(given, PROJECT, NOON)
    assert new.environment_id == "env-dev"
    assert new.lifecycle.state == "retired"
    assert new.health.status == "offline"


def test_half_a_lifecycle_gets_the_other_half() -> None:
    new = created({**BODY, "lifecycle": {"notes": "soon"}, "health": None}, PROJECT, NOON)
    assert (new.lifecycle.state, new.lifecycle.notes) == ("planned", "soon")
    assert new.health.status == "unknown"


def test_without_contacts_an_owner_is_required() -> None:
    nobody = ProjectDefinition(id="nightshift", name="Nightshift")
    with pytest.raises(InvalidRecord) as raised:
        created(BODY, nobody, NOON)
    assert [fault.pointer for fault in raised.value.errors] == ["/owner"]


@pytest.mark.parametrize("key", ["owner", "environment_id"])
def test_null_means_omitted_for_whatever_has_a_default(key: str) -> None:
    assert created({**BODY, key: None}, PROJECT, NOON).owner.name == "Ines Okafor"


@pytest.mark.parametrize("body", [None, [], "text", 1])
def test_a_body_is_an_object(body: Any) -> None:
    with pytest.raises(InvalidRecord):
        as_object(body)


def test_the_keys_that_only_we_write_are_ignored() -> None:
    current = environment()
    read_only = {"project": {"id": "x"}, "fault": None, "created_at": 1, "updated_at": "never"}
    assert created({**BODY, **read_only}, PROJECT, NOON).created_at == NOON
    assert patched(current, read_only, NOON) is current
    assert replaced(current, {**current.document, **read_only}, NOON) is current


def test_an_equal_id_is_ignored_and_another_refused() -> None:
    current = environment()
    same = current.document
    assert replaced(current, {**same, "environment_id": "env-dev"}, NOON) is current
    without = {key: value for key, value in same.items() if key != "environment_id"}
    assert replaced(current, without, NOON) is current
    for write in (replaced, patched):
        with pytest.raises(InvalidRecord) as raised:
            write(current, {**same, "environment_id": "env-other"}, NOON)
        assert [fault.pointer for fault in raised.value.errors] == ["/environment_id"]


def test_what_was_read_may_be_put_back_with_one_change() -> None:
    current = environment(**router())
    body = {**current.document, "name": "Renamed", "project": {"id": "nightshift"}}
    new = replaced(current, body, NOON)
    assert new.document == {
        **current.document,
        "name": "Renamed",
        "updated_at": "2026-03-01T12:00:00Z",
    }


@pytest.mark.parametrize("missing", ["owner", "lifecycle", "health", "host", "name", "slug"])
def test_replacing_has_no_defaults(missing: str) -> None:
    with pytest.raises(InvalidRecord) as raised:
        replaced(environment(), record(**{missing: GONE}), NOON)
    assert f"/{missing}" in [fault.pointer for fault in raised.value.errors]


def test_replacing_drops_what_the_body_leaves_out() -> None:
    current = environment(description="text", metadata={"tag": 1})
    new = replaced(current, record(), NOON)
    assert (new.description, new.document["metadata"]) == (None, {})


def test_a_patch_merges_deeply_and_null_removes() -> None:
    current = environment(
        description="text", **merged(router(path_prefix="/a"), {"metadata": {"t": 1}})
    )
    change = {"description": None, "metadata": {"router": {"path_prefix": "/b", "port": None}}}
    new = patched(current, change, NOON)
    assert new.description is None
    assert new.document["metadata"] == merged(
        current.document["metadata"], {"router": {"path_prefix": "/b"}}
    )


def test_a_patch_that_removes_a_required_field_is_refused() -> None:
    with pytest.raises(InvalidRecord) as raised:
        patched(environment(), {"lifecycle": None, "slug": None}, NOON)
    assert [fault.pointer for fault in raised.value.errors] == ["/slug", "/lifecycle"]


def test_a_write_leaves_the_current_record_alone() -> None:
    current = environment(**router(hostnames=["a.test"]))
    before = json.dumps(current.document)
    patched(current, {"metadata": {"router": {"hostnames": ["b.test"]}, "x": 1}}, NOON)
    assert json.dumps(current.document) == before


def snapshot_of(*entries: Entry) -> Snapshot:
    """A snapshot."""
    return Snapshot(entries)


def entry(key: str, made: Environment, text: str | None = None) -> Entry:
    """An entry as it was loaded, or without a key as it is added."""
    return Entry(RawRecord(key, text or codec.encode(made)), made)


def test_the_changes_between_two_snapshots_are_those_of_the_texts() -> None:
    one, two, three = (entry(str(n), environment(slug=f"e{n}")) for n in (1, 2, 3))
    before = snapshot_of(one, two, three)
    assert between(before, before) == ()
    changed = Entry(RawRecord("2", "new text"), two.environment)
    added = entry("", environment(slug="e4"))
    after = before.having(two, changed).having(one, None).having(None, added)
    assert between(before, after) == (
        Change("1", None),
        Change("2", "new text"),
        Change(None, added.raw.text),
    )
