"""Groups by a field, each in order; the groups after few of their members changed. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress, count
from typing import TypeVar

from registry.differing import position_of

_FEW = 8
Item = TypeVar("Item")
Groups = Mapping[str, tuple[Item, ...]]
Swaps = Sequence[tuple[Item | None, Item | None]]


def filed(items: Iterable[Item], key: Callable[[Item], str]) -> Groups[Item]:
    """The items by their key, each group in the order of the items."""
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return {name: tuple(group) for name, group in groups.items()}


def refiled(
    groups: Groups[Item], swaps: Swaps[Item], key: Callable[[Item], str]
) -> Groups[Item] | None:
    """The groups after swaps of `(old, new)`: no new one is gone, no old one came at the end.

    None where an item went from one group to another: its place there is not known.
    """
    theirs: dict[str, list[tuple[Item | None, Item | None]]] = defaultdict(list)
    for old, new in swaps:
        name = key(old or new)  # type: ignore[arg-type]  # one of them is
        if new is not None and key(new) != name:
            return None
        theirs[name].append((old, new))
    changed = dict(groups)
    for name, several in theirs.items():
        group = swapped(changed.get(name, ()), several)
        if group is None:
            return None
        changed[name] = group
    return {name: group for name, group in changed.items() if group}


def swapped(items: Sequence[Item], swaps: Swaps[Item]) -> tuple[Item, ...] | None:
    """The items after swaps, what is added at the end; None where an old one is not there."""
    after: list[Item | None] = list(items)
    new_of = {id(old): new for old, new in swaps if old is not None}
    places = _places(items, swaps) if len(new_of) <= _FEW else _places_of_many(items, new_of)
    if len(places) < len(new_of):
        return None
    for place in places:
        after[place] = new_of[id(items[place])]
    after += [new for old, new in swaps if old is None]
    if None in new_of.values():
        after = [item for item in after if item is not None]
    return tuple(after)  # type: ignore[arg-type]  # none of them is None


def _places(items: Sequence[Item], swaps: Swaps[Item]) -> list[int]:
    found = (position_of(old, items) for old, _ in swaps if old is not None)
    return [place for place in found if place is not None]


def _places_of_many(items: Sequence[Item], new_of: Mapping[int, Item | None]) -> list[int]:
    """In one look at all."""
    return list(compress(count(), map(new_of.__contains__, map(id, items))))
