"""Human Tasks: follow-ups over time.

They open, stay and close by themselves; people may note, assign, and dismiss them until the
evidence changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from provider.followups.values import Finding, FollowUp, Kind, Severity, Subject, Undecided
from registry.values import value

TaskState = Literal["open", "dismissed", "closed"]
Deed = Literal["opened", "changed", "closed", "reopened", "assigned", "noted", "dismissed"]
DEEDS_KEPT = 50
CLOSED_KEPT = timedelta(days=90)
CLOSED_KEPT_MAX = 5000
BY_ITSELF = "routebook"


@value()
class Entry:
    """One line of a task's history: what was done, by whom, and in which words."""

    at: datetime
    actor: str
    deed: Deed
    words: str = ""


@value()
class Task:
    """A follow-up, and what became of it. `since` is when it was opened, the last time.

    `history` are its last 50 entries, oldest first.
    """

    follow_up: FollowUp
    state: TaskState
    since: datetime
    closed_at: datetime | None = None
    assignee: str | None = None
    history: tuple[Entry, ...] = ()

    @property
    def task_id(self) -> str:
        """Stable: the same subject has the same id, also when it comes again."""
        return self.follow_up.subject.task_id

    def having(self, entry: Entry, **changes: Any) -> Task:
        """This task after a change, which its history has."""
        history = (*self.history, entry)[-DEEDS_KEPT:]
        return replace(self, history=history, **changes)


Tasks = Mapping[str, Task]


@dataclass(frozen=True, slots=True)
class Advance:
    """All tasks after a survey, and those that it opened and closed."""

    tasks: Tasks
    opened: Sequence[Task]
    closed: Sequence[Task]


def advance(tasks: Tasks, findings: Iterable[Finding], now: datetime) -> Advance:
    """What a survey makes of the tasks. The same objects for what it leaves as it is."""
    every = list(findings)
    found = {each.subject.task_id: each for each in every if isinstance(each, FollowUp)}
    undecided = _Undecided(each for each in every if isinstance(each, Undecided))
    after = {task_id: _followed(tasks.get(task_id), each, now) for task_id, each in found.items()}
    for task_id, task in tasks.items():
        if task_id not in after:
            gone = task.state != "closed" and not undecided.includes(task.follow_up.subject)
            after[task_id] = _closed(task, now) if gone else task
    changed = [each for each in after.values() if tasks.get(each.task_id) is not each]
    kept = _kept(after, now)
    return Advance(
        tasks=kept if changed or len(kept) != len(tasks) else tasks,
        opened=[each for each in changed if each.state == "open" and _was(tasks, each) != "open"],
        closed=[each for each in changed if each.state == "closed"],
    )


def _was(tasks: Tasks, task: Task) -> TaskState | None:
    before = tasks.get(task.task_id)
    return before.state if before else None


def _followed(task: Task | None, follow_up: FollowUp, now: datetime) -> Task:
    """The task of what a survey found."""
    if task is None:
        return Task(follow_up, "open", now).having(Entry(now, BY_ITSELF, "opened"))
    if task.state == "closed":
        return task.having(
            Entry(now, BY_ITSELF, "opened", "again"),
            follow_up=follow_up, state="open", since=now, closed_at=None,
        )  # fmt: skip
    if dict(task.follow_up.evidence) != dict(follow_up.evidence):
        deed: Deed = "reopened" if task.state == "dismissed" else "changed"
        words = "other evidence than before"
        entry = Entry(now, BY_ITSELF, deed, words)
        return task.having(entry, follow_up=follow_up, state="open")
    if task.follow_up != follow_up:  # other words, or another owner: nothing new was seen
        return replace(task, follow_up=follow_up)
    return task


def _closed(task: Task, now: datetime) -> Task:
    return task.having(Entry(now, BY_ITSELF, "closed"), state="closed", closed_at=now)


def _kept(tasks: Tasks, now: datetime) -> Tasks:
    """Without those that were closed long ago, or too many of them."""
    closed = [t for t in tasks.values() if t.state == "closed" and t.closed_at is not None]
    late = [t for t in closed if t.closed_at is not None and now - t.closed_at > CLOSED_KEPT]
    closed.sort(key=lambda task: task.closed_at or now)
    many = closed[: max(0, len(closed) - CLOSED_KEPT_MAX)]
    gone = {task.task_id for task in (*late, *many)}
    return {key: task for key, task in tasks.items() if key not in gone} if gone else tasks


class _Undecided:
    """Whether a subject is undecided: exact ones by look-up, patterns one after the other."""

    def __init__(self, undecided: Iterable[Undecided]) -> None:
        every = list(undecided)
        self._exact = {(u.kind, u.environment, u.about) for u in every}
        self._patterns = [u for u in every if u.environment is None or u.about is None]

    def includes(self, subject: Subject) -> bool:
        """Whether nobody could look."""
        exact = (subject.kind, subject.environment, subject.about) in self._exact
        return exact or any(each.includes(subject) for each in self._patterns)


def assigned(task: Task, assignee: str | None, actor: str, now: datetime) -> Task:
    """Given to somebody, or to nobody."""
    return task.having(Entry(now, actor, "assigned", assignee or "to nobody"), assignee=assignee)


def noted(task: Task, note: str, actor: str, now: datetime) -> Task:
    """With a note."""
    return task.having(Entry(now, actor, "noted", note))


def dismissed(task: Task, reason: str, actor: str, now: datetime) -> Task:
    """Put aside, until its evidence changes."""
    return task.having(Entry(now, actor, "dismissed", reason), state="dismissed")


def reopened(task: Task, actor: str, now: datetime) -> Task:
    """Taken up again after all."""
    return task.having(Entry(now, actor, "reopened"), state="open")


def counts(tasks: Tasks) -> dict[str, Any]:
    """`metrics.human_tasks` of `/api/health`."""
    still = [task for task in tasks.values() if task.state == "open"]
    kinds: dict[Kind, int] = {}
    severities: dict[Severity, int] = {"high": 0, "medium": 0, "low": 0}
    for task in still:
        kind = task.follow_up.subject.kind
        kinds[kind] = kinds.get(kind, 0) + 1
        severities[task.follow_up.severity] += 1
    return {
        "open": len(still),
        "dismissed": sum(1 for task in tasks.values() if task.state == "dismissed"),
        "by_severity": severities,
        "by_kind": dict(sorted(kinds.items())),
    }
