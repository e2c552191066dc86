"""Where two sequences differ, by identity: what is the same object on both sides costs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import compress, count, repeat
from operator import is_, is_not
from typing import NamedTuple, TypeVar

Item = TypeVar("Item")


class Run(NamedTuple):
    """A run that differs: `old[start:old_stop]` became `new[start:new_stop]`."""

    start: int
    old_stop: int
    new_stop: int


class Sequel(tuple[Item, ...]):
    """A tuple that may know where it differs from another, the one that it was made from."""

    _made_from: object = None
    _runs: Sequence[Run] = ()

    def with_run(self, start: int, stop: int, items: Sequence[Item]) -> Sequel[Item]:
        """The same but for this run, of which `items` take the place."""
        made = Sequel((*self[:start], *items, *self[stop:]))
        run = changed_run(self[start:stop], items)
        made._made_from = self._mark
        made._runs = [Run(*(start + each for each in run))]
        return made

    def with_items(self, items: Mapping[int, Item]) -> Sequel[Item]:
        """The same but for these, by the place where they stand."""
        after = list(self)
        for place, item in items.items():
            after[place] = item
        made = Sequel(after)
        made._made_from = self._mark
        made._runs = [Run(each, each + 1, each + 1) for each in sorted(items)]
        return made

    def runs_since(self, old: object) -> Sequence[Run] | None:
        """Runs outside of which it does not differ from `old`; None where it does not know."""
        return self._runs if isinstance(old, Sequel) and old._mark is self._made_from else None

    @cached_property
    def _mark(self) -> object:
        """What others remember it by, which keeps nothing of it."""
        return object()


def changed_run(old: Sequence[object], new: Sequence[object]) -> Run:
    """One run outside of which both have the same objects."""
    if old is new:
        return Run(len(old), len(old), len(new))
    known = _known_runs(old, new)
    if known is not None and len(known) == 1:
        return known[0]
    shorter = min(len(old), len(new))
    start = _first_difference(old, new, shorter)
    same_at_end = _first_difference(reversed(old), reversed(new), shorter - start)
    return Run(start, len(old) - same_at_end, len(new) - same_at_end)


def changed_runs(old: Sequence[object], new: Sequence[object]) -> list[Run]:
    """Runs outside of which both have the same objects: several of one each, or one of any length.

    Several, of as many as there were before, so that all stand at the same places in both.
    """
    if old is new:
        return []
    if len(old) != len(new):
        return [changed_run(old, new)]
    known = _known_runs(old, new)
    within = [Run(0, len(old), len(new))] if known is None else known
    return [
        Run(place, place + 1, place + 1)
        for start, stop, _ in within
        for place in compress(count(start), map(is_not, old[start:stop], new[start:stop]))
    ]


def differing(old: Sequence[Item], new: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """The objects that only `old` has, and those that only `new` has, each in order."""
    runs = _known_runs(old, new) if len(old) == len(new) else [changed_run(old, new)]
    gone, come = old, new
    if runs is not None:
        gone = [each for run in runs for each in old[run.start : run.old_stop]]
        come = [each for run in runs for each in new[run.start : run.new_stop]]
    if len(gone) == len(come):
        apart = list(map(is_not, gone, come))
        gone, come = list(compress(gone, apart)), list(compress(come, apart))
    before, after = set(map(id, gone)), set(map(id, come))
    return (
        [item for item in gone if id(item) not in after],
        [item for item in come if id(item) not in before],
    )


def _known_runs(old: Sequence[object], new: Sequence[object]) -> Sequence[Run] | None:
    """Outside of them nothing differs; None where that takes a look."""
    return new.runs_since(old) if isinstance(new, Sequel) else None


def position_of(item: object, items: Sequence[object]) -> int | None:
    """Where this very object stands; None when it does not."""
    return next(compress(count(), map(is_, items, repeat(item))), None)


def _first_difference(old: Iterable[object], new: Iterable[object], length: int) -> int:
    found = next(compress(count(), map(is_not, old, new)), length)
    return min(found, length)
