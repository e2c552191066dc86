"""Tasks over time: they open, stay and close by themselves; what people do is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from provider.followups.task_text import from_bytes, task_view, to_bytes, upgrade_plan
from provider.followups.tasks import (
    CLOSED_KEPT,
    CLOSED_KEPT_MAX,
    DEEDS_KEPT,
    Task,
    Tasks,
    advance,
    assigned,
    dismissed,
    noted,
    reopened,
)
from provider.followups.values import FollowUp, Subject, Undecided
from tests.unit.provider.followups.worlds import NOW

LATER = NOW + timedelta(hours=1)


def work(about: str = "dev.test", **evidence: Any) -> FollowUp:
    """A name that is missing in DNS."""
    subject = Subject("dns_missing", "env-dev", about)
    return FollowUp(subject, "high", f"Make {about}.", {"name": about, **evidence}, "dev")


def tasks_of(*findings: Any) -> Tasks:
    """The tasks after a first survey."""
    return advance({}, findings, NOW).tasks


def the(tasks: Tasks) -> Task:
    """The only one."""
    [task] = tasks.values()
    return task


def test_what_is_found_opens_and_what_is_found_no_more_closes() -> None:
    step = advance({}, [work()], NOW)
    assert [each.state for each in step.opened] == ["open"]
    step = advance(step.tasks, [], LATER)
    assert (the(step.tasks).state, the(step.tasks).closed_at) == ("closed", LATER)
    assert [each.task_id for each in step.closed] == [work().subject.task_id]


def test_what_is_found_again_stays_the_very_same() -> None:
    before = tasks_of(work())
    step = advance(before, [work()], LATER)
    assert the(step.tasks) is the(before)
    assert (list(step.opened), list(step.closed)) == ([], [])


def test_what_nobody_could_look_at_stays() -> None:
    before = tasks_of(work(), work("b.test"))
    step = advance(before, [Undecided("dns_missing", "env-dev", "dev.test")], LATER)
    states = {task.follow_up.subject.about: task.state for task in step.tasks.values()}
    assert states == {"dev.test": "open", "b.test": "closed"}
    assert len(advance(before, [Undecided("dns_missing")], LATER).closed) == 0


def test_a_closed_task_opens_again_under_its_id_with_its_history() -> None:
    closed = advance(tasks_of(work()), [], LATER).tasks
    again = advance(closed, [work()], LATER + timedelta(hours=1))
    task = the(again.tasks)
    assert (task.state, task.since, task.closed_at) == ("open", LATER + timedelta(hours=1), None)
    assert [each.deed for each in task.history] == ["opened", "closed", "opened"]
    assert len(again.opened) == 1


def test_a_dismissed_task_stays_so_until_the_evidence_changes() -> None:
    task = dismissed(the(tasks_of(work())), "internal only", "mika", LATER)
    tasks = {task.task_id: task}
    assert the(advance(tasks, [work()], LATER).tasks).state == "dismissed"
    step = advance(tasks, [work(aliases=["x"])], LATER)
    assert the(step.tasks).state == "open"
    assert [each.deed for each in the(step.tasks).history] == ["opened", "dismissed", "reopened"]
    assert len(step.opened) == 1


def test_a_dismissed_task_closes_when_the_work_is_done() -> None:
    task = dismissed(the(tasks_of(work())), "later", "mika", LATER)
    assert the(advance({task.task_id: task}, [], LATER).tasks).state == "closed"


def test_new_evidence_of_an_open_task_is_in_its_history_and_keeps_its_assignee() -> None:
    task = assigned(the(tasks_of(work())), "mika", "ines", LATER)
    after = the(advance({task.task_id: task}, [work(aliases=["x"])], LATER).tasks)
    assert (after.state, after.assignee, after.since) == ("open", "mika", NOW)
    assert after.history[-1].deed == "changed"


def test_notes_and_who_made_them_are_kept_the_last_fifty() -> None:
    task = the(tasks_of(work()))
    for number in range(DEEDS_KEPT + 5):
        task = noted(task, str(number), "ines", LATER)
    assert len(task.history) == DEEDS_KEPT
    assert (task.history[-1].actor, task.history[-1].words) == ("ines", str(DEEDS_KEPT + 4))


def test_a_dismissed_task_can_be_taken_up_again() -> None:
    task = dismissed(the(tasks_of(work())), "no", "mika", LATER)
    assert reopened(task, "mika", LATER).state == "open"


def test_closed_tasks_are_forgotten_after_a_while() -> None:
    closed = advance(tasks_of(work()), [], NOW).tasks
    assert len(advance(closed, [], NOW + CLOSED_KEPT).tasks) == 1
    assert len(advance(closed, [], NOW + CLOSED_KEPT + timedelta(seconds=1)).tasks) == 0


def test_of_very_many_closed_tasks_the_newest_are_kept() -> None:
    many = tasks_of(*(work(f"{n}.test") for n in range(CLOSED_KEPT_MAX + 10)))
    assert len(advance(many, [], LATER).tasks) == CLOSED_KEPT_MAX


def test_a_ledger_is_read_as_it_was_written() -> None:
    task = assigned(the(tasks_of(work(aliases=["a"]))), "mika", "ines", LATER)
    tasks = {task.task_id: dismissed(task, "r\u00e9ason", "ines", LATER)}
    assert from_bytes(to_bytes(tasks)) == tasks


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"tasks": [{}]}', b'{"tasks": 3}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_ledger_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        from_bytes(content)


def test_the_upgrade_plan_has_the_open_tasks_and_the_same_bytes_for_the_same_tasks() -> None:
    tasks = dict(tasks_of(work(), work("b.test")))
    gone = dismissed(tasks[work("b.test").subject.task_id], "no", "mika", LATER)
    tasks[gone.task_id] = gone
    plan = upgrade_plan(tasks)
    assert plan == upgrade_plan(dict(reversed(tasks.items())))
    assert b'"dev.test"' in plan
    assert b"b.test" not in plan
    assert upgrade_plan({}) == b'{\n  "version": 1,\n  "follow_ups": []\n}\n'


def test_a_task_is_shown_with_its_history() -> None:
    view = task_view(the(tasks_of(work())))
    assert (view["kind"], view["state"], view["environment"]) == ("dns_missing", "open", "env-dev")
    assert [each["deed"] for each in view["history"]] == ["opened"]
