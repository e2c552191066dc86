"""Where two sequences differ, by identity: what is the same object on both sides costs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress, count, repeat
from operator import is_, is_not
from typing import NamedTuple, TypeVar

Item = TypeVar("Item")


class Run(NamedTuple):
    """The one run that differs: `old[start:old_stop]` became `new[start:new_stop]`."""

    start: int
    old_stop: int
    new_stop: int


def changed_run(old: Sequence[object], new: Sequence[object]) -> Run:
    """The shortest run outside of which both have the same objects."""
    if old is new:
        return Run(len(old), len(old), len(new))
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
    if len(old) == len(new):
        apart = compress(count(), map(is_not, old, new))
        return [Run(place, place + 1, place + 1) for place in apart]
    return [changed_run(old, new)]


def differing(old: Sequence[Item], new: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """The objects that only `old` has, and those that only `new` has, each in order."""
    if len(old) == len(new):
        apart = list(map(is_not, old, new))
        gone, come = list(compress(old, apart)), list(compress(new, apart))
    else:
        run = changed_run(old, new)
        gone, come = list(old[run.start : run.old_stop]), list(new[run.start : run.new_stop])
    before, after = set(map(id, gone)), set(map(id, come))
    return (
        [item for item in gone if id(item) not in after],
        [item for item in come if id(item) not in before],
    )


def position_of(item: object, items: Sequence[object]) -> int | None:
    """Where this very object stands; None when it does not."""
    return next(compress(count(), map(is_, items, repeat(item))), None)


def _first_difference(old: Iterable[object], new: Iterable[object], length: int) -> int:
    found = next(compress(count(), map(is_not, old, new)), length)
    return min(found, length)
