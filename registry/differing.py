"""Where two sequences differ, by identity: what is the same object on both sides costs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import compress, count, repeat
from operator import is_, is_not
from typing import NamedTuple, TypeVar

Item = TypeVar("Item")


class Run(NamedTuple):
    """The one run that differs: `old[start:old_stop]` became `new[start:new_stop]`."""

    start: int
    old_stop: int
    new_stop: int


class Sequel(tuple[Item, ...]):
    """A tuple that may know in which run it differs from another, the one that it was made from."""

    _made_from: object = None
    _run: Run | None = None

    def with_run(self, start: int, stop: int, items: Sequence[Item]) -> Sequel[Item]:
        """The same but for this run, of which `items` take the place."""
        made = Sequel((*self[:start], *items, *self[stop:]))
        run = changed_run(self[start:stop], items)
        made._made_from = self._mark
        made._run = Run(*(start + each for each in run))
        return made

    def run_since(self, old: object) -> Run | None:
        """Where it differs from `old`; None where it does not know."""
        return self._run if isinstance(old, Sequel) and old._mark is self._made_from else None

    @cached_property
    def _mark(self) -> object:
        """What others remember it by, which keeps nothing of it."""
        return object()


def changed_run(old: Sequence[object], new: Sequence[object]) -> Run:
    """The shortest run outside of which both have the same objects."""
    if old is new:
        return Run(len(old), len(old), len(new))
    known = _known_run(old, new)
    if known is not None:
        return known
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
    start, stop, _ = _known_run(old, new) or Run(0, len(old), len(new))
    apart = compress(count(start), map(is_not, old[start:stop], new[start:stop]))
    return [Run(place, place + 1, place + 1) for place in apart]


def differing(old: Sequence[Item], new: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """The objects that only `old` has, and those that only `new` has, each in order."""
    run = _known_run(old, new) if len(old) == len(new) else changed_run(old, new)
    if run is not None:
        old, new = old[run.start : run.old_stop], new[run.start : run.new_stop]
    gone, come = old, new
    if len(old) == len(new):
        apart = list(map(is_not, old, new))
        gone, come = list(compress(old, apart)), list(compress(new, apart))
    before, after = set(map(id, gone)), set(map(id, come))
    return (
        [item for item in gone if id(item) not in after],
        [item for item in come if id(item) not in before],
    )


def _known_run(old: Sequence[object], new: Sequence[object]) -> Run | None:
    """Outside of it nothing differs; None where that takes a look."""
    return new.run_since(old) if isinstance(new, Sequel) else None


def position_of(item: object, items: Sequence[object]) -> int | None:
    """Where this very object stands; None when it does not."""
    return next(compress(count(), map(is_, items, repeat(item))), None)


def _first_difference(old: Iterable[object], new: Iterable[object], length: int) -> int:
    found = next(compress(count(), map(is_not, old, new)), length)
    return min(found, length)
