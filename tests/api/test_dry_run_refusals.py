"""`?dry_run=true` of a write that would be refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.access.callers import everybody
from tests.api.bodies import body, routed, stored
from tests.api.dry_runs import (
    DRY,
    WRITES,
    foreseen,
    hosts,
    seed,
    unchanged,
)
from tests.api.steps import (
    ALL,
    create,
    pointers,
    read,
    refused,
    until_problem,
)
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders


@pytest.fixture
async def seeded(daemon: Daemon) -> Daemon:
    """A daemon with two environments, and a third that lost its route to one of them."""
    await seed(daemon)
    return daemon


async def test_a_route_conflict_is_no_error_but_names_the_holder(seeded: Daemon) -> None:
    given = body("late", environment_id="env-late", **routed("dev.test", "free.test"))
    said = await foreseen(seeded, "POST", ALL, given)
    problem = refused(await seeded.call("POST", ALL, json=given), 409, "route_conflict")
    assert said["refused"] == problem
    assert [(e["host"], e["loser"], e["holder"]) for e in said["conflicts"]] == [
        ("dev.test", "env-late", "env-dev")
    ]
    assert hosts(said["routes_won"]) == ["free.test"]
    assert said["routes_lost"] == []


async def test_an_older_environment_wins_no_route_by_a_write_that_is_refused(
    seeded: Daemon,
) -> None:
    """Though by age it would, if both stood in the file."""
    given = {"metadata": {"router": {"hostnames": ["shared.test", "old.test", "dev.test"]}}}
    said = await foreseen(seeded, "PATCH", f"{ALL}/older", given)
    assert said["refused"]["code"] == "route_conflict"
    assert said["refused"]["holder"]["environment_id"] == "env-dev"
    assert (said["routes_won"], said["routes_lost"]) == ([], [])
    assert [(e["host"], e["loser"], e["holder"]) for e in said["conflicts"]] == [
        ("dev.test", "env-older", "env-dev"),
        ("shared.test", "env-younger", "env-older"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "given", "status", "code"),
    [
        ("POST", ALL, body("new", name=""), 422, "invalid_record"),
        ("POST", ALL, body("new", project_id="none"), 422, "unknown_project"),
        ("POST", ALL, body("dev"), 409, "slug_taken"),
        ("POST", ALL, body("x", environment_id="env-dev"), 409, "id_taken"),
        ("PATCH", f"{ALL}/none", {}, 404, "not_found"),
        ("PATCH", f"{ALL}/dev", routed(service_url="http://169.254.1.1"), 422,
         "forbidden_upstream"),
        ("PATCH", f"{ALL}/bad", {}, 409, "quarantined"),
        ("DELETE", f"{ALL}/none", None, 404, "not_found"),
        ("POST", f"{ALL}/dev/revert", {"revision": 99}, 404, "not_found"),
        ("POST", f"{ALL}:apply", {"environments": [body("late", **routed("dev.test"))]}, 409,
         "route_conflict"),
    ],
)  # fmt: skip
async def test_every_other_refusal_is_that_of_the_write(
    seeded: Daemon, method: str, path: str, given: Any, status: int, code: str
) -> None:
    seeded.folders.hand_write(*seeded.folders.stored(), {**stored("bad"), "name": 7})
    await until_problem(seeded, "invalid_record", "env-bad")
    async with unchanged(seeded):
        said = refused(await seeded.call(method, path + DRY, json=given), status, code)
    made = refused(await seeded.call(method, path, json=given), status, code)
    assert said.keys() == made.keys()
    assert pointers(said) == pointers(made)


async def test_if_match_is_judged_as_by_the_write(seeded: Daemon) -> None:
    path, wrong = f"{ALL}/dev{DRY}", {"If-Match": '"0000000000000000"'}
    for method, given in (("PATCH", {"name": "x"}), ("DELETE", None), ("PUT", stored("dev"))):
        answer = await seeded.call(method, path, json=given, headers=wrong)
        refused(answer, 412, "revision_conflict")
        answer = await seeded.call(method, path, json=given, headers={"If-Match": "*"})
        assert answer.status == 200


async def test_what_is_rehearsed_is_no_write_for_those_who_may_not(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    callers = everybody(folders.data)
    folders.hand_write(stored("dev"))
    daemon = await start_daemon()
    for method, path, given in WRITES:
        for caller, status, code in (("viewer", 403, "forbidden"),
                                     ("stranger", 401, "unauthenticated")):  # fmt: skip
            answer = await daemon.call(method, path + DRY, json=given, headers=callers[caller])
            refused(answer, status, code)


async def test_dry_run_is_a_yes_or_a_no(daemon: Daemon) -> None:
    made = await create(daemon, "dev")
    for wrong in ("?dry_run=perhaps", "?dryrun=true", "?dry_run=true&dry_run=false"):
        answer = await daemon.call("DELETE", f"{ALL}/dev{wrong}")
        refused(answer, 422, "invalid_record")
    assert await read(daemon, "dev") == made
    assert (await daemon.call("DELETE", f"{ALL}/dev?dry_run=false")).status == 204
