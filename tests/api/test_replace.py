"""PUT /api/environments/{ref}: the record whole, and the round trip GET → edit → PUT."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.bodies import body
from tests.api.steps import ALL, create, pointers, problems, read, refused, until_problem
from tests.daemons import Daemon


def whole(**changes: Any) -> dict[str, Any]:
    """A body that PUT takes."""
    return {
        **body("dev"),
        "owner": {"name": "Ines Okafor"},
        "lifecycle": {"state": "planned"},
        "health": {"status": "unknown"},
        **changes,
    }


async def test_a_record_is_replaced_whole(daemon: Daemon) -> None:
    created = await create(daemon, "dev", description="gone soon", metadata={"gone": "too"})
    answer = await daemon.call("PUT", f"{ALL}/dev", json=whole(name="New name"))
    assert answer.status == 200
    assert answer.value["name"] == "New name"
    assert answer.value["description"] is None
    assert answer.value["metadata"] == {}
    assert answer.value["environment_id"] == created["environment_id"]
    assert answer.value["created_at"] == created["created_at"]
    assert answer.value == await read(daemon, "dev")


async def test_what_was_read_can_be_edited_and_put_back(daemon: Daemon) -> None:
    await create(daemon, "dev", metadata={"team": "night"})
    got = await daemon.call("GET", f"{ALL}/dev")
    edited = {**got.value, "name": "Edited"}
    answer = await daemon.call(
        "PUT", f"{ALL}/dev", json=edited, headers={"If-Match": got.headers["ETag"]}
    )
    assert answer.status == 200
    assert answer.headers["ETag"] != got.headers["ETag"]
    changed = {key for key in got.value if got.value[key] != answer.value[key]}
    assert changed == {"name", "updated_at"}


async def test_putting_back_what_was_read_changes_nothing(daemon: Daemon) -> None:
    await create(daemon, "dev", health={"status": "healthy"})
    got, before = await daemon.call("GET", f"{ALL}/dev"), daemon.folders.catalogue.read_bytes()
    answer = await daemon.call("PUT", f"{ALL}/dev", json=got.value)
    assert answer.headers["ETag"] == got.headers["ETag"]
    assert answer.value == got.value
    assert daemon.folders.catalogue.read_bytes() == before


async def test_read_only_keys_are_ignored(daemon: Daemon) -> None:
    created = await create(daemon, "dev")
    given = whole(created_at="x", updated_at=7, project={"id": "other"}, fault={})
    answer = await daemon.call("PUT", f"{ALL}/dev", json=given)
    assert answer.value["created_at"] == created["created_at"]
    assert answer.value["project"]["id"] == "nightshift"


@pytest.mark.parametrize(
    "missing", ["project_id", "slug", "name", "host", "owner", "lifecycle", "health"]
)
async def test_a_missing_required_key_is_a_fault_and_gets_no_default(
    daemon: Daemon, missing: str
) -> None:
    await create(daemon, "dev")
    given = whole()
    del given[missing]
    problem = refused(await daemon.call("PUT", f"{ALL}/dev", json=given), 422, "invalid_record")
    assert pointers(problem) == [f"/{missing}"]


async def test_the_id_never_changes(daemon: Daemon) -> None:
    created = await create(daemon, "dev")
    answer = await daemon.call("PUT", f"{ALL}/dev", json=whole(environment_id="other"))
    assert pointers(refused(answer, 422, "invalid_record")) == ["/environment_id"]
    equal = whole(environment_id=created["environment_id"], name="New")
    assert (await daemon.call("PUT", f"{ALL}/dev", json=equal)).value["name"] == "New"


async def test_the_slug_may_change(daemon: Daemon) -> None:
    created = await create(daemon, "dev")
    await daemon.call("PUT", f"{ALL}/dev", json=whole(slug="stage"))
    assert (await read(daemon, "stage"))["environment_id"] == created["environment_id"]
    refused(await daemon.call("GET", f"{ALL}/dev"), 404, "not_found")


async def test_a_slug_of_another_is_refused(daemon: Daemon) -> None:
    await create(daemon, "dev")
    await create(daemon, "taken", environment_id="taken-id")
    for slug in ("taken", "taken-id"):
        answer = await daemon.call("PUT", f"{ALL}/dev", json=whole(slug=slug))
        assert pointers(refused(answer, 409, "slug_taken")) == ["/slug"]


async def test_an_unknown_project_is_refused(daemon: Daemon) -> None:
    await create(daemon, "dev")
    answer = await daemon.call("PUT", f"{ALL}/dev", json=whole(project_id="nobody"))
    refused(answer, 422, "unknown_project")


async def test_nobody_is_replaced_under_an_unknown_name(daemon: Daemon) -> None:
    refused(await daemon.call("PUT", f"{ALL}/dev", json=whole()), 404, "not_found")
    assert daemon.folders.stored() == []


async def test_the_record_keeps_its_place_in_the_file(daemon: Daemon) -> None:
    for slug in ("a", "dev", "z"):
        await create(daemon, slug)
    await daemon.call("PUT", f"{ALL}/dev", json=whole(name="New"))
    assert [record["slug"] for record in daemon.folders.stored()] == ["a", "dev", "z"]


async def test_a_broken_record_is_mended(daemon: Daemon) -> None:
    created = await create(daemon, "dev")
    text = daemon.folders.catalogue.read_text()
    daemon.folders.catalogue.write_text(text.replace('"planned"', '"gone"'))
    await until_problem(daemon, "invalid_record", created["environment_id"])
    answer = await daemon.call("PUT", f"{ALL}/dev", json=whole(name="Mended"))
    assert answer.status == 200
    assert "fault" not in answer.value
    assert (await read(daemon, "dev"))["environment_id"] == created["environment_id"]
    assert await problems(daemon) == []


@pytest.mark.parametrize("value", [1, [], "x"])
async def test_a_body_that_is_no_object_is_refused(daemon: Daemon, value: Any) -> None:
    await create(daemon, "dev")
    for method in ("PUT", "PATCH"):
        answer = await daemon.call(method, f"{ALL}/dev", json=value)
        assert pointers(refused(answer, 422, "invalid_record")) == [""]
