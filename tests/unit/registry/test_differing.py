"""Where two sequences differ, by identity."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.differing import Run, changed_runs


def test_scattered_changes_are_runs_of_one_each() -> None:
    old = [object() for _ in range(10)]
    new = [object() if place in (0, 4, 5, 9) else each for place, each in enumerate(old)]
    assert changed_runs(old, new) == [Run(place, place + 1, place + 1) for place in (0, 4, 5, 9)]
    assert changed_runs(old, list(old)) == []
    assert changed_runs(old, old) == []


def test_where_some_come_or_go_it_is_one_run() -> None:
    old = [object() for _ in range(10)]
    assert changed_runs(old, [*old[:3], *old[5:]]) == [Run(3, 5, 3)]
    assert changed_runs(old, [*old, object()]) == [Run(10, 10, 11)]


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)))
def test_outside_of_the_runs_both_are_the_same(old: list[int], new: list[int]) -> None:
    made, at = list[int](), 0
    for run in changed_runs(old, new):
        made += [*old[at : run.start], *new[run.start : run.new_stop]]
        at = run.old_stop
    assert [*made, *old[at:]] == new
