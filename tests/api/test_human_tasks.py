"""`/api/human-tasks`: what is left to do by hand, over restarts; and the upgrade plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.api.bodies import routed, stored
from tests.api.steps import create, pointers, problems, refused
from tests.conftest import StartDaemon
from tests.daemons import Daemon, eventually

TASKS = "/api/human-tasks"


async def tasks(daemon: Daemon, query: str = "") -> list[dict[str, Any]]:
    """The tasks of a list."""
    answer = await daemon.call("GET", f"{TASKS}{query}")
    assert answer.status == 200, answer.value
    return list(answer.value["tasks"])


async def task(daemon: Daemon, kind: str, state: str = "open") -> dict[str, Any]:
    """The only task of this kind, once there is one."""

    async def only() -> dict[str, Any]:
        found = await tasks(daemon, f"?kind={kind}&state={state}")
        assert len(found) == 1, found
        return found[0]

    shown: dict[str, Any] = await eventually(only)
    return shown


async def change(daemon: Daemon, task_id: str, **body: Any) -> dict[str, Any]:
    """The task after a change that must be taken."""
    answer = await daemon.call("POST", f"{TASKS}/{task_id}", json=body)
    assert answer.status == 200, answer.value
    shown: dict[str, Any] = answer.value
    return shown


async def test_an_environment_without_a_certificate_is_a_task_that_closes_by_itself(
    daemon: Daemon,
) -> None:
    made = await create(daemon, "dev", **routed("dev.test"))
    shown = await task(daemon, "certificate_missing")
    assert shown["environment"] == made["environment_id"]
    assert (shown["severity"], shown["slug"], shown["state"]) == ("high", "dev", "open")
    assert shown["owner"]["name"] == made["owner"]["name"]

    plain = {"metadata": {"router": {"entrypoints": ["web"]}}}
    await daemon.call("PATCH", "/api/environments/dev", json=plain)
    closed = await task(daemon, "certificate_missing", "closed")
    assert closed["id"] == shown["id"]
    assert [each["deed"] for each in closed["history"]] == ["opened", "closed"]


async def test_what_people_do_outlives_a_restart(daemon: Daemon, start_daemon: StartDaemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    shown = await task(daemon, "certificate_missing")
    await change(daemon, shown["id"], action="assign", assignee="mika@x.test")
    await change(daemon, shown["id"], action="note", note="asked the provider")
    done = await change(daemon, shown["id"], action="dismiss", reason="a test host")
    await daemon.stop()

    again = await start_daemon()
    kept = await task(again, "certificate_missing", "dismissed")
    assert kept == done
    assert kept["assignee"] == "mika@x.test"
    words = [(each["actor"], each["deed"], each["words"]) for each in kept["history"][1:]]
    assert words == [
        ("local", "assigned", "mika@x.test"),
        ("local", "noted", "asked the provider"),
        ("local", "dismissed", "a test host"),
    ]
    assert (await change(again, kept["id"], action="reopen"))["state"] == "open"


async def test_a_dismissed_task_comes_back_when_something_else_is_seen(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    shown = await task(daemon, "certificate_missing")
    await change(daemon, shown["id"], action="dismiss", reason="not yet")
    more = {"metadata": {"router": {"hostnames": ["dev.test", "more.test"]}}}
    await daemon.call("PATCH", "/api/environments/dev", json=more)
    assert (await task(daemon, "certificate_missing"))["evidence"]["hosts"] == [
        "dev.test", "more.test",
    ]  # fmt: skip


async def test_wrong_changes_are_refused_with_their_place(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    task_id = (await task(daemon, "certificate_missing"))["id"]
    for body, pointer in (
        ({}, "/action"),
        ({"action": "close"}, "/action"),
        ({"action": "dismiss"}, "/reason"),
        ({"action": "dismiss", "reason": "  "}, "/reason"),
        ({"action": "note"}, "/note"),
        ({"action": "note", "note": "x" * 2001}, "/note"),
        ({"action": "reopen"}, "/action"),
        ({"action": "note", "note": "x", "odd": 1}, "/odd"),
    ):
        problem = refused(
            await daemon.call("POST", f"{TASKS}/{task_id}", json=body), 422, "invalid_record"
        )
        assert pointers(problem) == [pointer], body
    none = {"action": "note", "note": "x"}
    refused(await daemon.call("POST", f"{TASKS}/none", json=none), 404, "not_found")
    refused(await daemon.call("GET", f"{TASKS}/none"), 404, "not_found")


async def test_a_change_that_the_disk_refuses_is_not_made(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    shown = await task(daemon, "certificate_missing")
    ledger = daemon.folders.data / "state" / "human_tasks.json"
    kept = ledger.read_bytes()
    ledger.unlink()
    ledger.mkdir()
    (ledger / "in the way").touch()
    answer = await daemon.call(
        "POST", f"{TASKS}/{shown['id']}", json={"action": "note", "note": "x"}
    )
    assert answer.status in (503, 507)
    assert await tasks(daemon, "?kind=certificate_missing") == [shown]
    (ledger / "in the way").unlink()
    ledger.rmdir()
    ledger.write_bytes(kept)
    await change(daemon, shown["id"], action="note", note="x")


async def test_pages_show_each_task_once_the_most_severe_first(daemon: Daemon) -> None:
    for number in range(7):
        await create(daemon, f"e{number}", **routed(f"e{number}.test"))

    async def all_there() -> None:
        assert len(await tasks(daemon, "?kind=certificate_missing")) == 7

    await eventually(all_there)
    shown, query = [], "?limit=3&state=open"
    while query:
        page = (await daemon.call("GET", f"{TASKS}{query}")).value
        shown += page["tasks"]
        query = page["next"] and f"?limit=3&state=open&cursor={page['next']}"
    assert len({each["id"] for each in shown}) == len(shown) == page["total"]
    ranks = [("high", "medium", "low").index(each["severity"]) for each in shown]
    assert ranks == sorted(ranks)
    refused(await daemon.call("GET", f"{TASKS}?cursor=x"), 422, "invalid_record")


async def test_a_broken_record_and_a_lost_route_are_tasks_and_health_counts_them(
    daemon: Daemon,
) -> None:
    records = [stored(slug, **routed("same.test", entrypoints=["web"])) for slug in ("a", "b")]
    daemon.folders.hand_write(*map(json.dumps, records), json.dumps(stored("c", host=3)))
    lost = await task(daemon, "claim_lost")
    assert (lost["environment"], lost["evidence"]["holder"]) == ("env-b", "env-a")
    assert (await task(daemon, "record_quarantined"))["environment"] == "env-c"
    counted = (await daemon.call("GET", "/api/health")).value["metrics"]["human_tasks"]
    assert counted["by_kind"]["claim_lost"] == counted["by_kind"]["record_quarantined"] == 1
    assert counted["open"] == sum(counted["by_severity"].values())


async def test_the_upgrade_plan_is_written_only_when_it_changes(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    daemon = await start_daemon(f"--upgrade-plan={plan}")
    await create(daemon, "dev", **routed("dev.test"))
    await task(daemon, "certificate_missing")

    async def planned() -> None:
        follow_ups = json.loads(plan.read_text())["follow_ups"]
        assert {each["kind"] for each in follow_ups} == {"certificate_missing", "health_stale"}

    await eventually(planned)
    before = plan.stat()
    await daemon.call("PATCH", "/api/environments/dev", json={"description": "x"})
    await create(daemon, "plain", **routed("plain.test", state="planned", entrypoints=["web"]))
    await eventually(lambda: _same(plan, before))


def _same(plan: Path, before: Any) -> None:
    now = plan.stat()
    assert (now.st_ino, now.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


async def test_without_a_repository_around_the_data_there_is_no_plan(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await task(daemon, "certificate_missing")
    assert not list(daemon.folders.data.parent.rglob("upgrade_plan.json"))


async def test_a_ledger_that_is_none_is_put_aside_and_all_opens_anew(
    daemon: Daemon, start_daemon: StartDaemon
) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await task(daemon, "certificate_missing")
    await daemon.stop()
    ledger = daemon.folders.data / "state" / "human_tasks.json"
    ledger.write_bytes(b"{ torn")
    again = await start_daemon()
    await task(again, "certificate_missing")
    assert ledger.with_suffix(".broken.json").read_bytes() == b"{ torn"
    assert "tasks_not_written" not in {each["code"] for each in await problems(again)}
