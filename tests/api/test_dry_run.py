"""`?dry_run=true` on every write: what would change, and nothing is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.bodies import body, routed, stored
from tests.api.dry_runs import (
    DRY,
    NOTHING,
    WRITES,
    foreseen,
    hosts,
    patched,
    seed,
    unchanged,
    unmarked,
)
from tests.api.steps import (
    ALL,
    create,
    document,
    refused,
    until_problem,
    until_routed,
)
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders, eventually
from tests.safety.records import record, several
from tests.safety.steps import CONFIRM, until_routes
from tests.unit.provider.observe.pems import pem, put


@pytest.fixture
async def seeded(daemon: Daemon) -> Daemon:
    """A daemon with two environments, and a third that lost its route to one of them."""
    await seed(daemon)
    return daemon


@pytest.mark.parametrize(("method", "path", "given"), WRITES)
async def test_the_write_then_leads_to_exactly_what_was_said(
    seeded: Daemon, method: str, path: str, given: Any
) -> None:
    before = unmarked(await document(seeded))
    routes = await _routes(seeded)
    said = await foreseen(seeded, method, path, given)
    assert said["refused"] is None
    wanted = patched(before, said["document_diff"])
    made = await seeded.call(method, path, json=given)
    assert made.status in (200, 201, 204), made.content
    results = made.value.get("results", ()) if made.content else ()
    for item in results:  # an id that was not given is made anew each time
        for said_item in said.get("results", ()):
            if said_item["slug"] == item["slug"]:
                wanted = _renamed(wanted, said_item["environment_id"], item["environment_id"])

    async def shows() -> None:
        assert unmarked(await document(seeded)) == wanted

    await eventually(shows)
    won = [(r["host"], r["path_prefix"], r["slug"]) for r in said["routes_won"]]
    lost = [(r["host"], r["path_prefix"], r["slug"]) for r in said["routes_lost"]]
    after = await _routes(seeded)
    assert sorted(won) == sorted(after - routes)
    assert sorted(lost) == sorted(routes - after)


async def _routes(daemon: Daemon) -> set[tuple[str, str, str]]:
    routes = (await daemon.call("GET", "/api/routes?state=published")).value["routes"]
    return {(each["host"], each["path_prefix"], each["slug"]) for each in routes}


def _renamed(value: Any, old: str, new: str) -> Any:
    return json.loads(json.dumps(value).replace(old, new))


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("PATCH", f"{ALL}/dev", {}),
        ("PATCH", f"{ALL}/dev", {"name": "Dev", "created_at": "2020-01-01T00:00:00Z"}),
        ("POST", f"{ALL}/dev/revert", {"revision": 4}),
        ("POST", CONFIRM, {}),
        ("POST", f"{ALL}:apply", {"environments": []}),
    ],
)
async def test_what_changes_nothing_says_so(
    seeded: Daemon, method: str, path: str, given: Any
) -> None:
    said = await foreseen(seeded, method, path, given)
    assert {key: said[key] for key in NOTHING} == NOTHING
    assert not said.get("changes")
    assert not said.get("results")


async def test_what_traefik_does_not_see_is_a_change_of_the_record_alone(seeded: Daemon) -> None:
    said = await foreseen(seeded, "PATCH", f"{ALL}/dev", {"health": {"notes": "Self-test OK"}})
    assert {key: said[key] for key in NOTHING} == NOTHING
    assert {"pointer": "/health/notes", "before": None, "after": "Self-test OK"} in said["changes"]
    assert said["environment"]["health"]["notes"] == "Self-test OK"
    assert said["environment"]["project"]["id"] == "nightshift"


async def test_routes_won_are_shown_as_the_list_of_routes_shows_them(seeded: Daemon) -> None:
    given = body("new", environment_id="env-new", **routed("new.test"))
    said = await foreseen(seeded, "POST", ALL, given)
    await seeded.call("POST", ALL, json=given)
    await until_routed(seeded, "new.test")
    listed = (await seeded.call("GET", "/api/routes?environment=env-new")).value["routes"]
    assert said["routes_won"] == listed


async def test_a_deleted_holder_leaves_its_route_to_the_next(seeded: Daemon) -> None:
    said = await foreseen(seeded, "DELETE", f"{ALL}/older")
    assert said["environment"] is None
    assert [(each["host"], each["slug"]) for each in said["routes_won"]] == [
        ("shared.test", "younger")
    ]
    assert sorted(hosts(said["routes_lost"])) == ["old.test", "shared.test"]


async def test_a_standing_conflict_of_the_written_environment_is_told(seeded: Daemon) -> None:
    for ref in ("younger", "older"):
        said = await foreseen(seeded, "PATCH", f"{ALL}/{ref}", {"name": "x"})
        assert [(each["loser"], each["holder"]) for each in said["conflicts"]] == [
            ("env-younger", "env-older")
        ]
    said = await foreseen(seeded, "PATCH", f"{ALL}/dev", {"name": "x"})
    assert said["conflicts"] == []


async def test_a_name_that_is_given_up_lets_a_duplicate_come_in_force(seeded: Daemon) -> None:
    twin = stored("dev", environment_id="env-twin", **routed("twin.test"))
    seeded.folders.hand_write(*seeded.folders.stored(), twin)
    await until_problem(seeded, "slug_taken", "env-twin")
    said = await foreseen(seeded, "DELETE", f"{ALL}/env-dev")
    assert hosts(said["routes_won"]) == ["twin.test"]
    await seeded.call("DELETE", f"{ALL}/env-dev")
    await until_routed(seeded, "twin.test")


async def test_a_pair_is_shown_and_no_copy_is_made(seeded: Daemon) -> None:
    put(seeded.folders.certificates, "dev", pem("dev.test"))
    tls = {"tls": {"cert_file": "dev.crt", "key_file": "dev.key"}}
    given = routed("dev.test", **tls)
    before = unmarked(await document(seeded))
    said = await foreseen(seeded, "PATCH", f"{ALL}/dev", given)
    assert [each["pointer"] for each in said["document_diff"] if "tls" in each["pointer"]][-1:] == [
        "/tls"
    ]
    await seeded.call("PATCH", f"{ALL}/dev", json=given)
    await until_pair(seeded)
    assert unmarked(await document(seeded)) == patched(before, said["document_diff"])


async def test_the_last_good_copy_of_a_half_replaced_pair_is_no_difference(
    seeded: Daemon,
) -> None:
    put(seeded.folders.certificates, "dev", pem("dev.test"))
    tls = {"tls": {"cert_file": "dev.crt", "key_file": "dev.key"}}
    await seeded.call("PATCH", f"{ALL}/dev", json=routed("dev.test", **tls))
    await until_pair(seeded)
    put(seeded.folders.certificates, "dev", pem("dev.test", serial=1), only="crt")
    await until_problem(seeded, "certificate_left_out", "env-dev")
    before = unmarked(await document(seeded))
    assert "tls" in before
    said = await foreseen(seeded, "PATCH", f"{ALL}/dev", {"name": "x"})
    assert said["document_diff"] == []
    said = await foreseen(seeded, "DELETE", f"{ALL}/dev")
    assert {"pointer": "/tls", "before": before["tls"]} in said["document_diff"]


async def until_pair(daemon: Daemon) -> None:
    """Wait until the document lists a certificate."""

    async def shows() -> None:
        assert "tls" in await document(daemon)

    await eventually(shows)


async def test_a_held_edit_is_shown_by_confirm_and_refuses_writes(
    start_daemon: StartDaemon, folders: Folders
) -> None:
    folders.hand_write(*several(2))
    daemon = await start_daemon()
    await until_routes(daemon, "s00.test", "s01.test")
    before = unmarked(await document(daemon))
    folders.hand_write(record("new"))
    await until_problem(daemon, "edit_held", None)
    refused(await daemon.call("POST", ALL + DRY, json=body("x")), 409, "edit_held")
    assert (await foreseen(daemon, "PATCH", f"{ALL}/s00", {}))["changes"] == []
    said = await foreseen(daemon, "POST", CONFIRM, {})
    assert said["confirmed"] == ["env-s00", "env-s01"]
    assert hosts(said["routes_won"]) == ["new.test"]
    assert hosts(said["routes_lost"]) == ["s00.test", "s01.test"]
    assert [(each["action"], each["slug"]) for each in said["results"]] == [
        ("created", "new"),
        ("removed", "s00"),
        ("removed", "s01"),
    ]
    await daemon.call("POST", CONFIRM, json={})
    await until_routes(daemon, "new.test")
    assert unmarked(await document(daemon)) == patched(before, said["document_diff"])


async def test_a_stale_edit_is_shown_by_confirm(seeded: Daemon) -> None:
    old = seeded.folders.stored()
    await seeded.call("PATCH", f"{ALL}/dev", json=routed("later.test"))
    await until_routed(seeded, "later.test")
    seeded.folders.hand_write(*old)
    await until_problem(seeded, "stale_edit", "env-dev")
    said = await foreseen(seeded, "POST", CONFIRM, {})
    assert said["confirmed"] == ["env-dev"]
    assert hosts(said["routes_won"]) == ["dev.test"]
    assert hosts(said["routes_lost"]) == ["later.test"]
    assert [each["action"] for each in said["results"]] == ["changed"]


async def test_a_batch_shows_what_traefik_would_see_beside_its_results(seeded: Daemon) -> None:
    given = {"environments": [body("three", **routed("three.test"))], "dry_run": True}
    async with unchanged(seeded):
        said = (await seeded.call("POST", f"{ALL}:apply", json=given)).value
    assert (said["dry_run"], said["created"], len(said["results"])) == (True, 1, 1)
    assert hosts(said["routes_won"]) == ["three.test"]
    assert "environment" not in said
    assert said["refused"] is None


async def test_the_first_environment_of_all_can_be_rehearsed(
    start_daemon: StartDaemon, folders: Folders
) -> None:
    folders.catalogue.unlink()
    daemon = await start_daemon()
    answer = await daemon.call("POST", ALL + DRY, json=body("dev", **routed("dev.test")))
    assert hosts(answer.value["routes_won"]) == ["dev.test"]
    assert not folders.catalogue.exists()


async def test_a_default_certificate_is_no_difference(start_daemon: StartDaemon) -> None:
    daemon = await start_daemon("--default-certificate")
    await create(daemon, "dev", **routed("dev.test"))
    await until_routed(daemon, "dev.test")
    before = unmarked(await document(daemon))
    assert "stores" in before["tls"]
    said = await foreseen(daemon, "DELETE", f"{ALL}/dev")
    assert not any(each["pointer"].startswith("/tls") for each in said["document_diff"])
    await daemon.call("DELETE", f"{ALL}/dev")
    await until_routed(daemon, "dev.test", gone=True)
    assert unmarked(await document(daemon)) == patched(before, said["document_diff"])
