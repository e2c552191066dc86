"""What differs between the inputs of two documents, and whose parts that makes others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from provider.render.conflicts import Conflict, lost_by
from provider.render.fragment import Claim, Compiled, Fragment, Rejection
from provider.render.part import Part, encode_part
from registry.differing import differing

_NONE = frozenset[Claim]()


@dataclass(frozen=True, slots=True)
class Change:
    """What is gone, and what is new, by `environment_id`."""

    gone: tuple[Fragment | Rejection, ...]
    new: Mapping[str, Fragment | Rejection]

    @property
    def ids(self) -> Collection[str]:
        """Whose inputs are not as before."""
        return {each.environment_id for each in self.gone} | self.new.keys()


def change_of(before: Sequence[Compiled], after: Sequence[Compiled]) -> Change:
    """Compares by identity: a compiler gives the same object for the same record.

    None is a record that asks for nothing.
    """
    gone, new = differing(before, after)
    return Change(tuple(filter(None, gone)), {each.environment_id: each for each in new if each})


def part_changes(
    before: Collection[Conflict],
    after: Collection[Conflict],
    change: Change,
    fragment_of: Callable[[str], Fragment | None],
) -> dict[str, Part | None]:
    """The parts that are not as before, encoded; None for what is gone.

    Those of changed fragments, and of those who lost a claim or got it back, which `fragment_of`
    knows from before.
    """
    lost, ids = lost_by(after), set(change.ids)
    parts: dict[str, Part | None] = dict.fromkeys(ids)
    for name, item in change.new.items():
        if isinstance(item, Fragment):
            parts[name] = encode_part(item, lost.get(name, _NONE))
    others = _differing(lost_by(before), lost) - ids if before is not after else ()
    for name in others:
        if fragment := fragment_of(name):
            parts[name] = encode_part(fragment, lost.get(name, _NONE))
    return parts


def fragments_in(items: Iterable[Compiled]) -> list[Fragment]:
    """Those that are fragments."""
    return [each for each in items if isinstance(each, Fragment)]


def _differing(
    old: Mapping[str, frozenset[Claim]], new: Mapping[str, frozenset[Claim]]
) -> set[str]:
    return {each for each in old.keys() | new.keys() if old.get(each) != new.get(each)}
