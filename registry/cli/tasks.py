"""`routebook tasks`: the manual work that is left, and what people do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from registry.cli.filters import Severity, TaskState, refuse_unknown
from registry.cli.tables import table
from registry.cli.terminal import AsJson, advising, client_of, printable, say, say_json, sheet

TaskId = Annotated[str, typer.Argument(metavar="ID", help="as `routebook tasks` shows it")]

_ALL_TASKS = "`routebook tasks --state all` shows them all"


def tasks(
    context: typer.Context,
    state: TaskState = "open",
    environment: Annotated[
        str | None, typer.Option("--environment", "--for", help="of this environment")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="of this kind, such as dns_missing")] = None,
    severity: Severity = None,
    as_json: AsJson = False,
) -> None:
    """The tasks, the most severe first."""
    if context.invoked_subcommand is not None:
        return
    filters = {"state": state, "environment": environment, "kind": kind, "severity": severity}
    client = client_of(context)
    found = list(client.tasks(filters))
    if not found:
        refuse_unknown(client, ref=environment)
    if as_json:
        say_json({"tasks": found, "total": len(found)})
        return
    columns = ("id", "severity", "environment", "kind", "assignee", "action")
    table(
        columns,
        [_row(task) for task in found],
        keys=("id", "environment", "kind"),
        below=("action", "assignee"),
        empty=_nothing(state, any((environment, kind, severity))),
    )


def show(context: typer.Context, task_id: TaskId, as_json: AsJson = False) -> None:
    """One task: what to do, what was seen, whom to ask, and what became of it."""
    with advising(_ALL_TASKS, "not_found"):
        task = client_of(context).task(task_id)
    if as_json:
        say_json(task)
        return
    owner = task["owner"] or {}
    names = (
        "id",
        "kind",
        "severity",
        "state",
        "environment",
        "slug",
        "action",
        "since",
        "assignee",
    )
    asked = [owner[key] for key in ("name", "email", "slack") if owner.get(key)]
    evidence = [(f"evidence.{key}", value) for key, value in task["evidence"].items()]
    sheet([*((name, task[name]) for name in names), ("ask", ", ".join(asked)), *evidence])
    say("\nhistory")
    table(("at", "actor", "deed", "words"), task["history"], keys=("at",), below=("words",))


def assign(
    context: typer.Context,
    task_id: TaskId,
    who: Annotated[str | None, typer.Argument(help="a name or an e-mail; none: nobody")] = None,
    as_json: AsJson = False,
) -> None:
    """Give a task to somebody."""
    _change(context, task_id, {"action": "assign", "assignee": who}, as_json=as_json)


def note(
    context: typer.Context,
    task_id: TaskId,
    words: Annotated[str, typer.Argument(help="what is to be remembered")],
    as_json: AsJson = False,
) -> None:
    """Note something in a task's history."""
    _change(context, task_id, {"action": "note", "note": words}, as_json=as_json)


def dismiss(
    context: typer.Context,
    task_id: TaskId,
    reason: Annotated[str, typer.Option(help="why it needs nothing")],
    as_json: AsJson = False,
) -> None:
    """Put a task aside, until something else is seen."""
    _change(context, task_id, {"action": "dismiss", "reason": reason}, as_json=as_json)


def reopen(context: typer.Context, task_id: TaskId, as_json: AsJson = False) -> None:
    """Take a dismissed task up again."""
    _change(context, task_id, {"action": "reopen"}, as_json=as_json)


SUBVERBS: dict[str, Callable[..., None]] = {
    "show": show,
    "assign": assign,
    "note": note,
    "dismiss": dismiss,
    "reopen": reopen,
}
"""The table of the verbs below `tasks`."""


def tasks_app() -> typer.Typer:
    """Every verb below `tasks`, under its name; alone it lists."""
    app = typer.Typer(
        invoke_without_command=True,
        help="What is left to do by hand: DNS, certificates, credentials. Alone: the open tasks.",
    )
    app.callback()(tasks)
    for name, verb in SUBVERBS.items():
        app.command(name)(verb)
    return app


def _change(
    context: typer.Context, task_id: str, change: Mapping[str, Any], *, as_json: bool
) -> None:
    with advising(_ALL_TASKS, "not_found"):
        task = client_of(context).change_task(task_id, change)
    if as_json:
        say_json(task)
        return
    whose = f", assigned to {task['assignee']}" if task["assignee"] else ""
    say(printable(f"{task['id']} is {task['state']}{whose}: {task['action']}"))


def _nothing(state: str, is_filtered: bool) -> str:
    if is_filtered:
        return "no task matches"
    return "there are no tasks" if state == "all" else f"no task is {state}"


def _row(task: Mapping[str, Any]) -> dict[str, Any]:
    return {**task, "environment": task["slug"] or task["environment"]}
