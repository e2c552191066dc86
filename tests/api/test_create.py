"""POST /api/environments: what a new environment is answered with, and what is stored."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.bodies import body, routed
from tests.api.steps import ALL, create, read
from tests.daemons import Daemon

INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$")


def is_now(instant: str) -> bool:
    """Whether an RFC 3339 text in UTC is of the last minutes."""
    assert INSTANT.match(instant), instant
    return abs(datetime.now(UTC) - datetime.fromisoformat(instant)) < timedelta(minutes=5)


async def test_a_new_environment_is_201_with_its_location_and_etag(daemon: Daemon) -> None:
    answer = await daemon.call("POST", ALL, json=body("nightshift-dev"))
    assert answer.status == 201
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Location"] == f"{ALL}/{answer.value['environment_id']}"
    again = await daemon.call("GET", answer.headers["Location"])
    assert again.value == answer.value
    assert again.headers["ETag"] == answer.headers["ETag"]
    assert re.fullmatch(r'"[0-9a-f]{16}"', answer.headers["ETag"])


async def test_the_id_is_made_of_the_slug(daemon: Daemon) -> None:
    created = await create(daemon, "nightshift-dev")
    assert re.fullmatch(r"env-nightshift-dev-[0-9a-f]{6}", created["environment_id"])


async def test_a_given_id_is_kept(daemon: Daemon) -> None:
    assert (await create(daemon, environment_id="dev"))["environment_id"] == "dev"


async def test_what_is_not_given_gets_its_default(daemon: Daemon) -> None:
    created = await create(daemon, "nightshift-dev")
    assert created["lifecycle"]["state"] == "planned"
    assert created["health"]["status"] == "unknown"
    assert created["description"] is None
    assert created["ports"] == []
    assert created["metadata"] == {}
    assert created["host"] == {
        "hostname": "nightshift-dev.test",
        "provider": None,
        "region": None,
        "ip": None,
        "notes": None,
    }


async def test_the_times_are_filled_in(daemon: Daemon) -> None:
    created = await create(daemon)
    assert is_now(created["created_at"])
    assert created["updated_at"] == created["created_at"]
    assert created["lifecycle"]["changed_at"] == created["created_at"]


async def test_a_default_health_was_never_checked(daemon: Daemon) -> None:
    assert (await create(daemon))["health"]["checked_at"] is None


async def test_a_given_health_was_checked_now(daemon: Daemon) -> None:
    created = await create(daemon, health={"status": "healthy"})
    assert is_now(created["health"]["checked_at"])


async def test_given_times_of_state_and_health_are_kept(daemon: Daemon) -> None:
    created = await create(
        daemon,
        lifecycle={"state": "active", "changed_at": "2026-01-05T10:00:00+01:00"},
        health={"status": "healthy", "checked_at": "2026-01-06T09:00:00.250Z"},
    )
    assert created["lifecycle"]["changed_at"] == "2026-01-05T09:00:00Z"
    assert created["health"]["checked_at"] == "2026-01-06T09:00:00.250Z"


async def test_lifecycle_notes_alone_still_mean_planned(daemon: Daemon) -> None:
    created = await create(daemon, lifecycle={"notes": "in March"}, health={"notes": "none yet"})
    assert (created["lifecycle"]["state"], created["lifecycle"]["notes"]) == ("planned", "in March")
    assert (created["health"]["status"], created["health"]["notes"]) == ("unknown", "none yet")


@pytest.mark.parametrize(
    ("project_id", "owner"),
    [("nightshift", "Ines Okafor"), ("storefront", "Mika Sato")],
    ids=["the contact whose role is owner", "else the first contact"],
)
async def test_the_owner_comes_from_the_contacts(
    daemon: Daemon, project_id: str, owner: str
) -> None:
    created = await create(daemon, project_id=project_id)
    assert created["owner"]["name"] == owner
    assert set(created["owner"]) == {"name", "email", "slack", "role"}


async def test_a_given_owner_is_kept(daemon: Daemon) -> None:
    created = await create(daemon, owner={"name": "Tom Brandt"})
    assert created["owner"] == {"name": "Tom Brandt", "email": None, "slack": None, "role": None}


async def test_the_workspace_is_hydrated_without_its_secrets(daemon: Daemon) -> None:
    project = (await create(daemon))["project"]
    assert project["name"] == "Nightshift"
    assert project["repositories"][0]["branch"] == "main"
    assert project["env_vars"] == [
        {"name": "DATABASE_URL", "description": None, "required": False, "secret": True}
    ]
    assert "budget" not in project


async def test_read_only_keys_in_the_body_are_ignored(daemon: Daemon) -> None:
    created = await create(
        daemon,
        created_at="2001-01-01T00:00:00Z",
        updated_at="never",
        project={"id": "other"},
        fault={"code": "none"},
    )
    assert is_now(created["created_at"])
    assert is_now(created["updated_at"])
    assert created["project"]["id"] == "nightshift"
    assert "fault" not in created


async def test_metadata_is_kept_as_given(daemon: Daemon) -> None:
    metadata: dict[str, Any] = {
        "dns_zones": ["b.test", "a.test"],
        "Ünïcode ✓": {"deep": [1, 2.5, True, None, "x"]},
        "router": {"service_url": "http://127.0.0.1:9001", "hostnames": ["Dev.TEST."]},
    }
    created = await create(daemon, metadata=metadata)
    assert created["metadata"] == metadata
    assert daemon.folders.stored()[0]["metadata"] == metadata


async def test_the_record_is_in_the_file_without_the_workspace(daemon: Daemon) -> None:
    created = await create(daemon, **routed("nightshift-dev.test"))
    del created["project"]
    assert daemon.folders.stored() == [created]
    assert daemon.folders.catalogue.read_text().endswith("}\n")


async def test_new_environments_follow_in_the_order_of_their_making(daemon: Daemon) -> None:
    for slug in ("b", "c", "a"):
        await create(daemon, slug)
    assert [record["slug"] for record in daemon.folders.stored()] == ["b", "c", "a"]
    assert (await read(daemon, "c"))["slug"] == "c"
