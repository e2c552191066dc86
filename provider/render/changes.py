"""What differs between the inputs of two documents, and whose parts that makes others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from provider.render.conflicts import Conflict, lost_by
from provider.render.fragment import Claim, Fragment, Rejection
from provider.render.part import Part, encode_part

Items = Mapping[str, Fragment | Rejection]
_NONE = frozenset[Claim]()


@dataclass(frozen=True, slots=True)
class Change:
    """All `items` that are now, by `environment_id`, and the `ids` that are not as before.

    `gone` and `new` are the fragments among those.
    """

    items: Items
    ids: frozenset[str]
    gone: tuple[Fragment, ...]
    new: tuple[Fragment, ...]


def change_of(before: Items, items: Items) -> Change:
    """Compares by identity: a compiler gives the same object for the same record."""
    ids = {name for name, item in items.items() if before.get(name) is not item}
    if len(items) - len(ids - before.keys()) != len(before):
        ids |= before.keys() - items.keys()
    return Change(items, frozenset(ids), _fragments(before, ids), _fragments(items, ids))


def part_changes(
    before: Collection[Conflict], after: Collection[Conflict], change: Change
) -> dict[str, Part | None]:
    """The parts that are not as before, encoded; None for what is gone.

    Those of changed fragments, and of those who lost a claim or got it back.
    """
    lost = lost_by(after)
    ids = change.ids | (_differing(lost_by(before), lost) if before is not after else set())
    found = ((each, change.items.get(each)) for each in ids)
    return {
        name: encode_part(item, lost.get(name, _NONE)) if isinstance(item, Fragment) else None
        for name, item in found
    }


def _fragments(items: Items, ids: Iterable[str]) -> tuple[Fragment, ...]:
    found = (items.get(each) for each in ids)
    return tuple(each for each in found if isinstance(each, Fragment))


def _differing(
    old: Mapping[str, frozenset[Claim]], new: Mapping[str, frozenset[Claim]]
) -> set[str]:
    return {each for each in old.keys() | new.keys() if old.get(each) != new.get(each)}
