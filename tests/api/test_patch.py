"""PATCH /api/environments/{ref}: a JSON merge patch, and the times that follow a change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.steps import ALL, create, pointers, read, refused
from tests.daemons import Daemon

LONG_AGO = "2026-01-05T09:00:00Z"


async def patch(daemon: Daemon, change: Any, ref: str = "dev") -> dict[str, Any]:
    """The environment that this merge patch makes."""
    answer = await daemon.call("PATCH", f"{ALL}/{ref}", json=change)
    assert answer.status == 200, answer.content
    return dict(answer.value)


async def make_old(daemon: Daemon) -> dict[str, Any]:
    """An environment whose state and health are of long ago."""
    return await create(
        daemon,
        "dev",
        lifecycle={"state": "active", "changed_at": LONG_AGO},
        health={"status": "healthy", "checked_at": LONG_AGO},
    )


async def test_only_what_the_patch_names_changes(daemon: Daemon) -> None:
    created = await create(daemon, "dev", description="kept")
    patched = await patch(daemon, {"name": "New", "host": {"region": "north"}})
    assert patched["host"] == {**created["host"], "region": "north"}
    changed = {key for key in created if created[key] != patched[key]}
    assert changed == {"name", "host", "updated_at"}
    assert patched == await read(daemon, "dev")


@pytest.mark.parametrize("media_type", ["application/merge-patch+json", "application/json"])
async def test_both_media_types_are_taken(daemon: Daemon, media_type: str) -> None:
    await create(daemon, "dev")
    answer = await daemon.call(
        "PATCH", f"{ALL}/dev", data=b'{"name": "New"}', headers={"Content-Type": media_type}
    )
    assert answer.value["name"] == "New"


async def test_null_takes_a_key_away_and_a_list_is_replaced(daemon: Daemon) -> None:
    metadata = {"keep": 1, "drop": 2, "deep": {"keep": 1, "drop": 2}, "list": [1, 2, 3]}
    await create(daemon, "dev", metadata=metadata)
    patched = await patch(
        daemon, {"metadata": {"drop": None, "deep": {"drop": None}, "list": [4], "absent": None}}
    )
    assert patched["metadata"] == {"keep": 1, "deep": {"keep": 1}, "list": [4]}


async def test_null_takes_an_optional_field_back_to_its_default(daemon: Daemon) -> None:
    await create(daemon, "dev", description="x", ports=[{"name": "web", "port": 80}])
    patched = await patch(daemon, {"description": None, "ports": None})
    assert (patched["description"], patched["ports"]) == (None, [])


@pytest.mark.parametrize("required", ["slug", "owner", "lifecycle", "health", "environment_id"])
async def test_a_required_field_cannot_be_taken_away(daemon: Daemon, required: str) -> None:
    created = await create(daemon, "dev")
    answer = await daemon.call("PATCH", f"{ALL}/dev", json={required: None})
    assert pointers(refused(answer, 422, "invalid_record")) == [f"/{required}"]
    assert await read(daemon, "dev") == created


async def test_read_only_keys_are_ignored(daemon: Daemon) -> None:
    created = await create(daemon, "dev")
    given = {"created_at": None, "updated_at": None, "project": None, "fault": 1}
    assert await patch(daemon, given) == created
    same_id = {"environment_id": created["environment_id"], "name": "New"}
    assert (await patch(daemon, same_id))["name"] == "New"


@pytest.mark.parametrize(
    "change",
    [{}, {"name": "Dev"}, {"metadata": {"absent": None}}, {"host": {}}, {"ports": []}],
)
async def test_a_patch_that_changes_nothing_touches_nothing(
    daemon: Daemon, change: dict[str, Any]
) -> None:
    created = await create(daemon, "dev")
    before = daemon.folders.catalogue.stat(), daemon.folders.catalogue.read_bytes()
    etag = (await daemon.call("GET", f"{ALL}/dev")).headers["ETag"]
    answer = await daemon.call("PATCH", f"{ALL}/dev", json=change)
    assert answer.headers["ETag"] == etag
    assert answer.value == created
    assert daemon.folders.catalogue.read_bytes() == before[1]
    assert daemon.folders.catalogue.stat().st_mtime_ns == before[0].st_mtime_ns
    assert daemon.folders.catalogue.stat().st_ino == before[0].st_ino


@pytest.mark.parametrize(("old", "new"), [(1, True), (0, False), (1, 1.0)])
async def test_another_kind_of_value_is_a_change(daemon: Daemon, old: Any, new: Any) -> None:
    await create(daemon, "dev", metadata={"flag": old})
    await patch(daemon, {"metadata": {"flag": new}})
    assert json.dumps(daemon.folders.stored()[0]["metadata"]["flag"]) == json.dumps(new)


async def test_another_state_sets_changed_at(daemon: Daemon) -> None:
    await make_old(daemon)
    patched = await patch(daemon, {"lifecycle": {"state": "retired"}})
    assert patched["lifecycle"]["changed_at"] == patched["updated_at"] > LONG_AGO


@pytest.mark.parametrize("lifecycle", [{"notes": "x"}, {"state": "active", "notes": "x"}])
async def test_the_same_state_keeps_changed_at(daemon: Daemon, lifecycle: Any) -> None:
    await make_old(daemon)
    patched = await patch(daemon, {"lifecycle": lifecycle})
    assert patched["lifecycle"]["changed_at"] == LONG_AGO
    assert patched["updated_at"] > LONG_AGO


@pytest.mark.parametrize("status", ["healthy", "offline"])
async def test_a_written_status_sets_checked_at_also_when_it_is_the_same(
    daemon: Daemon, status: str
) -> None:
    await make_old(daemon)
    patched = await patch(daemon, {"health": {"status": status}})
    assert patched["health"]["checked_at"] == patched["updated_at"] > LONG_AGO


async def test_a_status_written_with_its_time_keeps_that_time(daemon: Daemon) -> None:
    await make_old(daemon)
    health = {"status": "offline", "checked_at": "2026-02-01T00:00:00Z"}
    assert (await patch(daemon, {"health": health}))["health"]["checked_at"] == (
        "2026-02-01T00:00:00Z"
    )


async def test_health_notes_alone_are_no_check(daemon: Daemon) -> None:
    await make_old(daemon)
    patched = await patch(daemon, {"health": {"notes": "slow"}})
    assert patched["health"]["checked_at"] == LONG_AGO


async def test_a_patch_that_breaks_a_rule_is_refused(daemon: Daemon) -> None:
    created = await create(daemon, "dev")
    answer = await daemon.call("PATCH", f"{ALL}/dev", json={"lifecycle": {"state": "gone"}})
    assert pointers(refused(answer, 422, "invalid_record")) == ["/lifecycle/state"]
    answer = await daemon.call("PATCH", f"{ALL}/dev", json={"project_id": "nobody"})
    refused(answer, 422, "unknown_project")
    refused(await daemon.call("PATCH", f"{ALL}/nobody", json={}), 404, "not_found")
    assert await read(daemon, "dev") == created


async def test_a_changed_at_that_is_no_time_is_refused(daemon: Daemon) -> None:
    await create(daemon, "dev")
    lifecycle = {"state": "active", "changed_at": "yesterday"}
    answer = await daemon.call("PATCH", f"{ALL}/dev", json={"lifecycle": lifecycle})
    assert pointers(refused(answer, 422, "invalid_record")) == ["/lifecycle/changed_at"]
