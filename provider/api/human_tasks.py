"""`/api/human-tasks`: the manual work that is left, and what people do about it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal, get_args

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from provider.api.door import author
from provider.api.requests import json_body, query_of
from provider.api.surface import SURFACE
from provider.api.views import View
from provider.followups.task_text import by_urgency, task_view
from provider.followups.tasks import Task, TaskState, assigned, dismissed, noted, reopened
from provider.followups.values import Kind, Severity
from registry.errors import FieldError, InvalidRecord, NotFound
from registry.fields import TEXT_LENGTH_MAX
from registry.schema import field_errors

Words = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TEXT_LENGTH_MAX)
]


class TasksQuery(BaseModel):
    """The filters of the list; all that are given must hold."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["open", "dismissed", "closed", "all"] = "open"
    environment: Annotated[str | None, Field(description="an `environment_id` or a slug")] = None
    kind: Kind | None = None
    severity: Severity | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Annotated[str | None, Field(description="`next` of the page before")] = None


class TaskChange(BaseModel):
    """What a person does to a task.

    `assign` takes `assignee` (null: nobody), `note` takes `note`, `dismiss` takes `reason`.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    action: Literal["assign", "note", "dismiss", "reopen"]
    assignee: Words | None = None
    note: Words | None = None
    reason: Words | None = None


class DeedView(View):
    """One line of a task's history."""

    at: str
    actor: str
    deed: str
    words: str


class TaskView(View):
    """One task. `action` is what to do; `evidence` is what was seen; `owner` is whom to ask."""

    id: str
    kind: Kind
    environment: str
    slug: str | None
    severity: Severity
    state: TaskState
    action: str
    evidence: dict[str, Any]
    since: str
    owner: dict[str, Any] | None
    assignee: str | None
    closed_at: str | None
    history: list[DeedView]


class TasksView(View):
    """A page of tasks, the most severe first."""

    tasks: list[TaskView]
    total: int
    next: str | None


async def list_tasks(request: web.Request) -> web.Response:
    """The open tasks, unless others are asked for."""
    query = query_of(request, TasksQuery)
    chosen = [t for t in request.app[SURFACE].ledger.tasks.values() if _asked(t, query)]
    ordered = by_urgency(chosen)
    start = _start(ordered, query.cursor)
    shown = ordered[start : start + query.limit]
    more = start + query.limit < len(ordered)
    return web.json_response(
        {
            "tasks": [task_view(task) for task in shown],
            "total": len(ordered),
            "next": _cursor(shown[-1]) if more else None,
        }
    )


async def read_task(request: web.Request) -> web.Response:
    """One task."""
    task_id = request.match_info["id"]
    task = request.app[SURFACE].ledger.tasks.get(task_id)
    if task is None:
        raise NotFound(f"no task has the id {task_id!r}")
    return web.json_response(task_view(task))


async def change_task(request: web.Request) -> web.Response:
    """Assign it, note something, dismiss it with a reason, or take it up again."""
    try:
        wanted = TaskChange.model_validate(await json_body(request))
    except ValidationError as error:
        raise InvalidRecord("not a change of a task", field_errors(error)) from None
    surface = request.app[SURFACE]
    change = partial(_changed, wanted, author(request).actor)
    task = await surface.ledger.change(request.match_info["id"], change)
    surface.surveyor.wake.set()  # the upgrade plan follows
    return web.json_response(task_view(task))


def _changed(wanted: TaskChange, actor: str, task: Task, now: datetime) -> Task:
    deeds: dict[str, Callable[[], Task]] = {
        "assign": lambda: assigned(task, wanted.assignee, actor, now),
        "note": lambda: noted(task, _given(wanted.note, "note"), actor, now),
        "dismiss": lambda: dismissed(task, _given(wanted.reason, "reason"), actor, now),
        "reopen": lambda: reopened(task, actor, now),
    }
    allowed = {"dismiss": "open", "reopen": "dismissed"}.get(wanted.action)
    if allowed is not None and task.state != allowed:
        words = f"only a task that is {allowed} can be; this one is {task.state}"
        raise InvalidRecord(words, [FieldError("/action", words)])
    return deeds[wanted.action]()


def _given(words: str | None, key: str) -> str:
    if words is None:
        raise InvalidRecord(f"{key} is needed", [FieldError(f"/{key}", "required here: a text")])
    return words


def _asked(task: Task, query: TasksQuery) -> bool:
    follow_up = task.follow_up
    return (
        query.state in ("all", task.state)
        and query.environment in (None, follow_up.subject.environment, follow_up.slug)
        and query.kind in (None, follow_up.subject.kind)
        and query.severity in (None, follow_up.severity)
    )


def _cursor(task: Task) -> str:
    severity = get_args(Severity).index(task.follow_up.severity)
    text = f"{severity} {task.since.isoformat()} {task.task_id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _start(tasks: Sequence[Task], cursor: str | None) -> int:
    """After the last one shown, wherever it would stand now."""
    if cursor is None:
        return 0
    try:
        severity, since, task_id = base64.b64decode(cursor, b"-_", validate=True).decode().split()
        last = int(severity), datetime.fromisoformat(since), task_id
        return sum(1 for task in tasks if _place(task) <= last)
    except (binascii.Error, ValueError, TypeError) as error:
        fault = FieldError("/cursor", "not a cursor of this list")
        raise InvalidRecord("the query is wrong", [fault]) from error


def _place(task: Task) -> tuple[int, datetime, str]:
    severity = get_args(Severity).index(task.follow_up.severity)
    return severity, task.since, task.task_id
