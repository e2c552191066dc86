"""`routebook tasks`: what is left to do by hand, from a shell."""

from __future__ import annotations

import json

from tests.api.bodies import routed
from tests.api.steps import create
from tests.api.test_human_tasks import task
from tests.cli.conftest import Shell
from tests.daemons import Daemon


async def test_the_open_tasks_are_listed_with_what_to_do(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    shown = await task(daemon, "certificate_missing")
    listed = await shell("tasks", "--for", "dev", "--kind", "certificate_missing")
    assert listed.code == 0
    header, row = listed.out.splitlines()
    assert header.split() == ["ID", "SEVERITY", "ENVIRONMENT", "KIND", "ASSIGNEE", "ACTION"]
    assert row.split()[:4] == [shown["id"], "high", "dev", "certificate_missing"]
    assert row.endswith(shown["action"])
    value = json.loads((await shell("tasks", "--kind", "certificate_missing", "--json")).out)
    assert value == {"tasks": [shown], "total": 1}


async def test_a_task_is_assigned_noted_dismissed_and_taken_up_again(
    daemon: Daemon, shell: Shell
) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    task_id = (await task(daemon, "certificate_missing"))["id"]
    said = await shell("tasks", "assign", task_id, "mika")
    assert said.out.startswith(f"{task_id} is open, assigned to mika: Get a certificate")
    await shell("tasks", "note", task_id, "asked")
    said = await shell("tasks", "dismiss", task_id, "--reason", "a test")
    assert said.out.startswith(f"{task_id} is dismissed")
    assert (await shell("tasks", "--kind", "certificate_missing")).out == "no task matches\n"
    shown = await shell("tasks", "show", task_id)
    assert "evidence.hosts" in shown.out
    assert "ines@nightshift.test" in shown.out
    assert [line.split()[2] for line in shown.out.splitlines()[-4:]] == [
        "opened", "assigned", "noted", "dismissed",
    ]  # fmt: skip
    reopened = await shell("tasks", "reopen", task_id, "--json")
    assert json.loads(reopened.out)["state"] == "open"


async def test_what_cannot_be_done_says_why(daemon: Daemon, shell: Shell) -> None:
    refused = await shell("tasks", "reopen", "task-none")
    assert (refused.code, "not_found" in refused.err) == (1, True)
    assert (await shell("tasks", "dismiss", "task-none")).code == 2, "a reason is needed"
    assert "`routebook tasks --state all`" in refused.err
    odd = await shell("tasks", "--kind", "odd")
    assert (odd.code, "invalid_record" in odd.err) == (1, True)
