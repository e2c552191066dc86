"""Tasks as JSON: what the API shows, what the ledger keeps, and the upgrade plan."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic_core import from_json

from provider.followups.tasks import Entry, Task, Tasks
from provider.followups.values import FollowUp, Subject
from registry.fields import instant_text, parse_instant

_SEVERITIES = ("high", "medium", "low")


def task_view(task: Task) -> dict[str, Any]:
    """A task as the API shows it, with its history."""
    history = [
        {"at": instant_text(each.at), "actor": each.actor, "deed": each.deed, "words": each.words}
        for each in task.history
    ]
    closed_at = instant_text(task.closed_at) if task.closed_at else None
    return {**_in_short(task), "closed_at": closed_at, "history": history}


def by_urgency(tasks: Iterable[Task]) -> list[Task]:
    """The most severe first, then those that are open the longest."""
    return sorted(
        tasks,
        key=lambda task: (_SEVERITIES.index(task.follow_up.severity), task.since, task.task_id),
    )


def upgrade_plan(tasks: Tasks) -> bytes:
    """`docs/upgrade_plan.json`: the open tasks. The same bytes for the same tasks."""
    still = by_urgency(task for task in tasks.values() if task.state == "open")
    plan = {"version": 1, "follow_ups": [_in_short(task) for task in still]}
    return (json.dumps(plan, indent=2, ensure_ascii=False) + "\n").encode()


def to_bytes(tasks: Tasks) -> bytes:
    """The ledger's file: a task a line, each encoded alone: other threads get their turn."""
    views = ({**task_view(t), "about": t.follow_up.subject.about} for t in tasks.values())
    rows = ",\n".join(json.dumps(view, ensure_ascii=False) for view in views)
    return f'{{"version": 1, "tasks": [\n{rows}\n]}}\n'.encode()


def from_bytes(content: bytes) -> dict[str, Task]:
    """The tasks of a ledger's file. Raises ValueError for anything else."""
    try:
        tasks = [_task(row) for row in from_json(content)["tasks"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a ledger of tasks") from error
    return {task.task_id: task for task in tasks}


def _in_short(task: Task) -> dict[str, Any]:
    follow_up = task.follow_up
    return {
        "id": task.task_id,
        "kind": follow_up.subject.kind,
        "environment": follow_up.subject.environment,
        "slug": follow_up.slug,
        "severity": follow_up.severity,
        "state": task.state,
        "action": follow_up.action,
        "evidence": dict(follow_up.evidence),
        "since": instant_text(task.since),
        "owner": dict(follow_up.owner) if follow_up.owner else None,
        "assignee": task.assignee,
    }


def _task(row: Mapping[str, Any]) -> Task:
    follow_up = FollowUp(
        subject=Subject(row["kind"], row["environment"], row["about"]),
        severity=row["severity"],
        action=row["action"],
        evidence=dict(row["evidence"]),
        slug=row["slug"],
        owner=row["owner"],
    )
    _SEVERITIES.index(follow_up.severity)
    return Task(
        follow_up=follow_up,
        state=row["state"],
        since=parse_instant(row["since"]),
        closed_at=_instant(row["closed_at"]),
        assignee=row["assignee"],
        history=tuple(
            Entry(parse_instant(each["at"]), each["actor"], each["deed"], each["words"])
            for each in row["history"]
        ),
    )


def _instant(value: Any) -> datetime | None:
    return None if value is None else parse_instant(value)
