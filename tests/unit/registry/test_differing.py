"""Where two sequences differ, by identity, looked for or known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.differing import Run, Sequel, changed_run, changed_runs, differing


class Thing:
    """Equal to any other: only identity tells them apart."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing)

    __hash__ = object.__hash__


POOL = tuple(Thing() for _ in range(12))
THINGS = st.lists(st.sampled_from(POOL), max_size=10)


@given(THINGS, st.integers(0, 10), st.integers(0, 10), THINGS)
def test_a_sequel_knows_what_one_would_find(
    things: list[Thing], start: int, length: int, items: list[Thing]
) -> None:
    before = Sequel(things)
    start, stop = min(start, len(things)), min(start + length, len(things))
    after = before.with_run(start, stop, items)
    assert [*map(id, after)] == [*map(id, (*things[:start], *items, *things[stop:]))]
    known, found = changed_run(before, after), changed_run(things, tuple(after))
    unchanged = len(before) - (known.old_stop - known.start)
    assert unchanged == len(before) - (found.old_stop - found.start)
    assert [*map(id, after[: known.start])] == [*map(id, before[: known.start])]
    assert [*map(id, after[known.new_stop :])] == [*map(id, before[known.old_stop :])]


@given(THINGS, st.integers(0, 10), st.integers(0, 10), THINGS)
def test_what_it_knows_differs_is_what_is_only_there_and_only_here(
    things: list[Thing], start: int, length: int, items: list[Thing]
) -> None:
    once = list(dict.fromkeys(things))
    before = Sequel(once)
    start, stop = min(start, len(once)), min(start + length, len(once))
    kept = set(map(id, (*once[:start], *once[stop:])))
    fresh = [item for item in dict.fromkeys(items) if id(item) not in kept]
    after = before.with_run(start, stop, fresh)
    gone, come = differing(before, after)
    assert set(map(id, gone)) == set(map(id, before)) - set(map(id, after))
    assert set(map(id, come)) == set(map(id, after)) - set(map(id, before))


def test_of_any_other_sequence_a_sequel_knows_nothing() -> None:
    before = Sequel(POOL)
    after = before.with_run(3, 4, [Thing()])
    assert after.runs_since(before) == [Run(3, 4, 4)]
    assert after.runs_since(POOL) is None
    assert before.runs_since(after) is None
    assert after.with_run(0, 1, [Thing()]).runs_since(before) is None


@given(THINGS, st.dictionaries(st.integers(0, 9), st.sampled_from(POOL)))
def test_where_single_ones_are_others_it_knows_that_too(
    things: list[Thing], items: dict[int, Thing]
) -> None:
    before = Sequel(things)
    at = {place: item for place, item in items.items() if place < len(things)}
    after = before.with_items(at)
    assert [*map(id, after)] == [id(at.get(place, each)) for place, each in enumerate(things)]
    assert after.runs_since(before) is not None
    plain = tuple(after)
    assert changed_runs(before, after) == changed_runs(things, plain)
    for known, found in zip(differing(before, after), differing(things, plain), strict=True):
        assert [*map(id, known)] == [*map(id, found)]
    run = changed_run(before, after)
    assert [*map(id, after[: run.start])] == [*map(id, before[: run.start])]
    assert [*map(id, after[run.new_stop :])] == [*map(id, before[run.old_stop :])]


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


def test_scattered_changes_that_a_sequel_knows_are_runs_of_one_each() -> None:
    before = Sequel(object() for _ in range(10))
    after = before.with_run(1, 9, [object(), *before[2:8], object()])
    assert changed_runs(before, after) == [Run(1, 2, 2), Run(8, 9, 9)]
    assert differing(before, after) == ([before[1], before[8]], [after[1], after[8]])
