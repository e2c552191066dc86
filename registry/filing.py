"""Groups by a field, each in order; the groups after few of their members changed. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from registry.differing import position_of

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
    changed = dict(groups)
    for old, new in swaps:
        name = key(old or new)  # type: ignore[arg-type]  # one of them is
        if new is not None and key(new) != name:
            return None
        group = _swapped(changed.get(name, ()), old, new)
        if group is None:
            return None
        changed[name] = group
    return {name: group for name, group in changed.items() if group}


def _swapped(
    group: tuple[Item, ...], old: Item | None, new: Item | None
) -> tuple[Item, ...] | None:
    if old is None:
        return (*group, new)  # type: ignore[arg-type]  # one of them is
    place = position_of(old, group)
    if place is None:
        return None
    return (*group[:place], *(() if new is None else (new,)), *group[place + 1 :])
