"""`POST /api/environments:apply`: several declared records, all or none."""

from __future__ import annotations

from typing import Any

from tests.api.bodies import body, routed
from tests.api.steps import ALL, create, pointers, read, refused, slugs, until_routed
from tests.daemons import Answer, Daemon
from tests.records import merged

APPLY = f"{ALL}:apply"


async def apply(daemon: Daemon, *records: Any, query: str = "", **more: Any) -> Answer:
    """A POST of these records."""
    return await daemon.call("POST", APPLY + query, json={"environments": records, **more})


async def applied(daemon: Daemon, *records: Any, query: str = "", **more: Any) -> dict[str, Any]:
    """The answer to a POST that must go through."""
    answer = await apply(daemon, *records, query=query, **more)
    assert answer.status == 200, answer.content
    return dict(answer.value)


def actions(answer: dict[str, Any]) -> list[tuple[int | None, str, str]]:
    """What became of each record."""
    return [(item["index"], item["action"], item["slug"]) for item in answer["results"]]


async def test_records_are_created_changed_or_left_and_nothing_else_is_touched(
    daemon: Daemon,
) -> None:
    other = await create(daemon, "other")
    await create(daemon, "one")
    await create(daemon, "two")
    answer = await applied(daemon, body("one"), body("two", name="New"), body("three"))
    assert actions(answer) == [
        (0, "unchanged", "one"),
        (1, "changed", "two"),
        (2, "created", "three"),
    ]
    assert (answer["created"], answer["changed"], answer["unchanged"]) == (1, 1, 1)
    changed = [c["pointer"] for c in answer["results"][1]["changes"]]
    assert "/name" in changed
    assert await read(daemon, "other") == other


async def test_applying_twice_changes_nothing(daemon: Daemon) -> None:
    records = [
        body("one", health={"status": "healthy"}, **routed("one.test")),
        body("two", owner={"name": "Ada"}, lifecycle={"state": "active"}),
    ]
    await applied(daemon, *records)
    before = daemon.folders.catalogue.read_bytes()
    assert (await applied(daemon, *records))["unchanged"] == 2
    assert daemon.folders.catalogue.read_bytes() == before


async def test_a_declaration_is_the_whole_record_but_for_what_others_write(
    daemon: Daemon,
) -> None:
    await create(daemon, "dev", description="gone", metadata={"gone": 1}, owner={"name": "Ada"})
    await daemon.call("PATCH", f"{ALL}/dev", json={"health": {"status": "degraded", "notes": "x"}})
    await daemon.call("PATCH", f"{ALL}/dev", json={"lifecycle": {"state": "active"}})
    await applied(daemon, body("dev", name="New", health={"url": "http://dev.test/health"}))
    after = await read(daemon, "dev")
    assert (after["description"], after["metadata"], after["name"]) == (None, {}, "New")
    assert after["owner"]["name"] == "Ada"
    assert (after["health"]["status"], after["health"]["notes"]) == ("degraded", "x")
    assert after["lifecycle"]["state"] == "active"


async def test_one_bad_record_refuses_them_all_with_every_place(daemon: Daemon) -> None:
    before = daemon.folders.catalogue.read_bytes()
    answer = await apply(
        daemon,
        body("good"),
        body("bad", host={"hostname": "a/b"}, name=""),
        body("lost", project_id="nowhere"),
        17,
    )
    problem = refused(answer, 422, "invalid_record")
    assert pointers(problem)[:2] == ["/environments/1/name", "/environments/1/host/hostname"]
    assert set(pointers(problem)) >= {"/environments/2/project_id", "/environments/3"}
    assert [item["action"] for item in problem["results"]] == ["created", *["refused"] * 3]
    assert problem["results"][2]["problem"]["code"] == "unknown_project"
    assert daemon.folders.catalogue.read_bytes() == before


async def test_a_lost_route_refuses_them_all_and_names_the_holder(daemon: Daemon) -> None:
    holder = await create(daemon, "holder", **routed("taken.test"))
    answer = await apply(daemon, body("one"), body("two", **routed("taken.test")))
    problem = refused(answer, 409, "route_conflict")
    assert problem["holder"]["environment_id"] == holder["environment_id"]
    assert pointers(problem) == ["/environments/1/metadata/router/hostnames"]
    assert await slugs(daemon) == ["holder"]


async def test_two_of_a_batch_cannot_claim_one_route(daemon: Daemon) -> None:
    answer = await apply(
        daemon, body("one", **routed("same.test")), body("two", **routed("same.test"))
    )
    refused(answer, 409, "route_conflict")


async def test_a_batch_is_judged_by_where_it_ends(daemon: Daemon) -> None:
    await create(daemon, "one", **routed("a.test"))
    await create(daemon, "two", **routed("b.test"))
    await applied(daemon, body("one", **routed("b.test")), body("two", **routed("a.test")))
    await until_routed(daemon, "a.test", "b.test")
    assert (await daemon.call("GET", "/api/health")).value["problems"] == []


async def test_slugs_can_be_exchanged_by_ids(daemon: Daemon) -> None:
    one, two = await create(daemon, "one"), await create(daemon, "two")
    await applied(daemon, {**one, "slug": "two"}, {**two, "slug": "one"})
    assert (await read(daemon, "one"))["environment_id"] == two["environment_id"]


async def test_names_that_are_taken_are_refused(daemon: Daemon) -> None:
    one = await create(daemon, "one")
    refused(await apply(daemon, body("two"), body("two")), 409, "slug_taken")
    new = body("one", environment_id="env-new")
    refused(await apply(daemon, new), 409, "slug_taken")
    refused(await apply(daemon, body(one["environment_id"])), 409, "slug_taken")
    refused(await apply(daemon, body("one"), body("one", name="x")), 422, "invalid_record")


async def test_a_record_of_another_workspace_is_not_taken_over_by_its_slug(
    daemon: Daemon,
) -> None:
    one = await create(daemon, "one")
    problem = refused(await apply(daemon, body("one", project_id="storefront")), 409, "slug_taken")
    assert one["environment_id"] in problem["detail"]
    moved = body("one", project_id="storefront", environment_id=one["environment_id"])
    await applied(daemon, moved)
    assert (await read(daemon, "one"))["project_id"] == "storefront"


async def test_prune_takes_away_what_the_workspace_no_longer_declares(daemon: Daemon) -> None:
    for slug, project_id in (("one", "nightshift"), ("two", "nightshift"), ("x", "storefront")):
        await create(daemon, slug, project_id=project_id)
    answer = await applied(daemon, body("two"), project_id="nightshift", prune=True)
    assert actions(answer) == [(0, "unchanged", "two"), (None, "removed", "one")]
    assert await slugs(daemon) == ["two", "x"]
    refused(await apply(daemon, prune=True), 422, "invalid_record")
    refused(await apply(daemon, prune=True, project_id="nowhere"), 422, "unknown_project")


async def test_project_id_stands_for_records_that_name_none(daemon: Daemon) -> None:
    record = {key: value for key, value in body("one").items() if key != "project_id"}
    await applied(daemon, record, project_id="storefront")
    assert (await read(daemon, "one"))["project_id"] == "storefront"


async def test_a_dry_run_says_what_would_be_and_saves_nothing(daemon: Daemon) -> None:
    await create(daemon, "one")
    before = daemon.folders.catalogue.read_bytes()
    for query, more in (("?dry_run=true", {}), ("", {"dry_run": True})):
        answer = await applied(daemon, body("one", name="x"), body("two"), query=query, **more)
        assert answer["dry_run"] is True
        assert actions(answer) == [(0, "changed", "one"), (1, "created", "two")]
    refused(await apply(daemon, body("?"), query="?dry_run=true"), 422, "invalid_record")
    assert daemon.folders.catalogue.read_bytes() == before
    assert len((await daemon.call("GET", "/api/history")).value["history"]) == 1


async def test_a_broken_record_is_mended_by_its_declaration(daemon: Daemon) -> None:
    good = await create(daemon, "dev", **routed("dev.test"))
    stored = daemon.folders.stored()
    daemon.folders.hand_write(merged(stored[0], {"host": {"hostname": "a/b"}}))
    await applied(daemon, body("dev", **routed("dev.test")))
    after = await read(daemon, "dev")
    assert "fault" not in after
    assert after["environment_id"] == good["environment_id"]


async def test_each_record_of_a_batch_has_its_own_history(daemon: Daemon) -> None:
    await applied(daemon, body("one"), body("two"))
    rows = (await daemon.call("GET", "/api/history")).value["history"]
    assert [(row["action"], row["actor"]) for row in rows] == [("created", "local")] * 2


async def test_a_batch_may_be_larger_than_other_bodies(daemon: Daemon) -> None:
    records = [body(f"dev-{n}", description="x" * 1900) for n in range(700)]
    assert (await applied(daemon, *records))["created"] == 700
    refused(await daemon.call("POST", ALL, data=b" " * 2_000_000, headers=JSON), 413, "too_large")
    huge = b" " * (32 * 1024 * 1024 + 1)
    refused(await daemon.call("POST", APPLY, data=huge, headers=JSON), 413, "too_large")


async def test_a_record_of_another_workspace_than_the_batch_is_refused(daemon: Daemon) -> None:
    await create(daemon, "dev")
    record = body("one", project_id="storefront")
    for prune in (False, True):
        answer = await apply(daemon, record, project_id="nightshift", prune=prune)
        problem = refused(answer, 422, "invalid_record")
        assert pointers(problem) == ["/environments/0/project_id"]
    assert await slugs(daemon) == ["dev"]


async def test_a_new_record_that_was_never_checked_stays_so(daemon: Daemon) -> None:
    await applied(daemon, body("dev", health={"status": "unknown", "checked_at": None}))
    assert (await read(daemon, "dev"))["health"]["checked_at"] is None


JSON = {"Content-Type": "application/json"}
